"""Warnings, told of the line outside of our packages from which the call came."""

import sys
import warnings
from types import FrameType

OURS = ("agents", "contextlib", "envs", "functools", "generative", "nets")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn whoever called us, however deep within us it was found."""
    level, frame = 2, sys._getframe(1)
    while _ours(frame) and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in OURS
