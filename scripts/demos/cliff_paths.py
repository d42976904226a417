"""SARSA's and Q-learning's paths along the cliff (A-TD-02, A-TD-03).

Both explore with a tenth of random steps. SARSA values what it does, stumbling included, and keeps
away from the edge; Q-learning values the best that could be done, walks along it, and falls more
often while learning. Left: what the first of five seeds would do without exploring.
"""

from contextlib import closing
from typing import Any

import begin
import numpy as np
from matplotlib.axes import Axes
from picture import Figure, band, picture

from nets.drawing.figures import count_steps, limit, reference
from nets.drawing.style import COLOURS_OF

STEPS, WINDOW, SEEDS = 100_000, 200, 5
GRID = np.arange(12_000, STEPS, 500)


def learned(name: str, seed: int) -> tuple[Any, np.ndarray]:
    """Return an agent that has learned, and its mean return of `WINDOW` episodes at `GRID`."""
    import envs  # noqa: F401
    from agents import QLearning, QLearningConfig, Sarsa, SarsaConfig

    world = "dreamgym/Cliff-v0"
    agent: Any = (
        Sarsa(world, SarsaConfig(discount=1.0), seed=seed)
        if name == "sarsa"
        else QLearning(world, QLearningConfig(discount=1.0), seed=seed)
    )
    with closing(agent.stream(0)) as stream:
        stream.advance(STEPS)
    steps = [episode.step for episode in stream.episodes][WINDOW - 1 :]
    returns = [episode.total_reward for episode in stream.episodes]
    return agent, np.interp(GRID, steps, np.convolve(returns, np.ones(WINDOW) / WINDOW, "valid"))


def walk(axes: Axes, agent: Any, colour: str) -> int:
    """Draw the way that an agent goes where it does not explore; return its steps."""
    import gymnasium as gym

    env = gym.make("dreamgym/Cliff-v0", render_mode="rgb_array")
    state, _ = env.reset(seed=0)
    frame, places, over = env.render(), [int(state)], False
    while not over and len(places) < 50:
        action, _ = agent.predict(state, deterministic=True)
        state, _, terminated, truncated, _ = env.step(action)
        places.append(int(state))
        over = terminated or truncated
    picture(axes, frame)
    side = np.asarray(frame).shape[0] / 4
    rows, columns = np.divmod(np.array(places), 12)
    axes.plot((columns + 0.5) * side, (rows + 0.5) * side, color=colour, linewidth=4)
    return len(places) - 1


def draw() -> Figure:
    """Draw both greedy paths, one above the other, and the returns while learning."""
    figure = Figure(figsize=(10.5, 4.0), dpi=110)
    places = figure.add_gridspec(2, 2, width_ratios=(1.15, 1))
    curves = figure.add_subplot(places[:, 1])
    figure.suptitle(f"Along the cliff, {SEEDS} seeds")
    lines, bands = [], []
    for row, (name, label) in enumerate({"sarsa": "SARSA", "q-learning": "Q-learning"}.items()):
        found = [learned(name, seed) for seed in range(SEEDS)]
        axes = figure.add_subplot(places[row, 0])
        axes.set_title(f"{label}: {walk(axes, found[0][0], COLOURS_OF[name])} steps")
        returns = np.stack([mean for _, mean in found])
        band(curves, GRID, returns, COLOURS_OF[name], f"{label}, median and range")
        lines += [*np.median(returns, 0)]
        bands += [*returns.ravel()]
    curves.set(xlabel="environment steps", ylabel=f"return, mean of {WINDOW} episodes")
    curves.set_title("while learning")
    count_steps(curves)
    limit(curves, lines, bands, [-13.0])
    reference(curves, -13.0, "best: 13 steps")
    curves.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    begin.demo(draw)
