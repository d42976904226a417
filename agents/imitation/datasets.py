"""Demonstrations as data sets of Minari: read to be imitated, written of an agent's episodes."""

import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import gymnasium as gym
import numpy as np

from nets.extras import require_extra
from nets.kinds import Count, Seed
from nets.process.seeding import seeded
from nets.settings import required

from ..agent import Agent
from ..environments.limits import step_limit
from ..environments.plain import NUMBERS
from ..environments.spaces import holds_floats
from ..environments.stepping import Stepper
from ..loop.experience import Array, Episode
from .claims import require_extent

if TYPE_CHECKING:
    from minari import EpisodeData, MinariDataset
    from minari.data_collector import EpisodeBuffer

ROWS = gym.spaces.Box | gym.spaces.Discrete | gym.spaces.MultiDiscrete | gym.spaces.MultiBinary


class Recorded(NamedTuple):
    """What somebody did, step by step, in the order of the data set."""

    observation: Array  # [N, *observation]
    action: Array  # [N]
    episode: Array  # [N] int64, number of the episode
    reward: Array  # [N] float64
    last: Array  # [N] bool, the last step of an episode

    def episodes(self, first: int, end: int, step: int) -> Iterator[Episode]:
        """Yield the episodes that end within the rows `first` to `end`, read from `step` on."""
        for k in self.last[first:end].nonzero()[0] + first:
            rows = self.episode == self.episode[k]
            total = float(self.reward[rows].sum())
            yield Episode(step + int(k) - first + 1, total, int(rows.sum()))


def read_demonstrations(name: str, observations: gym.Space, actions: gym.Space) -> Recorded:
    """Read a data set that is on this machine, for a world of these spaces.

    Raises:
        ModuleNotFoundError: Minari is not installed.
        FileNotFoundError: there is no such data set here.
        ValueError: that is no name of one; or it is damaged, of another kind of world, or holds
            what is not in its spaces.
    """
    minari = _minari()
    _require_id(name)
    from minari.storage.datasets_root_dir import get_dataset_path

    with _told(name), _quiet():
        if (folder := get_dataset_path(name) / "data").exists():
            require_extent(folder)
        data: MinariDataset = minari.load_dataset(name)
    theirs = data.observation_space, data.action_space
    if theirs[0].shape != observations.shape or theirs[1] != actions:
        message = f"{name} has observations {theirs[0]} and actions {theirs[1]}"
        raise ValueError(f"{message}, the world {observations} and {actions}")
    parts = [
        _checked(name, k, each, observations, actions)
        for k, each in enumerate(_episodes(name, data))
    ]
    if not parts:
        raise ValueError(f"{name} holds no episodes")
    return Recorded(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def write_demonstrations(
    agent: Agent, name: str, episodes: int = 100, *, seed: int = 0, max_steps: int | None = None
) -> int:
    """Let an agent play whole episodes, greedily, and write them as a data set of Minari.

    Args:
        agent: who plays, in its own environment.
        name: of the data set, such as `cartpole/expert-v0`.
        episodes: how many.
        seed: of the first episode; the others follow.
        max_steps: steps after which an episode is cut off; see `agents.evaluate`.

    Returns:
        The number of steps.

    Raises:
        ModuleNotFoundError: Minari is not installed.
        TypeError: observations are dicts or tuples.
        ValueError: there is a data set of that name, or it is no name of one.
    """
    minari = _minari()
    _require_id(name)  # before anything is played
    episodes, seed = required("episodes", episodes, Count), required("seed", seed, Seed)
    source = agent.source.apart()
    spaces = source.observation_space, source.action_space
    if not all(isinstance(space, ROWS) for space in spaces):
        raise TypeError(f"{source.name} has the spaces {spaces}: expected arrays, or numbers")
    if name in minari.list_local_datasets():
        raise ValueError(f"there is a data set {name!r} already: name another version")
    limit = step_limit(source.known_spec, max_steps)
    with seeded(seed), closing(source.stepper(1, masks=agent.masks)) as stepper:
        played = [_play(agent, stepper, seed + k, limit) for k in range(episodes)]
    with _quiet():
        minari.create_dataset_from_buffers(
            name,
            played,
            env=source.spec,
            observation_space=spaces[0],
            action_space=spaces[1],
            algorithm_name=agent.name,
            description=f"{agent.name} of dreamgym after {agent.steps:,} steps, greedy",
            data_format="hdf5",
            jpeg_encoding=False,  # it loses
        )
    return sum(len(each.rewards) for each in played)


def _require_id(name: str) -> None:
    """Refuse what is no name of a data set; of one without a version Minari says nothing of use."""
    from minari.dataset.minari_dataset import parse_dataset_id

    try:
        parse_dataset_id(name)
    except (ValueError, TypeError) as error:
        expected = "a name and its version, such as cartpole/expert-v0"
        raise ValueError(f"the data set is {name!r}: expected {expected}") from error


def _play(agent: Agent, stepper: Stepper, seed: int, limit: float) -> "EpisodeBuffer":
    from minari.data_collector import EpisodeBuffer

    observation, state, start = stepper.reset(seed), None, np.ones(1, bool)
    seen, ends = [observation[0]], [(False, False)]
    done, rewards = list[Any](), list[float]()
    while not any(ends[-1]):
        action, state = agent.predict(observation, state, start, True, stepper.mask)
        step = stepper.step(action)
        cut = bool(step.truncated[0]) or (len(done) + 1 >= limit and not step.terminated[0])
        done.append(action[0])
        seen.append(step.next_observation[0])
        rewards.append(float(step.reward[0]))
        ends.append((bool(step.terminated[0]), cut))
        observation, start = step.observation, np.zeros(1, bool)
    terminated, truncated = map(list, zip(*ends[1:], strict=True))
    return EpisodeBuffer(
        seed=seed,
        observations=np.stack(seen),
        actions=np.stack(done),
        rewards=rewards,
        terminations=terminated,
        truncations=truncated,
        infos={},
    )


def _checked(
    name: str, number: int, episode: Any, observations: gym.Space, actions: gym.Space
) -> tuple[Array, ...]:
    """Return the columns of an episode, made ours.

    Raises:
        ValueError: it holds what is not in the world's spaces.
    """
    count = len(episode.rewards)
    seen, done = np.asarray(episode.observations)[:count], np.asarray(episode.actions)
    rewards = np.asarray(episode.rewards)
    floats = holds_floats(observations)
    right = (
        seen.shape == (count, *(observations.shape or ()))
        and done.shape == rewards.shape == (count,)
        and rewards.dtype.kind in NUMBERS
        and np.isfinite(rewards).all()
        and (np.isfinite(seen).all() if floats else all(map(observations.contains, seen)))
        and all(map(actions.contains, done))
    )
    if not right:
        raise ValueError(f"episode {number} of {name} holds what is not in the world's spaces")
    last = np.arange(count) == count - 1
    numbers = np.full(count, number)
    return seen.astype(observations.dtype), done, numbers, rewards.astype(float), last


def _episodes(name: str, data: "MinariDataset") -> "Iterator[EpisodeData]":
    with _told(name):
        yield from data


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Tell in a sentence what keeps Minari from reading a data set."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"there is no data set {name!r} here: minari download {name}"
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # a damaged file can make the reader fail in any way
        said = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"the data set {name!r} cannot be read: {said}") from error


def _minari() -> Any:
    require_extra("minari", "minari", "h5py")
    import minari

    return minari


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what Minari would rather know, such as an author's address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield
