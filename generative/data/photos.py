"""A folder of pictures as a data set: headers are read first, then one picture after the other."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from nets.warned import warn

from . import images
from .dataset import DataNote, Dataset, chosen
from .folders import Found, find_pictures, told
from .forms import Extent, Scale, brightness
from .images import Look
from .label_files import named, of_files
from .labels import as_classes
from .pictures import DONE, Fit, Size, Way
from .stored import BLOCK, kept
from .unread import PHOTOS

Result = TypeVar("Result")

SIDE = 64  # pixels, of pictures that differ in size where none is given
WORKERS = min(4, os.cpu_count() or 1)
MOST_AT_ONCE = 256  # pictures
SHOWN = 10  # names of classes


@dataclass
class Reader(Generic[Result]):
    """Reads files side by side, in their order, and remembers which cannot be read.

    Attributes:
        read: reads one.
        damaged: what was wrong with those that could not be.
        good: the places of the others.
    """

    read: Callable[[Path], Result]
    damaged: dict[Path, str] = field(default_factory=dict)
    good: list[int] = field(default_factory=list)

    def results(self, files: Sequence[Path], at_once: int) -> Iterator[list[Result]]:
        """Yield what was read, at most `at_once` at a time."""
        with ThreadPoolExecutor(WORKERS) as pool:
            for start in range(0, len(files), at_once):
                part = files[start : start + at_once]
                found: list[Result] = []
                for k, result in enumerate(pool.map(self._try, part)):
                    if isinstance(result, ValueError):
                        self.damaged[part[k]] = str(result)
                    else:
                        self.good.append(start + k)
                        found.append(result)
                yield found

    def _try(self, file: Path) -> Result | ValueError:
        try:
            return self.read(file)
        except ValueError as error:
            return error


def load_folder(
    path: Path,
    size: Size | None = None,
    way: Way = "stretch",
    limit: int | None = None,
    seed: int = 0,
    labels: str | None = None,
) -> Dataset:
    """Load a folder of pictures; see `load_files`.

    Pictures of different sizes are brought to 64x64 where no size is given. What cannot be read is
    left out, and said.

    Raises:
        ValueError: there are no pictures, none can be read, or they have not the labels asked for.
    """
    found = find_pictures(path)
    files, index = found.pictures, np.arange(len(found.pictures))
    if limit is not None and limit < len(files):
        index = chosen(len(files), limit, seed).numpy()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")  # of what it reads all the same
        looked = Reader(images.look)
        looks = [
            look
            for part in looked.results([files[k] for k in index], MOST_AT_ONCE)
            for look in part
        ]
        if not looks:
            raise ValueError(next(iter(looked.damaged.values())))
        index = index[looked.good]
        fit, notes = _fit(looks, size, way)
        scales, more = _scales([files[k] for k in index], looks)
        pictures = _Pictures([files[k] for k in index], looks, fit, scales)
        x = kept(str(path), pictures.blocks(), pictures.shape, torch.uint8)
        if not len(x):
            raise ValueError(next(iter(pictures.damaged.values())))
    index = index[pictures.good]
    damaged = looked.damaged | pictures.damaged
    report = told(len(index), found.others, damaged, path)
    if damaged or found.others.keys() & set(PHOTOS):
        warn(f"{path}: {report}", DataNote)
    classes, names, unlabelled = _classes(found, index, path, labels)
    said = (report, *found.notes, *notes, *more, *_done(looks), *unlabelled)
    return Dataset(str(path), x, classes, names, notes=said)


def label_file(path: Path, found: Found, labels: str | None) -> Path | None:
    """Return where the labels of a folder's pictures are looked for; None if nowhere else."""
    return found.labels if labels is None else named(path, labels)


class _Pictures:
    """The pictures of a folder, read in parts of one shape."""

    def __init__(
        self,
        files: Sequence[Path],
        looks: Sequence[Look],
        fit: Fit | None,
        scales: dict[bool, Scale],
    ) -> None:
        height, width = (
            (looks[0].height, looks[0].width) if fit is None else (fit.height, fit.width)
        )
        channels = 1 if all(look.grey for look in looks) else 3
        self.files, self.shape = files, (len(files), channels, height, width)
        scale_of = {
            file: scales[_floating(look)]
            for file, look in zip(files, looks, strict=True)
            if look.deep is not None
        }
        self._reader = Reader(partial(_read, fit, scale_of))

    @property
    def damaged(self) -> dict[Path, str]:
        """What could not be read."""
        return self._reader.damaged

    @property
    def good(self) -> list[int]:
        """The places of what could."""
        return self._reader.good

    def blocks(self) -> Iterator[Tensor]:
        """Yield uint8 `[B, C, H, W]`."""
        _, channels, height, width = self.shape
        at_once = min(MOST_AT_ONCE, max(WORKERS, BLOCK // (channels * height * width)))
        for found in self._reader.results(self.files, at_once):
            if found:
                yield torch.stack([p.expand(channels, -1, -1) for p in found])


def _read(fit: Fit | None, scale_of: dict[Path, Scale], file: Path) -> Tensor:
    return images.read(file, fit, scale_of.get(file))


def _floating(look: Look) -> bool:
    return look.deep is not None and np.issubdtype(look.deep, np.floating)


def _fit(looks: Sequence[Look], size: Size | None, way: Way) -> tuple[Fit | None, list[str]]:
    """Return the size that pictures are brought to, if to any, and what to say of it."""
    sizes = sorted({(look.height, look.width) for look in looks}, key=lambda s: (s[0] * s[1], s))
    fit = Fit.of(SIDE if size is None and len(sizes) > 1 else size, way)
    if fit is None or sizes == [(fit.height, fit.width)]:
        same = "x".join(map(str, sizes[0]))
        why = f"fit is {way!r}, which changes nothing, as all pictures are {same} pixels"
        return None, [] if way == "stretch" else [why]
    ends = " to ".join(dict.fromkeys(f"{high}x{wide}" for high, wide in (sizes[0], sizes[-1])))
    hint = "; size says to which" if size is None else ""
    return fit, [f"{ends} pixels (height x width), {DONE[way]} to {fit}{hint}"]


def _scales(files: Sequence[Path], looks: Sequence[Look]) -> tuple[dict[bool, Scale], list[str]]:
    """Return the scale of deep pictures, of whole numbers and of floats, and what to say of it."""
    scales, notes = {}, []
    for floating in (False, True):
        deep = [
            file
            for file, look in zip(files, looks, strict=True)
            if look.deep is not None and _floating(look) == floating
        ]
        reader = Reader(images.extent)
        extents = [each for part in reader.results(deep, MOST_AT_ONCE) for each in part]
        if not extents:
            scales[floating] = Scale(1.0)
            continue
        wrong = next(
            (deep[reader.good[k]] for k, e in enumerate(extents) if e.wrong is not None), 0
        )
        if wrong:
            raise ValueError(f"{wrong} holds NaN or infinity")
        whole = Extent(min(e.low for e in extents), max(e.high for e in extents))
        try:
            kind = np.dtype(np.float32 if floating else np.int64)
            scales[floating] = brightness(kind, whole)
        except ValueError as error:
            high = max(range(len(extents)), key=lambda k: extents[k].high)
            low = min(range(len(extents)), key=lambda k: extents[k].low)
            worst = deep[reader.good[low if whole.low < 0 else high]]
            raise ValueError(f"{worst}: {error}") from None
        notes += [f"{len(extents):,} of more than 8 bits: {scales[floating].note or 'in [0, 1]'}"]
    return scales, notes


def _done(looks: Sequence[Look]) -> list[str]:
    """Say what was done to pictures."""
    counts = {
        "turned upright, as EXIF says": sum(look.turned for look in looks),
        "of 16 bits a colour, of which the upper 8 are kept": sum(look.cut for look in looks),
        "transparent in places, shown on white": sum(look.clear for look in looks),
        "of several frames, of which the first is taken": sum(look.moving for look in looks),
    }
    return [f"{count:,} {what}" for what, count in counts.items() if count]


def _classes(
    found: Found, index: np.ndarray, path: Path, labels: str | None
) -> tuple[Tensor | None, tuple[str, ...], tuple[str, ...]]:
    """Return the classes of pictures, their names, and what to say if there are none."""
    file = label_file(path, found, labels)
    if file is not None:
        try:
            values, names = as_classes(
                of_files(file, found.pictures, path), asked=labels is not None
            )
        except ValueError as error:
            if labels is not None:
                raise
            return None, (), (f"no classes: {error}",)
        return values[torch.from_numpy(index)], names, (f"classes from {file.name}",)
    if found.classes is None:
        return None, (), ()
    values, names = as_classes(np.array(found.classes))
    listed = ", ".join(names[:SHOWN]) + ", ..." * (len(names) > SHOWN)
    return values[torch.from_numpy(index)], names, (f"classes from its folders: {listed}",)
