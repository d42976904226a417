"""Which trackers there are, and what has to be installed for each."""

from typing import Literal, get_args

from ..extras import require_extra
from ..near import hint

TrackerName = Literal["tensorboard", "wandb", "mlflow"]


def require_tracker(name: str) -> None:
    """Refuse a tracker that is not known, or not installed.

    Raises:
        ValueError: there is no such tracker; the nearest is named.
        ModuleNotFoundError: it is not installed; the extra is named.
    """
    if name not in get_args(TrackerName):
        raise ValueError(f"there is no tracker {name!r}: {hint(str(name), get_args(TrackerName))}")
    require_extra(name, name)
