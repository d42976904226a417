"""How the numbers of arrays and deep pictures become rows of a data set."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]
Layout = Literal["as it is", "grey", "last", "alpha"]

DEPTHS = (8, 10, 12, 14, *range(16, 33))  # bits that cameras, scanners and instruments count in
WHITE = 255  # what is transparent shows
MOST = float(np.finfo(np.float32).max)
BRIGHT = 127  # what floats of 0 to 255 exceed
ROUNDED = 1e-3  # share of their range that floats may lie beyond it, as resizing leaves them


@dataclass(frozen=True)
class Extent:
    """What is to be known of numbers before they are scaled.

    Attributes:
        low: the least of them.
        high: the greatest.
        wrong: the first row that holds NaN, infinity or what is that in float32; None if none does.
    """

    low: float = 0.0
    high: float = 0.0
    wrong: int | None = None

    @classmethod
    def of(cls, blocks: Iterable[Array]) -> "Extent":
        """Look at rows, block by block."""
        low, high, before, wrong = np.inf, -np.inf, 0, None
        for block in blocks:
            if block.size:
                least, most = float(block.min()), float(block.max())
                low, high = min(low, least), max(high, most)
                if wrong is None and not (least >= -MOST and most <= MOST):
                    rows = block.reshape(len(block), -1).astype(np.float64)  # holds MOST
                    finite = (np.abs(rows) <= MOST).all(1)
                    wrong = before + int(np.flatnonzero(~finite)[0])
            before += len(block)
        return cls(low, high, wrong) if low <= high or wrong is not None else cls()


@dataclass(frozen=True)
class Scale:
    """A line that takes numbers to brightness, black at 0 and white at 1.

    Attributes:
        gain: times the number,
        shift: plus this.
        note: what to say of it; empty where nothing changes.
    """

    gain: float
    shift: float = 0.0
    note: str = ""


def brightness(dtype: np.dtype[Any], extent: Extent) -> Scale:
    """Return how the numbers of pictures are to be read.

    Whole numbers are of as few bits as hold the greatest, of 8, 10, 12, 14, or 16 to 32; floats lie
    in [0, 1], in [−1, 1], or in [0, 255] with some above 127, to a thousandth of that.

    Raises:
        ValueError: they are none of that.
    """
    low, high = extent.low, extent.high
    span = f"from {low:g} to {high:g}"
    if np.issubdtype(dtype, np.floating):
        if low >= 0.0 and high <= 1.0:
            return Scale(1.0)
        if low >= -ROUNDED and high <= 1.0 + ROUNDED:
            return Scale(1.0, 0.0, f"values {span} were cut to [0, 1]")
        if low >= -1.0 - ROUNDED and high <= 1.0 + ROUNDED:
            return Scale(0.5, 0.5, f"values {span} were taken for [-1, 1] and brought to [0, 1]")
        if low >= -255 * ROUNDED and BRIGHT < high <= 255 * (1.0 + ROUNDED):
            return Scale(
                1 / 255, 0.0, f"values {span} were taken for [0, 255] and brought to [0, 1]"
            )
        message = f"floating pictures range {span}, expected [0, 1], [-1, 1], or [0, 255]"
        raise ValueError(f"{message} with some above {BRIGHT}")
    if low < 0:
        raise ValueError(f"pictures of {dtype} range {span}, expected no value below 0")
    bits = next((bits for bits in DEPTHS if high < 2**bits), None)
    if bits is None:
        raise ValueError(f"pictures of {dtype} range {span}, expected less than 2^32")
    note = f"values {span} were taken for {bits} bits and brought to 8" if bits > 8 else ""
    return Scale(1 / (2**bits - 1), 0.0, note)


@dataclass(frozen=True)
class Form:
    """Makes rows of a data set of the rows of an array.

    Attributes:
        layout: where an array has its channels.
        scale: of numbers that are to become brightness; None: they stay.
        bytes: whether they become uint8, else float32.
    """

    layout: Layout
    scale: Scale | None = None
    bytes: bool = False

    def __call__(self, block: Array) -> Tensor:
        """Return uint8 or float32 `[B, C, H, W]`, or float32 `[B, D]`."""
        with np.errstate(over="ignore"):  # infinity is found later
            if self.scale is not None:
                scaled = block.astype(np.float64) * self.scale.gain + self.scale.shift
                scaled = scaled.clip(0.0, 1.0)
                block = np.rint(scaled * 255).astype(np.uint8) if self.bytes else scaled
            if not self.bytes:
                block = block.astype(np.float32)
        if self.layout == "grey":
            block = block[:, None]
        elif self.layout == "alpha":
            block = on_white(block).transpose(0, 3, 1, 2)
        elif self.layout == "last":
            block = block.transpose(0, 3, 1, 2)
        return torch.from_numpy(np.array(block, order="C"))


def on_white(pictures: Array) -> Array:
    """Return `[..., C + 1]`, the last channel the opacity, as `[..., C]` before white."""
    most = WHITE if pictures.dtype == np.uint8 else 1.0
    opacity = pictures[..., -1:].astype(np.float32) / most
    shown = most + (pictures[..., :-1].astype(np.float32) - most) * opacity
    return np.rint(shown).astype(np.uint8) if most == WHITE else shown


def layout_of(shape: tuple[int, ...]) -> Layout:
    """Return where an array of this shape has its channels.

    Three axes are grey pictures. Of four, one or three channels are looked for first, then last,
    where four are colour and opacity; else the channels are the shorter end.
    """
    if len(shape) == 3:
        return "grey"
    if len(shape) != 4 or shape[1] in (1, 3):
        return "as it is"
    if shape[3] in (1, 3):
        return "last"
    if shape[3] == 4 and shape[1] != 4:
        return "alpha"
    return "last" if shape[3] < shape[1] else "as it is"


def form_of(
    name: str, shape: tuple[int, ...], dtype: np.dtype[Any], blocks: Iterable[Array]
) -> Form:
    """Return how rows are made of an array.

    Pictures of bool or whole numbers become bytes; where none is above 1, 1 becomes 255. Floating
    pictures come to [0, 1]. What has two axes becomes float32 as it is.

    Args:
        name: of the data.
        shape: of the array.
        dtype: of its numbers.
        blocks: the rows; read only where the type does not settle it.

    Raises:
        TypeError: the array holds anything but numbers.
        ValueError: a row is not finite; or they are pictures of no known brightness.
    """
    layout, pictures = layout_of(shape), len(shape) > 2
    if not (np.issubdtype(dtype, np.number) or dtype == np.bool_) or dtype.kind == "c":
        raise TypeError(f"{name}: values are {dtype}, expected numbers")
    if dtype.kind == "b" and pictures:
        return Form(layout, Scale(1.0), bytes=True)
    if dtype == np.uint8 and pictures:
        masks = all(not block.size or block.max() <= 1 for block in blocks)
        return Form(layout, Scale(1.0) if masks else None, bytes=True)
    extent = Extent.of(blocks)
    wrong = extent.wrong
    if wrong is not None:
        raise ValueError(f"{name}: row {wrong} holds NaN or infinity")
    if not pictures:
        return Form(layout)
    try:
        scale = brightness(dtype, extent)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if np.issubdtype(dtype, np.floating):
        return Form(layout, scale if scale.note else None)
    masks = extent.high <= 1
    return Form(layout, replace(scale, gain=1.0) if masks else scale, bytes=True)
