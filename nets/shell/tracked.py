"""What a command that trains tells a tracker: whatever happens, until its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..tracking.names import TrackerName, require_tracker
from .command_line import refusals, told
from .here import as_seen

if TYPE_CHECKING:
    from ..tracking.tracking import Tracking


def require_tracking(by: TrackerName | None) -> None:
    """Refuse a tracker that is not installed, before there is a folder.

    Raises:
        CommandError: it is not; the extra is named.
    """
    if by is not None:
        with told(ModuleNotFoundError):
            require_tracker(by)


@contextmanager
def tracked(by: TrackerName | None, folder: Path) -> Iterator["Tracking | None"]:
    """Give the tracking of a run, None where nobody is to be told; say where it is found.

    Raises:
        CommandError: the folder's `tracking.json` is damaged.
    """
    if by is None:
        yield None
        return
    from ..tracking.tracking import Tracking

    with refusals():
        tracking = Tracking(by, folder)
    with tracking:
        yield tracking
        if tracking.where is not None:
            print(f"\ntracked by {by}: {as_seen(tracking.where)}", flush=True)


def track_option(by: TrackerName | None) -> str:
    """Return what to type so that a run that goes on is told of, too."""
    return "" if by is None else f" --track {by}"
