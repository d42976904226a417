"""Which file of a run is loaded, once what the run says of itself is seen to be whole."""

from difflib import get_close_matches
from pathlib import Path

from .checkpoints import Checkpoints
from .durable import as_path


def find_checkpoint(path: str | Path, name: str | None = None) -> Path:
    """Return the best checkpoint of a run's folder, or the one called `name`; a file as it is.

    Raises:
        FileNotFoundError: the folder has no such checkpoint; the existing ones are listed.
        CheckpointError: the folder's config.json is not as it was written.
    """
    path = as_path(path)
    if not path.is_dir():
        return path
    files = Checkpoints(path)
    if files.config.exists():
        from .records import record_of  # and with it torch, which commands start without

        record_of(files)
    return files.find(name)


def require_run(path: Path) -> None:
    """Refuse a folder that holds no run.

    Raises:
        FileNotFoundError: naming it, and a folder of nearly its name.
    """
    if not Checkpoints(path).config.exists():
        raise FileNotFoundError(
            f"{path} is not a run folder: it has no config.json{neighbour(path)}"
        )


def neighbour(path: str | Path) -> str:
    """Return `; did you mean runs/pole?` where no such path is, but one of nearly its name."""
    path = Path(path)
    try:
        names = sorted(each.name for each in path.parent.iterdir())
    except OSError:  # there is no such folder, or it may not be read
        return ""
    near = [] if path.name in names else get_close_matches(path.name, names, n=1, cutoff=0.8)
    return f"; did you mean {path.with_name(near[0])}?" if near else ""
