"""How far a training is, drawn as a bar."""

import sys
import warnings
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from typing import Any

    from tqdm import tqdm

Bar: TypeAlias = "tqdm[Any]"


def progress_bar(steps: int, done: int = 0, *, shown: bool = True, unit: str = "step") -> Bar:
    """Return a bar of `steps` steps, of which some are `done`; a log file gets a line at times."""
    return _kind_of_bar()(
        total=steps,
        initial=done,
        unit=unit,
        unit_scale=True,
        miniters=1,
        disable=not (shown and _seen()),
        dynamic_ncols=True,
        mininterval=0.1 if _watched() else 10.0,
    )


def _kind_of_bar() -> "type[Bar]":
    """Return a notebook's own bar where it can be drawn, a line of text elsewhere."""
    if _in_notebook():
        with warnings.catch_warnings():  # who has no widgets sees the line
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm as widget
        return widget
    from tqdm import tqdm

    return tqdm


def _seen() -> bool:
    """Whether there is anything to write to: services have no standard error."""
    return sys.stderr is not None or _in_notebook()


def _in_notebook() -> bool:
    return "ipykernel" in sys.modules


def _watched() -> bool:
    """Whether somebody looks on: services have no standard error, notebooks one of their own."""
    ask = getattr(sys.stderr, "isatty", None)
    return _in_notebook() or (ask is not None and bool(ask()))
