"""One way to step environments, single or side by side, whatever their autoreset mode."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, Protocol

import gymnasium as gym
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, VectorEnv

from nets.foreign import blaming
from nets.returned import InvalidExperience
from nets.warned import warn

from .door import Array, Door
from .masks import Masks, Telling
from .raw_returns import KEY, metered, metered_vector, raw_return, raw_returns
from .workers import GONE, what_ended


class Step(NamedTuple):
    """What one step of N environments gave, whatever their autoreset mode."""

    observation: Array  # [N, *] to act on next
    reward: Array  # [N]
    terminated: Array  # [N] bool
    truncated: Array  # [N] bool
    next_observation: Array  # [N, *] what the action led to, also where an episode ended
    valid: Array  # [N] bool, False where the step only reset
    next_mask: Array | None = None  # [N, A] bool, which actions `next_observation` allows
    raw_return: Array | None = None  # [N] of the episode so far, by the world's own rewards


class Stepper(Protocol):
    """N environments that are reset once and stepped for ever.

    Attributes:
        num_envs: N.
        mask: which actions the observations to act on next allow, bool `[N, A]`; None where masks
            are not read.
    """

    num_envs: int
    mask: Array | None

    def reset(self, seed: int, steps: int = 0) -> Array:
        """Begin the first episodes; `[N, *observation]`. Errors count on from `steps`."""

    def step(self, action: Array) -> Step:
        """Step all environments, beginning a new episode where one ended."""

    def close(self) -> None:
        """Release the environments."""


@cache
def all_valid(count: int) -> Array:
    """Return `valid` of `count` rows that all are transitions: the same array, read-only."""
    valid = np.ones(count, bool)
    valid.setflags(write=False)
    return valid


class SingleStepper:
    """One environment seen as a row of one; cheaper than a vector environment of one."""

    num_envs = 1

    def __init__(
        self, env: gym.Env, name: str = "", owned: bool = True, *, masks: bool = False
    ) -> None:
        self.env = Telling(metered(env)) if masks else metered(env)
        self._door = Door(name or str(env), env.observation_space)
        self._masks = Masks(self._door, env.action_space) if masks else None
        self.mask: Array | None = None
        self._owned = owned
        self._metered = False
        self._valid = all_valid(1)
        self._discrete = isinstance(env.action_space, gym.spaces.Discrete)
        self._dtype = env.action_space.dtype

    def reset(self, seed: int, steps: int = 0) -> Array:
        """Reset with `seed`; `[1, *observation]`."""
        self._door.steps = steps
        self.env.action_space.seed(seed)
        with blaming(self._door.place("reset")):
            result = self.env.reset(seed=seed)
        observation, info = self._door.begun(result)
        self._metered = KEY in self._door.info(info)
        if self._masks is not None:
            self.mask = self._masks.of_one(info)
        return self._door.observation(observation)

    def step(self, action: Array) -> Step:
        """Step, and reset at once where the episode ended."""
        door = self._door
        chosen = int(action[0]) if self._discrete else action[0].astype(self._dtype)  # a copy
        try:
            result = self.env.step(chosen)
        except BaseException as error:
            raise door.raised(error, "step")  # noqa: B904
        door.steps += 1
        observation, reward, terminated, truncated, info = door.stepped(result)
        if not (type(terminated) is type(truncated) is bool):
            terminated, truncated = door.flag(terminated), door.flag(truncated)
        after = here = door.observation(observation)
        last, over = door.info(info), terminated or truncated
        if over:
            with blaming(door.place("reset")):
                begun = self.env.reset()
            first, info = door.begun(begun)
            door.info(info)
            here = door.observation(first)
        flags, next_mask = np.array([[terminated], [truncated]], bool), None
        if self._masks is not None:
            self.mask = next_mask = self._masks.of_one(info)
            if over:
                next_mask = self._masks.last(self._masks.all(1), [last], flags[1] & ~flags[0])
        own = raw_return(last) if self._metered else None
        return Step(
            here, door.reward(reward), flags[0], flags[1], after, self._valid, next_mask, own
        )

    def close(self) -> None:
        """Close the environment if the stepper made it."""
        if self._owned:
            with blaming(self._door.place("close")):
                self.env.close()


class VectorStepper:
    """A vector environment in any autoreset mode."""

    def __init__(
        self, env: VectorEnv, name: str = "", owned: bool = True, *, masks: bool = False
    ) -> None:
        self.env, self.num_envs = metered_vector(env), env.num_envs
        self._door = Door(name or str(env), env.single_observation_space)
        self._masks = Masks(self._door, env.single_action_space, env) if masks else None
        self.mask: Array | None = None
        self._owned = owned
        self._metered, self._mode = False, autoreset_mode(env)
        self._valid = self._all_valid = all_valid(env.num_envs)  # in the next step
        self._dtype = env.action_space.dtype

    def reset(self, seed: int, steps: int = 0) -> Array:
        """Reset all environments, number k with `seed + k`; `[N, *observation]`."""
        self._door.steps = steps
        self._valid = self._all_valid
        self.env.action_space.seed(seed)
        try:
            result = self.env.reset(seed=seed)
        except BaseException as error:
            raise self._raised(error, "reset")  # noqa: B904
        observation, info = self._door.begun(result)
        info = self._door.infos(info, self.num_envs)
        self._metered = KEY in info
        if self._masks is not None:
            self.mask = self._masks.of_many(info, self._all_valid)
        return self._door.observations(observation, self.num_envs)

    def step(self, action: Array) -> Step:
        """Step; final observations are put where they belong, reset-only rows marked."""
        door, count = self._door, self.num_envs
        try:
            result = self.env.step(action.astype(self._dtype))  # a copy, which they may change
        except BaseException as error:
            raise self._raised(error, "step")  # noqa: B904
        door.steps += count
        seen, reward, terminated, truncated, info = door.stepped(result)
        info = door.infos(info, count)
        observation = after = door.observations(seen, count)
        terminated, truncated = door.flags(terminated, count), door.flags(truncated, count)
        over = terminated | truncated
        valid, self._valid = self._valid, self._all_valid
        own = raw_returns(info, count) if self._metered else None
        mask, masks = None, self._masks
        if masks is not None:
            self.mask = mask = masks.of_many(info, ~over)
        if np.count_nonzero(over):  # in a third of the time of `any`
            final = info.get("final_obs", info.get("final_observation"))
            same = self._mode is AutoresetMode.SAME_STEP or (not self._mode and final is not None)
            if not (self._mode or same):
                message = "begins new episodes, and says not when: in the step after an end, it is"
                expected = "metadata['autoreset_mode'] tells, or final_obs in its infos"
                warn(f"{door.name} {message} assumed; {expected}")
            if masks is not None and mask is not None:
                told = info.get("final_info") if same else info
                last = masks.last(mask, told, truncated & ~terminated, gone=same)
            if self._mode is AutoresetMode.DISABLED:
                observation, info = self._begin(observation, over)
            elif same:
                after = self._ended(observation, final, over)
            else:
                self._valid = ~over
            if masks is not None and mask is not None:
                begun = masks.of_many(info, over & self._valid)
                self.mask, mask = np.where(over[:, None], begun, mask), last
        rewards = door.rewards(reward, count)
        return Step(observation, rewards, terminated, truncated, after, valid, mask, own)

    def _raised(self, error: BaseException, method: str) -> BaseException:
        """Return what to raise for an error of the environments, also of a process that ended."""
        inner = self.env.unwrapped
        if isinstance(error, GONE) and isinstance(inner, AsyncVectorEnv):
            error = what_ended(inner)
        return self._door.raised(error, method)

    def _ended(self, observation: Array, final: Any, over: Array) -> Array:
        """Return the observations that the actions led to, where `final` has those of the ended."""
        if final is None:
            message = "info has no final_obs, as it must where episodes begin in the step that ends"
            raise InvalidExperience(f"{self.env}: {message}")
        rows, after = over.nonzero()[0], observation.copy()
        for count in _lengths(final):
            if count != self.num_envs:
                expected = f"{self.num_envs}, one for each environment"
                self._door.refuse("final_obs of length", count, expected)
        after[rows] = self._door.listed([_row(final, int(k)) for k in rows])
        return after

    def _begin(self, observation: Array, over: Array) -> tuple[Array, dict[str, Any]]:
        """Begin new episodes in the rows `over` of environments that leave that to their caller."""
        with blaming(self._door.place("reset")):
            result = self.env.reset(options={"reset_mask": over})
        fresh, info = self._door.begun(result)
        begun = self._door.observations(fresh, self.num_envs)
        if not np.array_equal(begun[~over], observation[~over]):
            message = "its reset takes no heed of reset_mask, and disturbs episodes that go on"
            raise InvalidExperience(f"{self.env} is in autoreset mode DISABLED, but {message}")
        return begun, self._door.infos(info, self.num_envs)

    def close(self) -> None:
        """Close the environments if the stepper made them."""
        if self._owned:
            with blaming(self._door.place("close")):
                self.env.close()


def _row(batch: Any, k: int) -> Any:
    """Return what environment `k` has in a batch, which may be of columns."""
    if isinstance(batch, tuple):
        return tuple(_row(column, k) for column in batch)
    if isinstance(batch, dict):
        return {name: _row(column, k) for name, column in batch.items()}
    return batch[k]


def _lengths(batch: Any) -> Iterator[int]:
    """Yield of how many environments a batch is, or each of its columns."""
    if isinstance(batch, tuple | dict):
        for column in batch.values() if isinstance(batch, dict) else batch:
            yield from _lengths(column)
    else:
        yield len(batch) if isinstance(batch, list) or np.ndim(batch) else 0


def autoreset_mode(env: VectorEnv) -> AutoresetMode | None:
    """Return when a vector environment begins new episodes, however it says so; None: unsaid."""
    said = env.metadata.get("autoreset_mode")
    if said is None or isinstance(said, AutoresetMode):
        return said
    known = {mode.name.replace("_", "").lower(): mode for mode in AutoresetMode}
    name = str(said).rpartition(".")[2].replace("_", "").replace("-", "").lower()
    if name not in known:
        names = ", ".join(mode.name for mode in AutoresetMode)
        raise ValueError(f"{env} has the autoreset mode {said!r}: expected one of {names}")
    return known[name]
