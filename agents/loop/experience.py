"""What passes between an actor and its environments."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

Array = NDArray[Any]


Metrics = Mapping[str, Any]


class Transition(NamedTuple):
    """One step of N environments side by side.

    `next_observation` is the last observation of the episode where one ends, never the first of
    the next. There is no `done`: `terminated` cuts the bootstrap, `truncated` does not.
    """

    observation: Array  # [N, *observation]
    action: Array  # [N, *action]
    reward: Array  # [N]
    next_observation: Array  # [N, *observation]
    terminated: Array  # [N] bool
    truncated: Array  # [N] bool
    valid: Array  # [N] bool, False where the step only reset
    extras: Mapping[str, Array]  # what `act` computed: log-probabilities, values, ...
    mask: Array | None = None  # [N, A] bool, which actions `observation` allows; None: all
    next_mask: Array | None = None  # [N, A] likewise of `next_observation`


class Episode(NamedTuple):
    """A finished episode: when it ended, what it returned (undiscounted), how long it was."""

    step: int
    total_reward: float
    length: int
    raw_return: float | None = None
    """By the environment's own rewards, where wrappers change them."""


class Stream(Protocol):
    """A source of experience that an agent learns from, one segment long."""

    episodes: list[Episode]

    def advance(self, steps: int, *, last: bool = False) -> Metrics | None:
        """Take `steps` environment steps; `last`: the segment ends, open episodes are truncated."""

    def close(self) -> None:
        """Release the environments."""
