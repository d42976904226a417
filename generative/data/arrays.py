"""Arrays in files, .npz, .npy and MNIST's idx, each no larger than its file can honestly hold."""

import gzip
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from .stored import BLOCK, Place
from .unread import advice

Array = NDArray[Any]

MOST_SMALLER = 250  # times that pictures are packed, dSprites' 170; zeros come to 1000
PICKLED = "it holds pickled objects, which may run code: expected numbers"
ALWAYS_FITS = 2**28  # bytes, however small the file


@dataclass(frozen=True)
class Member:
    """An array in a file, of which nothing but shape and type has been read.

    Attributes:
        path: of the file.
        shape: of the array.
        dtype: of its numbers.
        stream: opens the file before the first number.
        offset: of the first number where the file holds them as they are; None where it is packed.
        fortran: whether the first axis is the fastest.
        whole: whether the file ends with the last number.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stream: Callable[[], IO[bytes]]
    offset: int | None
    fortran: bool = False
    whole: bool = False

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 1

    def place(self) -> Place | None:
        """Open the file where rows can be read in any order; None where they cannot."""
        if self.offset is None or (self.fortran and len(self.shape) > 1) or not self.shape:
            return None
        return Place(str(self.path), self.path.open("rb", 0), self.offset, self.shape, self.dtype)

    def read(self) -> Array:
        """Read all of it.

        Raises:
            ValueError: the file is damaged, or these are pickled objects.
        """
        with readable(self.path), closing(self.stream()) as file:
            if self.dtype.hasobject:
                raise ValueError(PICKLED)
            content = bytearray(self._size)
            self._fill(file, memoryview(content), 0)
            self._require_end(file)
        numbers = np.frombuffer(content, self.dtype)
        return numbers.reshape(self.shape[::-1]).T if self.fortran else numbers.reshape(self.shape)

    def blocks(self, index: NDArray[np.int64] | None = None) -> Iterator[Array]:
        """Read rows, a few megabytes at a time.

        Args:
            index: which, ascending; all by default.

        Raises:
            ValueError: the file is damaged.
        """
        rows = np.arange(len(self)) if index is None else index
        step = max(1, BLOCK // max(1, self._size // max(1, len(self))))
        place = None if index is None else self.place()
        if place is not None:
            yield from (place.read(rows[k : k + step]) for k in range(0, len(rows), step))
        elif self.fortran or not self._size:
            array = self.read()
            yield from (array[rows[k : k + step]] for k in range(0, len(rows), step))
        else:
            yield from self._streamed(rows, step)

    def _streamed(self, rows: NDArray[np.int64], step: int) -> Iterator[Array]:
        """Read the file from its beginning to its end, and keep what is among `rows`."""
        width = self._size // len(self)
        with readable(self.path), closing(self.stream()) as file:
            for start in range(0, len(self), step):
                block = np.empty((min(step, len(self) - start), *self.shape[1:]), self.dtype)
                self._fill(file, memoryview(block.data).cast("B"), start * width)
                low, high = np.searchsorted(rows, (start, start + len(block)))
                if high > low:
                    whole = high - low == len(block)
                    yield block if whole else block[rows[low:high] - start]
            self._require_end(file)

    @property
    def _size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def _fill(self, file: IO[bytes], view: memoryview, before: int) -> None:
        """Read as many bytes as `view` has room for, `before` of the array being read already."""
        while view:
            part = file.read(min(len(view), BLOCK))
            if not part:
                raise ValueError(f"it holds {before:,} bytes for the shape {list(self.shape)}")
            view[: len(part)] = part
            view, before = view[len(part) :], before + len(part)

    def _require_end(self, file: IO[bytes]) -> None:
        if self.whole and file.read(1):
            raise ValueError(
                f"it holds more than {self._size:,} bytes for the shape {list(self.shape)}"
            )


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Say which file it was that could not be read.

    Raises:
        ValueError: of whatever kind the error was: a hostile file can make a reader fail in any.
    """
    try:
        yield
    except Exception as error:
        if str(error).startswith(f"{path} cannot be read"):
            raise
        why = str(error).strip().partition("\n")[0]  # NumPy goes on with advice to trust the file
        raise ValueError(f"{path} cannot be read: {why}") from error


def open_arrays(path: Path) -> Mapping[str, Member]:
    """Return the arrays of a file by name; that of a file of one array is `"x"`.

    Raises:
        ValueError: it is damaged, claims more than it holds, or is no such file.
    """
    with readable(path):
        if path.suffix.lower() == ".npy":
            return {"x": _open_npy(path)}
        if path.suffix.lower() == ".npz":
            return _open_npz(path)
        if "idx" in path.name.lower():
            return {"x": open_idx(path)}
    expected = "expected .npz, .npy, .csv, .tsv, idx or a folder of images"
    raise ValueError(f"{path} is no data file: {expected}{advice(path.suffix)}")


def _open_npy(path: Path) -> Member:
    with path.open("rb") as file:
        shape, fortran, dtype = _header(file)
        offset = file.tell()
    _require_room(offset + _claimed(shape, dtype.itemsize), path.stat().st_size)
    return Member(path, shape, dtype, partial(_at, path, offset), offset, fortran)


def _open_npz(path: Path) -> Mapping[str, Member]:
    with ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        found = {}
        for name in names:
            info = archive.getinfo(name)
            if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                raise ValueError(f"{name.removesuffix('.npy')} is packed as NumPy never does")
            with archive.open(info) as file:
                shape, fortran, dtype = _header(file, objects=True)
                start = file.tell()
            key, stream = name.removesuffix(".npy"), partial(_member, path, name, start)
            if dtype.hasobject:  # nothing of ours reads it
                found[key] = Member(path, shape, dtype, stream, None)
                continue
            _require_room(start + _claimed(shape, dtype.itemsize), info.file_size)
            _require_room(info.file_size, info.compress_size, packed=True)
            offset = None if info.compress_type != ZIP_STORED else _beginning(path, info) + start
            found[key] = Member(path, shape, dtype, stream, offset, fortran)
    return found


def open_idx(path: Path) -> Member:
    """Return the array of unsigned bytes in MNIST's format: two zeros, a type, the sizes.

    Raises:
        ValueError: it is no such file, or claims more than it holds.
    """
    packed = path.suffix.lower() == ".gz"
    with readable(path), gzip.open(path) if packed else path.open("rb") as file:
        start = file.read(4)
        if len(start) < 4 or start[:3] != b"\x00\x00\x08":
            raise ValueError(f"it begins with {start.hex()}, expected idx of unsigned bytes")
        shape = tuple(np.frombuffer(file.read(4 * start[3]), ">u4").tolist())
        if len(shape) < start[3]:
            raise ValueError(f"it ends within its {start[3]} dimensions")
        offset = file.tell()
        size, held = math.prod(shape), path.stat().st_size
        if packed:
            _require_room(_claimed(shape, 1), held, packed=True)
        elif size != held - offset or _claimed(shape, 1) > held:
            raise ValueError(f"it holds {held - offset} bytes for the shape {list(shape)}")
    stream = partial(_unpacked if packed else _at, path, offset)
    return Member(path, shape, np.dtype(np.uint8), stream, None if packed else offset, whole=True)


def _header(
    file: IO[bytes], *, objects: bool = False
) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the beginning of an .npy: shape, order and type."""
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if any(side < 0 for side in shape):
        raise ValueError(f"its shape is {shape}")
    if dtype.hasobject and not objects:
        raise ValueError(PICKLED)
    return shape, fortran, dtype


def _claimed(shape: tuple[int, ...], itemsize: int) -> int:
    """Return the bytes of an array; rows without any count as if each of their values had one.

    Nothing takes no room, and is yet as many rows, or names, as it says.
    """
    if not all(shape[:1]):
        return 0
    return math.prod(shape) * itemsize or math.prod(n for n in shape if n) * max(itemsize, 1)


def _require_room(claimed: int, held: int, *, packed: bool = False) -> None:
    """Raise unless `held` bytes can hold `claimed` ones."""
    if claimed > (max(ALWAYS_FITS, MOST_SMALLER * held) if packed else held):
        raise ValueError(f"it claims {claimed:,} bytes, and holds {held:,}")


def _beginning(path: Path, info: ZipInfo) -> int:
    """Return where the content of a member of an archive begins."""
    with path.open("rb") as file:
        file.seek(info.header_offset + 26)  # the lengths of name and extras, after which it lies
        lengths = np.frombuffer(file.read(4), "<u2")
    return info.header_offset + 30 + int(lengths.sum())


def _at(path: Path, offset: int) -> IO[bytes]:
    file = path.open("rb")
    file.seek(offset)
    return file


def _unpacked(path: Path, offset: int) -> IO[bytes]:
    file: Any = gzip.open(path)  # noqa: SIM115  the caller closes it
    file.read(offset)
    return file


def _member(path: Path, name: str, offset: int) -> IO[bytes]:
    with ZipFile(path) as archive:  # what it has opened outlives it
        file = archive.open(name)
    file.read(offset)
    return file
