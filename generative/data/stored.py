"""Rows that stay in a file: what is larger than memory is read batch by batch."""

import math
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]

IN_MEMORY = 2**30  # bytes; larger sets stay in files
BLOCK = 2**24  # bytes that are read at once, where all rows are


@dataclass(frozen=True)
class Place:
    """Rows that lie one after the other in an open file, which is closed with the last user.

    Attributes:
        name: of the file, for people.
        file: unbuffered.
        offset: of the first row, in bytes.
        shape: of all rows, `(N, ...)`.
        dtype: of their numbers.
    """

    name: str
    file: IO[bytes]
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __post_init__(self) -> None:
        weakref.finalize(self, self.file.close)

    def read(self, index: NDArray[np.int64]) -> Array:
        """Return the rows of `index`, `[B, ...]`; neighbours are read at one go.

        Raises:
            ValueError: the file ends before a row does.
        """
        rows = np.empty((len(index), *self.shape[1:]), self.dtype)
        width = self.dtype.itemsize * math.prod(self.shape[1:])
        if not rows.nbytes:
            return rows
        view = memoryview(rows.data).cast("B")
        ends = [*(np.flatnonzero(np.diff(index) != 1) + 1).tolist(), len(index)]
        start = 0
        for end in ends:
            self.file.seek(self.offset + width * int(index[start]))
            part = view[start * width : end * width]
            while part:
                count = self.file.readinto(part)  # type: ignore[attr-defined]
                if not count:
                    raise ValueError(
                        f"{self.name} cannot be read: it ends within row {index[start]}"
                    )
                part = part[count:]
            start = end
        return rows


@dataclass(frozen=True)
class Stored:
    """Rows in a file, read when they are asked for; indexed as a tensor of them would be.

    Attributes:
        place: where they lie.
        convert: makes rows of numbers `[B, ...]` those of a data set.
        device: where rows are wanted.
        index: which rows of the file these are, on the CPU; None: all.
    """

    place: Place
    convert: Callable[[Array], Tensor]
    device: torch.device = field(default=torch.device("cpu"))
    index: Tensor | None = None

    def __len__(self) -> int:
        return self.place.shape[0] if self.index is None else len(self.index)

    @property
    def _row(self) -> Tensor:
        return self.convert(np.zeros((1, *self.place.shape[1:]), self.place.dtype))

    @property
    def shape(self) -> torch.Size:
        """Of all rows, `(N, C, H, W)` or `(N, D)`."""
        return torch.Size((len(self), *self._row.shape[1:]))

    @property
    def ndim(self) -> int:
        """The length of the shape."""
        return len(self.shape)

    @property
    def dtype(self) -> torch.dtype:
        """Of the rows when they are read."""
        return self._row.dtype

    def to(self, device: str | torch.device) -> "Stored":
        """Return the same rows, wanted on another device."""
        return replace(self, device=torch.device(device))

    def __getitem__(self, which: Tensor | slice) -> Tensor:
        """Read rows `[B, ...]`."""
        return self.convert(self.place.read(self._rows(which).numpy())).to(self.device)

    def subset(self, which: Tensor | slice) -> "Stored":
        """Return some of the rows, which stay where they are."""
        return replace(self, index=self._rows(which))

    def _rows(self, which: Tensor | slice) -> Tensor:
        """Return which rows of the file are meant, int64 `[B]`."""
        index = torch.arange(len(self)) if self.index is None else self.index
        return index[which if isinstance(which, slice) else which.cpu()]

    def blocks(self) -> Iterator[Tensor]:
        """Read all rows in their order, a few megabytes at a time."""
        step = self._at_once
        for start in range(0, len(self), step):
            yield self[start : start + step]

    def some(self) -> Tensor:
        """Read as many rows, spread evenly, as come to a few megabytes: a sign of what they are."""
        count = min(len(self), self._at_once, 1000)
        return self[torch.linspace(0, len(self) - 1, count).long()]

    @property
    def _at_once(self) -> int:
        row = self._row
        return max(1, BLOCK // max(1, row.numel() * row.element_size()))


Rows = Tensor | Stored
"""The rows of a data set, in memory or in a file."""


def kept(name: str, blocks: Iterable[Tensor], shape: tuple[int, ...], dtype: torch.dtype) -> Rows:
    """Gather rows in memory, or, where they are too many, in a temporary file that nobody sees.

    Args:
        name: of the data.
        blocks: of rows, in their order.
        shape: of all, `(N, ...)`.
        dtype: of all.

    Raises:
        ValueError: there is no room for them where temporary files lie.
    """
    size = math.prod(shape) * dtype.itemsize
    if size <= IN_MEMORY:
        rows, start = torch.empty(shape, dtype=dtype), 0
        for block in blocks:
            rows[start : start + len(block)] = block
            start += len(block)
        return rows[:start]
    return in_a_file(name, blocks, shape, dtype)


def require_room(name: str, size: int, folder: Path, remedy: str) -> None:
    """Refuse rows for which there is no room in a folder.

    Args:
        name: of what is to be written.
        size: in bytes.
        folder: where.
        remedy: what else can be done.

    Raises:
        ValueError: the disk has less that is free.
    """
    free = shutil.disk_usage(folder).free
    if size > free:
        message = f"{name}: {size:,} bytes of rows do not fit into {folder}, where {free:,} are"
        raise ValueError(f"{message} free: {remedy}")


def in_a_file(
    name: str, blocks: Iterable[Tensor], shape: tuple[int, ...], dtype: torch.dtype
) -> Stored:
    """Gather rows in a temporary file that nobody sees; see `kept`."""
    folder, remedy = Path(tempfile.gettempdir()), "give a smaller size or limit, or set TMPDIR"
    require_room(name, math.prod(shape) * dtype.itemsize, folder, remedy)
    file, rows_written = tempfile.TemporaryFile(buffering=0), 0  # noqa: SIM115  kept open
    for block in blocks:
        content = memoryview(block.contiguous().numpy().data).cast("B")
        while content:
            content = content[file.write(content) :]
        rows_written += len(block)
    kind = torch.empty(0, dtype=dtype).numpy().dtype
    place = Place(name, file, 0, (rows_written, *shape[1:]), kind)
    return Stored(place, torch.from_numpy)
