"""Play worlds side by side, and yield every moment."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.vector import SyncVectorEnv, VectorEnv

from nets.foreign import blaming
from nets.process.seeding import hash31
from nets.returned import Returned

from .actors import Actor, Array
from .guarded import guarded
from .making import making, qualified


class Moment(NamedTuple):
    """A moment of N worlds side by side, and how each came to it."""

    observation: Array  # [N, *]
    begins: Array  # [N] bool: the first moment of an episode
    action: (
        Array | None
    )  # [N, *] that led here, of no effect where an episode begins; None at first
    reward: Array  # [N]
    terminated: Array  # [N] bool
    truncated: Array  # [N] bool


def play(
    world: VectorEnv, actor: Actor | None, seed: int, exploration: float = 0.0
) -> Iterator[Moment]:
    """Play for ever; yield every moment, the first included.

    Args:
        world: in autoreset mode NEXT_STEP: a step after an episode's last begins the next.
        actor: who acts, not greedily; uniformly random actions by default.
        seed: of the worlds, and of what is random in actions.
        exploration: the share of an actor's actions that are uniformly random instead.

    Raises:
        InvalidExperience: a reward is no finite number, or a flag neither true nor false.
        ValueError: the actor takes actions of another environment.
    """
    rng, count = np.random.default_rng(hash31(seed, "exploration")), world.num_envs
    space = world.single_action_space
    world.action_space.seed(seed)
    with blaming(f"the environment {world}, in its reset"):
        first = world.reset(seed=seed)
    told = Returned(str(world))
    observation, info = told.begun(first)
    begins, none = np.ones(count, bool), np.zeros(count, bool)
    yield Moment(observation, begins, None, np.zeros(count), none, none)
    state, over = None, none
    for told.steps in itertools.count(count, count):
        action = world.action_space.sample()
        if actor is not None:
            explores = rng.random(count) < exploration
            masks: dict[str, Any] = {}
            if getattr(actor, "masks", False):
                mask = masks["action_masks"] = allowed(world, info)
                explores &= mask[np.arange(count), action - getattr(space, "start", 0)]
            chosen, state = actor.predict(observation, state, begins, deterministic=False, **masks)
            _require_actions(space, chosen, action.shape)
            action = np.where(explores.reshape(-1, *[1] * (action.ndim - 1)), action, chosen)
        with blaming(f"the environment {world}, in its step after {told.steps} steps"):
            result = world.step(action.copy())  # which it may change
        observation, reward, terminated, truncated, info = told.stepped(result)
        reward = told.rewards(reward, count)
        terminated, truncated = told.flags(terminated, count), told.flags(truncated, count)
        begins, over = over, terminated | truncated
        yield Moment(observation, begins, action, reward, terminated, truncated)


def _require_actions(space: gym.Space, chosen: Any, shape: tuple[int, ...]) -> None:
    """Refuse what an agent of another environment does; where a Box ends is the world's to say."""
    found = np.asarray(chosen)
    if found.shape != shape:
        message = f"the agent's actions have the shape {found.shape}"
        raise ValueError(f"{message}: expected {shape}, of {space}")
    if isinstance(space, gym.spaces.Discrete):
        outside = (found < space.start) | (found >= space.start + space.n)
        if outside.any():
            raise ValueError(f"the agent's action {found[outside][0]} is none of {space}")


def allowed(world: VectorEnv, info: Mapping[str, Any]) -> Array:
    """Return which actions each environment allows, bool `[N, A]`; all where an episode is over."""
    inner: Any = world.unwrapped
    told = info["action_mask"] if "action_mask" in info else inner.call("action_masks")
    rows = np.array(list(told), bool)
    return rows | ~rows.any(axis=1, keepdims=True)


def make_vec(env_id: str, num_envs: int, *, draw: bool, **options: Any) -> VectorEnv:
    """Make environments side by side; with `draw`, `render()` returns a frame of each.

    `options` are arguments of the environment.

    Raises:
        gymnasium.error.Error: there is no such environment.
        ValueError: they are to draw themselves and cannot.
    """
    env_id = qualified(env_id)
    if not draw:
        return guarded(_vector(env_id, num_envs, options))
    with making(env_id, options):
        plain = gym.make(env_id, **options)
    with closing(plain):
        modes = plain.metadata.get("render_modes") or []
    if "rgb_array" not in modes:
        message = f"{env_id} cannot be drawn: its render modes are {modes}"
        raise ValueError(f"{message}, expected 'rgb_array' among them")
    options["render_mode"] = "rgb_array"
    world = _vector(env_id, num_envs, options)
    if "rgb_array" in (world.metadata.get("render_modes") or []):
        return guarded(world)
    world.close()
    return guarded(SyncVectorEnv([partial(gym.make, env_id, **options)] * num_envs))


def _vector(env_id: str, num_envs: int, options: dict[str, Any]) -> VectorEnv:
    with making(env_id, options):
        return gym.make_vec(env_id, num_envs, **options)


def drawn(world: VectorEnv) -> Array:
    """Return what each environment shows, uint8 `[N, H, W, 3]`."""
    with blaming(f"the environment {world}, in its render"):
        pictures = world.render()
    try:
        return np.asarray(pictures, np.uint8)
    except (TypeError, ValueError):
        message = f"{world} drew {type(pictures).__name__}"
        raise ValueError(f"{message}: expected pictures [N, H, W, 3] of one size") from None
