"""What an agent learns, loses and does has to be finite: with anything else nothing goes on."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from nets.runs.divergence import Diverged as Diverged
from nets.runs.divergence import cure, find_not_finite

from ..environments.spaces import is_finite
from .experience import Array, Metrics

if TYPE_CHECKING:
    from .actor import Actor

INVALID = "found invalid values"
"""What torch says of a distribution whose parameters are not finite."""


def diverged(agent: "Actor", what: str) -> Diverged:
    """Return the error of an agent of whom `what` is no longer finite."""
    where = f"{agent.name} on {agent.source.name} diverged at step {agent.steps}"
    return Diverged(f"{where}: {what}; {cure(agent.config, 'smaller rewards')}")


def require_finite(agent: "Actor") -> None:
    """Raise `Diverged` where anything that `agent` has learned is not finite."""
    name = find_not_finite(agent.state_dict())
    if name is not None:
        raise diverged(agent, f"{name} is not finite")


def require_finite_losses(agent: "Actor", metrics: Metrics) -> None:
    """Raise `Diverged` where a loss is not finite; other metrics may have no value at times."""
    for name, value in metrics.items():
        if name.endswith("loss") and not math.isfinite(value):
            raise diverged(agent, f"{name} is {value}")


def require_finite_action(agent: "Actor", action: Array) -> None:
    """Raise `Diverged` where floats `[N, *action]` are not finite: no world is to see them."""
    if not is_finite(action):
        require_finite(agent)  # it names what the action comes from
        raise diverged(agent, f"its action is {action[~np.isfinite(action)][0]}")


def require_finite_outputs(agent: "Actor", outputs: Array) -> None:
    """Raise `Diverged` where what a network says `[N, *]` is not finite: no action follows."""
    if not is_finite(outputs):
        require_finite(agent)  # it names what the outputs come from
        raise diverged(agent, "what its network says of an observation is not finite")


@contextmanager
def answerable(agent: "Actor") -> Iterator[None]:
    """Tell whatever fails of an agent that is not finite as that: `Diverged`."""
    try:
        yield
    except Diverged:
        raise
    except Exception as error:
        require_finite(agent)
        if isinstance(error, ValueError) and INVALID in str(error):
            raise diverged(agent, "the distribution of its actions is not finite") from error
        raise
