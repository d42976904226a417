"""Which actions a world allows, read at the door: masks, True where an action may be taken.

Worlds say it in `info["action_mask"]`, as Gymnasium's Taxi does, or by a method `action_masks()`,
as sb3-contrib asks them. A mask has one place for every action; of several discrete choices, those
of the first come first.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, NoReturn

import gymnasium as gym
import numpy as np

from nets.returned import InvalidExperience, as_array
from nets.warned import warn

from .door import Array, Door

KEY = "action_mask"


def choices(space: gym.Space) -> list[int]:
    """Return among how many actions each choice of `space` is; a mask has the sum of them.

    Raises:
        TypeError: the space is neither Discrete nor MultiDiscrete.
    """
    match space:
        case gym.spaces.Discrete():
            return [int(space.n)]
        case gym.spaces.MultiDiscrete():
            return [int(count) for count in space.nvec.flat]
    raise TypeError(f"the actions are {space}: only Discrete and MultiDiscrete ones can be masked")


def as_masks(space: gym.Space, masks: Any, count: int) -> Array:
    """Return masks `[A]` or `[count, A]` that somebody gave for actions of `space`, `[count, A]`.

    Raises:
        ValueError: they have another shape or other values, or one of them allows nothing.
        TypeError: actions of the space cannot be masked.
    """
    sizes = choices(space)
    rows = np.asarray(masks)
    rows = rows[None] if rows.ndim == 1 else rows
    if rows.shape != (count, sum(sizes)):
        raise ValueError(
            f"action_masks has shape {np.shape(masks)}: expected {(count, sum(sizes))}"
        )
    allowed = rows.astype(bool)
    if np.count_nonzero(allowed != rows) or not _some(allowed, sizes).all():
        raise ValueError(f"action_masks is {masks}: expected zeros and ones, not all of them zeros")
    return allowed


class Masks:
    """Takes masks in through a door.

    Args:
        door: who refuses what is no mask.
        space: of the actions of one environment.
        env: who is asked where infos do not tell, a vector environment; None: nobody.
    """

    def __init__(
        self, door: Door, space: gym.Space, env: gym.vector.VectorEnv | None = None
    ) -> None:
        self._door, self._env = door, env
        self._sizes = choices(space)
        self.size = sum(self._sizes)

    def all(self, count: int) -> Array:
        """Return masks that allow everything, `[count, A]`."""
        return np.ones((count, self.size), bool)

    def of_one(self, info: Mapping[str, Any]) -> Array:
        """Return the mask that the info of one environment tells, `[1, A]`.

        Raises:
            InvalidExperience: it tells none, or no mask, or one that allows nothing.
        """
        value = info.get(KEY)
        if value is None:
            self._refuse()
        return self._allowing([value])

    def of_many(self, info: Mapping[str, Any], needed: Array) -> Array:
        """Return the masks of N environments `[N, A]`; those not `needed`, bool `[N]`, allow all.

        Raises:
            InvalidExperience: see `of_one`.
        """
        rows, places = self.all(len(needed)), needed.nonzero()[0]
        if len(places):
            values = self._told(info, len(needed))
            told = [_at(values, int(k)) for k in places]
            if any(value is None for value in told):
                self._refuse()
            rows[places] = self._allowing(told)
        return rows

    def last(self, rows: Array, info: Any, cut: Array, *, gone: bool = False) -> Array:
        """Return `rows` `[N, A]` with what is told of the last observations of cut episodes.

        An episode that was truncated goes on with a value, which is one of allowed actions. Where
        the world does not tell them any more, or allows nothing, all count, with a warning.

        Args:
            rows: masks.
            info: of N environments, or one each; None tells nothing.
            cut: bool `[N]`, where an episode was truncated, and not terminated.
            gone: whether these environments have begun their next episode, and cannot be asked.
        """
        if not np.count_nonzero(cut):
            return rows
        rows, values = rows.copy(), self._told(info, len(rows), asks=not gone)
        for k in cut.nonzero()[0]:
            value = _at(values, int(k))
            allowed = self.all(1) if value is None else self._bools([value])
            if value is None or not _some(allowed, self._sizes).all():
                message = f"{self._door.name} tells no mask where an episode was truncated"
                warn(f"{message}: the value there is one of all actions")
                allowed[:] = True
            rows[k] = allowed[0]
        return rows

    def _told(self, info: Any, count: int, *, asks: bool = True) -> Sequence[Any]:
        """Return one mask for each environment, None where there is none; or none at all."""
        values = self._found(info, asks)
        if len(values) not in (0, count):
            expected = f"{count}, one for each environment"
            self._door.refuse("action masks of length", len(values), expected)
        return values

    def _found(self, info: Any, asks: bool) -> Sequence[Any]:
        if info is None:
            return ()
        if not isinstance(info, Mapping):  # one info for each
            return [None if each is None else each.get(KEY) for each in info]
        if KEY in info:
            masks, flags = info[KEY], info.get(f"_{KEY}")
            if flags is None:
                return masks
            return [mask if flag else None for mask, flag in zip(masks, flags, strict=False)]
        return self._asked() if asks else ()

    def _asked(self) -> Sequence[Any]:
        """Ask the environments themselves, if they have the method."""
        inner = None if self._env is None else self._env.unwrapped
        own, call = getattr(inner, "action_masks", None), getattr(inner, "call", None)
        try:
            return own() if own is not None else call("action_masks") if call is not None else ()
        except AttributeError:  # what it calls has no such method
            return ()

    def _allowing(self, values: Sequence[Any]) -> Array:
        allowed = self._bools(values)
        some = _some(allowed, self._sizes)
        if np.count_nonzero(some) < len(some):
            empty = allowed[~some][0].astype(int)
            self._door.refuse("the action mask", empty, "at least one action that is allowed")
        return allowed

    def _bools(self, values: Sequence[Any]) -> Array:
        """Return masks in the form of the house, bool `[len(values), A]`."""
        rows = [_flat(value) for value in values]
        for row in rows:
            if row.shape != (self.size,):
                self._door.refuse("an action mask of shape", row.shape, f"({self.size},)")
        given = np.stack(rows)
        allowed = given.astype(bool)
        if np.count_nonzero(allowed != given):
            wrong = given[(allowed != given).any(axis=1)][0]
            self._door.refuse("the action mask", wrong, "zeros and ones")
        return allowed

    def _refuse(self) -> NoReturn:
        message = f"{self._door.name} told no action mask at step {self._door.steps}"
        expected = f"info[{KEY!r}] or a method action_masks(), or mask_actions=False"
        raise InvalidExperience(f"{message}: expected {expected}")


def random_action(env: gym.Env | gym.vector.VectorEnv, info: Mapping[str, Any]) -> Any:
    """Return a random action of an environment, or of N, among those that its info allows."""
    if KEY not in info:
        return env.action_space.sample()
    if isinstance(env, gym.vector.VectorEnv):
        return np.array([_drawn(env.single_action_space, mask) for mask in info[KEY]])
    return _drawn(env.action_space, info[KEY])


def _drawn(space: gym.Space, mask: Any) -> Any:
    sizes, flat = choices(space), _flat(mask).astype(np.int8)
    parts = tuple(np.split(flat, [*accumulate(sizes)][:-1]))
    return space.sample(mask=parts[0] if isinstance(space, gym.spaces.Discrete) else parts)


class Telling(gym.Wrapper):
    """Puts into `info["action_mask"]` what an environment's method `action_masks()` says."""

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        asks = env.has_wrapper_attr("action_masks")
        self._ask = env.get_wrapper_attr("action_masks") if asks else None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset, and tell."""
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, self._telling(info)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, and tell, unless nothing follows."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        told = info if terminated else self._telling(info)
        return observation, reward, terminated, truncated, told

    def _telling(self, info: dict[str, Any]) -> dict[str, Any]:
        if KEY in info or self._ask is None:
            return info
        return info | {KEY: self._ask()}


def _some(allowed: Array, sizes: Sequence[int]) -> Array:
    """Whether masks `[N, A]` allow something of every choice, `[N]`."""
    starts = [0, *accumulate(sizes[:-1])]
    return np.logical_and.reduce(np.logical_or.reduceat(allowed, starts, axis=1), axis=1)


def _at(values: Sequence[Any], k: int) -> Any:
    return values[k] if k < len(values) else None


def _flat(value: Any) -> Array:
    """Return a mask as an array; of several choices, one may come for each, as `sample` has it."""
    if isinstance(value, tuple | list):
        parts = [np.ravel(as_array(part)) for part in value]
        return np.concatenate(parts) if parts else np.zeros(0)
    return as_array(value)
