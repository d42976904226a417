"""Data from environments: what they show while somebody plays them."""

import itertools
import sys
from collections.abc import Container, Iterator, Mapping
from contextlib import closing
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, NamedTuple, Protocol

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import SyncVectorEnv, VectorEnv
from numpy.typing import NDArray

from nets.foreign import blaming
from nets.process.seeding import hash31, seeded
from nets.returned import Returned

from .dataset import Dataset
from .guarded import guarded
from .making import making, qualified
from .pictures import channels_first, resized

Array = NDArray[Any]

ACTORS = "dreamgym.actors"  # entry points that load who acts from a run folder
KNOWN = {"envs", "envs.minatar", "ale_py"}  # modules of worlds that any file may name
FRAMES = 10_000
NUM_ENVS = 16


class Actor(Protocol):
    """Who plays: an agent of ours, a model of Stable-Baselines3, ...

    One with a true attribute `masks` is told which actions are allowed, as `action_masks`.
    """

    def predict(
        self, observation: Any, state: Any, episode_start: Array, deterministic: bool
    ) -> tuple[Any, Any]:
        """Return actions `[N, ...]` and the next state of the memory."""


def foreign(where: str, imported: Container[str] = sys.modules) -> str | None:
    """Return the environment of `ENV_ID` or `ENV_ID@RUN` if making it would run unknown code.

    Args:
        where: what a file names.
        imported: modules that the program itself has chosen to import.
    """
    env_id = where.partition("@")[0]
    module = env_id.rpartition(":")[0]
    return env_id if module and module not in KNOWN and module not in imported else None


def load_frames(
    where: str,
    *,
    size: int | None = None,
    limit: int | None = None,
    seed: int = 0,
    trust: bool = False,
) -> Dataset:
    """Collect what an environment draws of itself; see `collect`.

    Args:
        where: `ENV_ID`, played at random, or `ENV_ID@RUN`, played by the agent of a run folder.
        size: side of the pictures in pixels; their own by default.
        limit: how many, 10,000 by default.
        seed: of environment and player.
        trust: whether the run's own environment may be of any module.
    """
    return _load("frames", where, size, limit, seed, trust)


def load_observations(
    where: str,
    *,
    size: int | None = None,
    limit: int | None = None,
    seed: int = 0,
    trust: bool = False,
) -> Dataset:
    """Collect an environment's observations, which are pictures; arguments of `load_frames`."""
    return _load("observations", where, size, limit, seed, trust)


def _load(
    kind: str, where: str, size: int | None, limit: int | None, seed: int, trust: bool
) -> Dataset:
    env_id, _, run = where.partition("@")
    if not env_id:
        raise ValueError(f"{kind}:{where} names no environment: expected {kind}:ENV_ID")
    module = qualified(env_id).rpartition(":")[0]
    if module:
        import_module(module)  # so that the run may act in the very world that is named
    return collect(
        env_id,
        FRAMES if limit is None else limit,
        actor=load_actor(run, trust=trust) if run else None,
        observations=kind == "observations",
        size=size,
        seed=seed,
        name=f"{kind}:{where}",
    )


def collect(
    env_id: str,
    count: int,
    *,
    actor: Actor | None = None,
    observations: bool = False,
    size: int | None = None,
    seed: int = 0,
    name: str = "",
) -> Dataset:
    """Play environments side by side and keep a picture of every moment.

    Args:
        env_id: `Name-v0`, or `module:namespace/Name-v0` where a module registers it.
        count: how many pictures, the first moment of every episode included.
        actor: who plays, not greedily; uniformly random actions by default.
        observations: keep the observations instead of what `render()` draws.
        size: side of the pictures in pixels; their own by default.
        seed: environment k is seeded with `seed + k`, all other chance with `seed`.
        name: of the data set.

    Returns:
        Pictures uint8 `[count, C, H, W]`, moment by moment, environment by environment; taken to be
        exhaustive, as of a small world nearly all moments are seen.

    Raises:
        gymnasium.error.Error: there is no such environment; the nearest is suggested.
        ValueError: it does not draw, or its observations are no pictures; or `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"{name or env_id}: {count} pictures, expected at least 1")
    num_envs = min(NUM_ENVS, count)
    kept, pictures = 0, []
    with seeded(seed), closing(make_vec(env_id, num_envs, draw=not observations)) as world:
        if observations:
            check_pictures(env_id, world.single_observation_space)
        for seen in play(world, actor, seed):
            shown = seen.observation if observations else drawn(world)
            moment = channels_first(shown[: count - kept])
            if size is not None:
                moment = resized(moment, size, size)
            pictures.append(moment)
            kept += len(moment)
            if kept == count:
                break
    return Dataset(name or env_id, torch.cat(pictures).contiguous(), exhaustive=True)


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
    """
    rng, count = np.random.default_rng(hash31(seed, "exploration")), world.num_envs
    space = world.single_action_space
    world.action_space.seed(seed)
    with blaming(f"the environment {world}, in its reset"):
        observation, info = world.reset(seed=seed)
    begins, none = np.ones(count, bool), np.zeros(count, bool)
    yield Moment(observation, begins, None, np.zeros(count), none, none)
    state, over, told = None, none, Returned(str(world))
    for told.steps in itertools.count(count, count):
        action = world.action_space.sample()
        if actor is not None:
            explores = rng.random(count) < exploration
            masks: dict[str, Any] = {}
            if getattr(actor, "masks", False):
                mask = masks["action_masks"] = allowed(world, info)
                explores &= mask[np.arange(count), action - getattr(space, "start", 0)]
            chosen, state = actor.predict(observation, state, begins, deterministic=False, **masks)
            action = np.where(explores.reshape(-1, *[1] * (action.ndim - 1)), action, chosen)
        with blaming(f"the environment {world}, in its step after {told.steps} steps"):
            observation, reward, terminated, truncated, info = world.step(action)
        reward = told.rewards(reward, count)
        terminated, truncated = told.flags(terminated, count), told.flags(truncated, count)
        begins, over = over, terminated | truncated
        yield Moment(observation, begins, action, reward, terminated, truncated)


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


def check_pictures(name: str, space: gym.Space) -> None:
    """Raise unless observations of `space` are pictures, uint8 `[H, W]` or `[H, W, C]`.

    Raises:
        ValueError: they are not.
    """
    if not is_picture(space):
        message = f"observations of {name} are {space}"
        raise ValueError(f"{message}, expected uint8 pictures [H, W] or [H, W, C]")


def is_picture(space: gym.Space) -> bool:
    """Whether observations are pictures, uint8 `[H, W]` or `[H, W, C]` with 1, 3 or 4 channels."""
    if not isinstance(space, gym.spaces.Box) or space.dtype != np.uint8:
        return False
    return len(space.shape) == 2 or (len(space.shape) == 3 and space.shape[2] in (1, 3, 4))


def load_actor(run: str, *, trust: bool = False) -> Actor:
    """Load who acts from a run folder, by the installed entry point.

    Args:
        run: the folder.
        trust: whether its environment may be of any module.

    Raises:
        ValueError: nothing that is installed can load agents.
        FileNotFoundError: there is no such run.
    """
    for entry in entry_points(group=ACTORS):
        return entry.load()(run, **({"trust": True} if trust else {}))
    raise ValueError(f"cannot load {run}: no installed package has an entry point {ACTORS!r}")
