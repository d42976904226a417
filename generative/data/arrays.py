"""Arrays in files, .npz, .npy and MNIST's idx, each no larger than its file can honestly hold."""

import gzip
import math
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

Array = NDArray[Any]

ROWS = ("x", "images", "imgs", "x_train", "data", "arr_0")
LABELS = ("labels", "y", "y_train", "targets")
FACTORS = ("factors", "latents_classes")  # the second is dSprites' own
MOST_SMALLER = 250  # times that pictures are packed, dSprites' 170; zeros come to 1000
ALWAYS_FITS = 2**28  # bytes, however small the file


def read_arrays(path: Path) -> Mapping[str, Array]:
    """Read the arrays of a file; the rows are under `"x"`, if it does not say otherwise.

    Raises:
        ValueError: it is damaged, claims more than it holds, or is no such file.
    """
    try:
        if path.suffix == ".npy":
            with path.open("rb") as file:
                _require_room(_claimed(file), path.stat().st_size)
                file.seek(0)
                return {"x": np.load(file, allow_pickle=False)}
        if path.suffix == ".npz":
            return _read_npz(path)
        if "idx" in path.name:
            return _read_idx(path)
    except Exception as error:  # a hostile file can make a reader fail in any way
        raise ValueError(f"{path} cannot be read: {error}") from error
    raise ValueError(f"{path} is no data file: expected .npz, .npy, idx or a folder of images")


def _read_npz(path: Path) -> Mapping[str, Array]:
    with ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        rows = next((name for name in ROWS if name in names), None)
        if rows is None and len(names) == 1:
            rows = names[0]
        if rows is None:
            raise ValueError(f"it holds {names}, expected the rows as one of {list(ROWS)}")
        found = {"x": _member(archive, rows)}
        for part, aliases in (("labels", LABELS), ("factors", FACTORS)):
            name = next((name for name in aliases if name in names), None)
            if name is not None:
                found[part] = _member(archive, name)
        for name in ("class_names", "factor_names"):
            if name in names:
                found[name] = _member(archive, name)
    return found


def _member(archive: ZipFile, name: str) -> Array:
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ValueError(f"{name} is packed as NumPy never does")
    with archive.open(info) as file:
        _require_room(_claimed(file), info.file_size)
    _require_room(info.file_size, info.compress_size, packed=True)
    with archive.open(info) as file:
        return npy.read_array(file, allow_pickle=False)


def _claimed(file: IO[bytes]) -> int:
    """Return the bytes of the array whose header begins here."""
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    return math.prod(shape) * dtype.itemsize


def _require_room(claimed: int, held: int, *, packed: bool = False) -> None:
    """Raise unless `held` bytes can hold `claimed` ones."""
    if claimed > (max(ALWAYS_FITS, MOST_SMALLER * held) if packed else held):
        raise ValueError(f"it claims {claimed:,} bytes, and holds {held:,}")


def _read_idx(path: Path) -> Mapping[str, Array]:
    found = {"x": _idx(path)}
    labels = labels_of(path)
    if labels != path and labels.exists():
        found["labels"] = _idx(labels)
    return found


def labels_of(path: Path) -> Path:
    """Return where the labels of an idx file of images lie; of others, the file itself."""
    if "idx" not in path.name or path.suffix in (".npy", ".npz"):
        return path
    return path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))


def _idx(path: Path) -> Array:
    """Read unsigned bytes in MNIST's format: two zeros, a type, the dimensions, their sizes."""
    packed = path.suffix == ".gz"
    with gzip.open(path) if packed else path.open("rb") as file:
        start = file.read(4)
        if len(start) < 4 or start[:3] != b"\x00\x00\x08":
            raise ValueError(f"it begins with {start.hex()}, expected idx of unsigned bytes")
        shape = np.frombuffer(file.read(4 * start[3]), ">u4").tolist()
        if len(shape) < start[3]:
            raise ValueError(f"it ends within its {start[3]} dimensions")
        size, most = math.prod(shape), path.stat().st_size
        if packed:
            _require_room(size, most, packed=True)
        content = file.read(size + 1 if packed else min(size + 1, most))
    if len(content) != size:
        more = " and more" if len(content) > size else ""
        raise ValueError(f"it holds {len(content)} bytes{more} for the shape {shape}")
    return np.frombuffer(content, np.uint8).reshape(shape)
