"""How far a training is, drawn as a bar."""

import sys
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from typing import Any

    from tqdm import tqdm

Bar: TypeAlias = "tqdm[Any]"


def progress_bar(steps: int, done: int = 0, *, shown: bool = True, unit: str = "step") -> Bar:
    """Return a bar of `steps` steps, of which some are `done`; a log file gets a line at times."""
    from tqdm import tqdm

    return tqdm(
        total=steps,
        initial=done,
        unit=unit,
        unit_scale=True,
        miniters=1,
        disable=not shown,
        dynamic_ncols=True,
        mininterval=0.1 if _watched() else 10.0,
    )


def _watched() -> bool:
    """Whether somebody looks on: services have no standard error, notebooks one of their own."""
    ask = getattr(sys.stderr, "isatty", None)
    return ask is not None and bool(ask())
