"""Numbers that change while something learns, as pure functions of the step.

torch's schedulers (`schedule`) count their own calls; what resumes at any step and trains in any
number of pieces asks these.
"""

import math
from contextlib import nullcontext
from typing import Any, Literal

from ..code import Lost, find, written
from ..foreign import blaming

Shape = Literal["constant", "linear", "cosine"]


def linear(step: int, start: float, end: float, steps: int) -> float:
    """Go linearly from `start` at step 0 to `end` at step `steps`, and stay there.

    value(t) = start + (end − start) · min(t / steps, 1)
    """
    return end if step >= steps else start + (end - start) * step / steps


def cosine(step: float, start: float, end: float, steps: int) -> float:
    """Go from `start` at step 0 to `end` at step `steps` along half a cosine, and stay there.

    value(t) = end + (start − end) · ½(1 + cos(π · min(t / steps, 1))) (Loshchilov & Hutter, 2017)
    """
    return end + (start - end) * (0.5 * (1.0 + math.cos(math.pi * min(step / steps, 1.0))))


def is_number(value: Any) -> bool:
    """Whether a setting is a number, and no function."""
    return isinstance(value, int | float)


class BadSetting(ValueError):
    """A function that stands for a setting gives what it cannot be."""


def left_of(value: Any, left: float, shape: Shape = "constant", name: str = "it") -> float:
    """Return a setting when `left` of a training, from 1 to 0, is left.

    Args:
        value: a number, a function of `left`, or where to import one from, `module:name`.
        left: the share.
        shape: how a number falls.
        name: of the setting, for errors.

    Raises:
        BadSetting: the function gives no finite number from 0 up.
    """
    if is_number(value):
        return value * _falling(shape, left)
    function = find(value) if isinstance(value, str) else value
    with nullcontext() if isinstance(function, Lost) else blaming(f"the {name} {written(value)}"):
        given = function(left)
    try:
        number = float(given)
    except (TypeError, ValueError):
        number = math.nan
    if not 0.0 <= number < math.inf:
        message = f"{name} is {given!r} when {left:g} of the training is left"
        raise BadSetting(f"{message}, by {written(value)}: expected a number, at least 0")
    return number


def _falling(shape: Shape, left: float) -> float:
    if shape == "cosine":
        return cosine(1.0 - left, 1.0, 0.0, 1)
    return left if shape == "linear" else 1.0
