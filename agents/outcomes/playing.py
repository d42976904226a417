"""What an agent looks like at play: every moment of its episodes as a picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nets.foreign import blaming
from nets.kinds import Count
from nets.settings import required

from ..environments.door import Door
from ..environments.limits import step_limit
from ..environments.masks import Masks, Telling

if TYPE_CHECKING:
    import gymnasium as gym

    from ..environments.source import EnvSource
    from ..loop.actor import Actor

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Frame:
    """One moment of an episode."""

    picture: Picture  # [H, W, 3]
    episode: int
    step: int
    total_reward: float


def make_drawn(source: "EnvSource") -> "gym.Env":
    """Make the environment so that it draws itself as pictures.

    Raises:
        ValueError: it cannot.
    """
    plain = source.make()
    modes = plain.metadata.get("render_modes") or []
    plain.close()
    if "rgb_array" not in modes:
        message = f"{source.name} cannot be drawn: its render modes are {modes}"
        raise ValueError(f"{message}, expected 'rgb_array' among them")
    return source.make(render_mode="rgb_array")


def show_thoughts(agent: "Actor", env: "gym.Env") -> None:
    """Let the environment draw the agent's values and policy, where the two have that."""
    world = env.unwrapped
    overlay = getattr(world, "overlay", getattr(getattr(world, "dynamics", None), "overlay", None))
    thoughts = {name: getattr(agent, name, None) for name in ("values", "policy")}
    if overlay is not None and all(isinstance(table, np.ndarray) for table in thoughts.values()):
        overlay(**thoughts)


def frame_rate(env: "gym.Env") -> int:
    """Return how many frames of an environment are meant to be seen in a second."""
    return int(env.metadata.get("render_fps") or 30)


def play(
    agent: "Actor",
    env: "gym.Env",
    *,
    episodes: int = 1,
    seed: int = 0,
    max_steps: int | None = None,
) -> Iterator[Frame]:
    """Let `agent` play whole episodes greedily; yield every moment, the first and last included.

    Args:
        agent: the player.
        env: what `make_drawn` made; the first episode starts from `seed`.
        episodes: how many to play.
        seed: of the environment.
        max_steps: steps after which an episode is cut off; by default 1000, or the environment's
            own time limit where that is longer.

    Raises:
        InvalidExperience: the environment returned what is no reward, no flag or no mask.
        ValueError: `episodes` or `max_steps` is no whole number above 0.
    """
    required("episodes", episodes, Count)
    limit = step_limit(env.spec, max_steps)
    show_thoughts(agent, env)
    door = Door(str(env), env.observation_space)
    masks = Masks(door, env.action_space) if agent.masks else None
    world = env if masks is None else Telling(env)
    for episode in range(episodes):
        with blaming(f"the environment {env}, in its reset"):
            observation, info = world.reset(seed=None if episode else seed)
        step, total, over = 0, 0.0, False
        state, start = None, np.ones(1, bool)
        yield Frame(draw(env), episode, step, total)
        while not over:
            allowed = None if masks is None else masks.of_one(info)
            action, state = agent.predict(observation, state, start, True, allowed)
            with blaming(f"the environment {env}, in its step after {step} steps"):
                observation, reward, terminated, truncated, info = world.step(action)
            door.steps += 1
            step, total = step + 1, total + float(door.reward(reward)[0])
            over = door.flag(terminated) | door.flag(truncated) or step >= limit
            start = np.zeros(1, bool)
            yield Frame(draw(env), episode, step, total)


def draw(env: "gym.Env") -> Picture:
    """Return a picture `[H, W, 3]` of what an environment made by `make_drawn` shows now.

    Raises:
        ValueError: it shows something else.
    """
    with blaming(f"the environment {env}, in its render"):
        shown: Any = env.render()
    if np.ndim(shown) != 3:
        raise ValueError(f"{env} drew {type(shown).__name__}: expected a picture [H, W, 3]")
    return np.asarray(shown, np.uint8)
