"""SARSA's and Q-learning's paths along the cliff (A-TD-02, A-TD-03).

Both explore with a tenth of random steps. SARSA values what it does, stumbling included, and keeps
away from the edge; Q-learning values the best that could be done, walks along it, and falls more
often while learning.
"""

from contextlib import closing

import numpy as np
from picture import BLUE, ORANGE, Figure, demo, panels, picture

STEPS, WINDOW = 100_000, 200


def draw() -> Figure:
    """Draw both greedy paths, and the returns while learning."""
    import gymnasium as gym

    import envs  # noqa: F401
    from agents import QLearning, QLearningConfig, Sarsa, SarsaConfig

    agents_of = {
        "SARSA": (Sarsa, SarsaConfig(discount=1.0), BLUE),
        "Q-learning": (QLearning, QLearningConfig(discount=1.0), ORANGE),
    }
    figure, axes = panels(3, title="Along the cliff", size=4.2)
    for axis, (name, (kind, config, colour)) in zip(axes.flat, agents_of.items(), strict=False):
        agent = kind("dreamgym/Cliff-v0", config, seed=0)
        with closing(agent.stream(0)) as stream:
            stream.advance(STEPS)
        env = gym.make("dreamgym/Cliff-v0", render_mode="rgb_array")
        state, _ = env.reset(seed=0)
        frame, places, over = env.render(), [int(state)], False
        while not over and len(places) < 50:
            action, _ = agent.predict(state, deterministic=True)
            state, _, terminated, truncated, _ = env.step(action)
            places.append(int(state))
            over = terminated or truncated
        picture(axis, frame)
        side = np.asarray(frame).shape[0] / 4
        rows, columns = np.divmod(np.array(places), 12)
        axis.plot((columns + 0.5) * side, (rows + 0.5) * side, color=colour, linewidth=3)
        axis.set_title(f"{name}: {len(places) - 1} steps")
        steps = [episode.step for episode in stream.episodes]
        returns = [episode.total_reward for episode in stream.episodes]
        mean = np.convolve(returns, np.ones(WINDOW) / WINDOW, "valid")
        axes.flat[2].plot(steps[WINDOW - 1 :], mean, color=colour, label=name)
    axes.flat[2].set(title="return while learning", xlabel="steps", ylim=(-100, 0))
    axes.flat[2].legend()
    return figure


if __name__ == "__main__":
    demo(__doc__, draw)
