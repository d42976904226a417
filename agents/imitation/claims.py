"""What a data set of Minari claims to hold, compared with the bytes that it has."""

from pathlib import Path
from typing import TYPE_CHECKING

from nets.runs.checkpoint import load_object

if TYPE_CHECKING:
    import h5py

MOST_FREELY, MOST_INFLATED = 2**28, 250  # bytes; times as many as a file has


def require_extent(folder: Path) -> None:
    """Refuse arrays that inflate to far more than their file, and episodes that are not there.

    Args:
        folder: where Minari keeps the data.

    Raises:
        ValueError: the first claim that does not hold.
        CheckpointError: what describes the data is damaged.
    """
    import h5py

    about = load_object(folder / "metadata.json")
    stored, episodes = about.get("data_format", "hdf5"), about.get("total_episodes")
    if stored != "hdf5":
        raise ValueError(f"it is stored as {stored!r}, expected 'hdf5'")
    path = folder / "main_data.hdf5"
    size = path.stat().st_size
    with h5py.File(path, "r") as file:
        if not isinstance(episodes, int) or episodes > len(file):
            raise ValueError(f"it is to have {episodes!r} episodes, its file has {len(file)}")
        extent = _extent(file, most=size)
    if extent > max(MOST_FREELY, MOST_INFLATED * size):
        raise ValueError(f"its arrays are to have {extent:,} bytes, its file has {size:,}")


def _extent(file: "h5py.File", most: int) -> int:
    """Return the bytes of all arrays, as often as they are found.

    Args:
        file: that holds them.
        most: groups that it can have.
    """
    import h5py

    extent, rest = 0, [file]
    for _ in range(most):
        if not rest:
            return extent
        group = rest.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{name!r} leads elsewhere")
            within = group[name]
            if isinstance(within, h5py.Group):
                rest.append(within)
            else:
                extent += within.nbytes
    raise ValueError("its groups contain each other")
