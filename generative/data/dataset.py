"""A data set: rows in memory, on whichever device trains on them, or in a file."""

import math
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

from nets.glance import in_a_line, in_a_table
from nets.near import shortened
from nets.supervised.splits import leave_each_class

from ..model import Batch
from ..shown import SHOWN, are_pictures, png
from .stored import Rows, Stored


class DataNote(UserWarning):
    """Data are not what one may take them for; the message says in what."""


class Units(NamedTuple):
    """In what the columns of a table were before they were standardised."""

    columns: tuple[str, ...]  # their D names
    mean: Tensor  # [D] float64
    std: Tensor  # [D] float64, 1 where a column is constant
    whole: tuple[tuple[int, int] | None, ...] = ()  # least and greatest of columns of whole numbers
    label: str = "label"  # the column of classes

    def restore(self, x: Tensor) -> Tensor:
        """Return standardised rows `[N, D]` in the units of the table, float64.

        Columns of whole numbers are rounded, and stay within those that they had.
        """
        rows = x.double() * self.std.to(x.device) + self.mean.to(x.device)
        for column, ends in zip(rows.unbind(1), self.whole, strict=False):
            if ends is not None:
                column.round_().clamp_(*ends)
        return rows


class Modes(NamedTuple):
    """The mixture of equally frequent Gaussians that data were drawn from."""

    centres: Tensor  # [K, D]
    std: float  # of each Gaussian, the same in every direction


@dataclass(frozen=True, repr=False)
class Dataset:
    """Pictures or vectors, with what is known about them.

    Attributes:
        name: what the data were loaded by.
        x: uint8 `[N, C, H, W]`, or float32 `[N, C, H, W]` in [0, 1], or float32 `[N, D]`: a tensor,
            or `Stored` rows, which are read batch by batch.
        labels: int64 `[N]` in 0..K-1; None where the data have no classes.
        class_names: the K names of the classes.
        factors: int64 `[N, F]`, what the data vary in, factor f counted from 0; None if unknown.
        factor_names: the F names of the factors.
        binarized: whether pixels are drawn anew as 0 or 1 each time that rows are gathered, their
            values the probabilities of 1 (dynamic binarisation).
        modes: the Gaussians that drew the rows, where these are known.
        exhaustive: whether the rows were all there are when they were loaded, as of a grid of
            figures or a small game, so that whatever is none of them is wrong; parts keep it.
        units: of the columns of a table, which are standardised; None where rows are as they were.
        notes: what was done to files to make rows of them, and what was left out.

    Raises:
        ValueError: the parts do not fit together, or the data are empty or not finite.
        TypeError: a part has another type than listed.
    """

    name: str
    x: Rows
    labels: Tensor | None = None
    class_names: tuple[str, ...] = ()
    factors: Tensor | None = None
    factor_names: tuple[str, ...] = ()
    binarized: bool = False
    modes: Modes | None = None
    exhaustive: bool = False
    units: Units | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse data that no model can be trained on, naming them."""
        for part, value in (("x", self.x), ("labels", self.labels), ("factors", self.factors)):
            if not isinstance(value, Tensor | Stored) and (part == "x" or value is not None):
                message = f"{self.name}: {part} is {shortened(value)}"
                raise TypeError(f"{message}, expected a tensor, as torch.as_tensor makes one")
        _check_rows(self.name, self.x)
        for part, value, dims in (("labels", self.labels, 1), ("factors", self.factors, 2)):
            if value is None:
                continue
            if value.dtype != torch.int64:
                raise TypeError(f"{self.name}: {part} are {value.dtype}, expected torch.int64")
            if value.ndim != dims or len(value) != len(self.x):
                shape, rows = list(value.shape), len(self.x)
                raise ValueError(f"{self.name}: {part} have shape {shape} for {rows} rows")
        if self.binarized and self.x.ndim != 4:
            raise ValueError(f"{self.name}: only pictures can be binarized, these are vectors")
        if self.labels is not None:
            _check_labels(self.name, self.labels, self.num_classes or 0)
        named = 0 if self.factors is None else self.factors.shape[1]
        if named != len(self.factor_names):
            message = f"{self.name}: {named} factors with the names {self.factor_names}"
            raise ValueError(message)

    def __len__(self) -> int:
        return len(self.x)

    @property
    def facts(self) -> dict[str, Any]:
        """What it is, in a few words and numbers."""
        facts: dict[str, Any] = {"name": self.name, "rows": len(self), "shape": self.shape}
        facts |= {"dtype": str(self.x.dtype), "device": str(self.device)}
        more = {"classes": self.class_names, "factors": self.factor_names, "notes": self.notes}
        return facts | {name: value for name, value in more.items() if value}

    def __repr__(self) -> str:
        return in_a_line(self, self.facts)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: what it is, and the first pictures."""
        pictures = self.batch(slice(SHOWN)).x if are_pictures(self.shape) else ()
        return in_a_table(self, self.facts, [png(x) for x in pictures], width="4em")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one datum: `(C, H, W)` or `(D,)`."""
        return tuple(self.x.shape[1:])

    @property
    def columns(self) -> list[Tensor | None]:
        """What tells the rows from others; of those in a file, some have to do."""
        return [self.x if isinstance(self.x, Tensor) else self.x.some(), self.labels]

    @property
    def num_classes(self) -> int | None:
        """The number of classes; None where the data have none."""
        return None if self.labels is None else len(self.class_names)

    @property
    def device(self) -> torch.device:
        """Where the data are."""
        return self.x.device

    def to(self, device: str | torch.device) -> Self:
        """Return the data on another device; where they are there already, nothing is copied.

        Rows in a file stay there: their batches go to the device.
        """
        return replace(
            self,
            x=self.x.to(device),
            labels=None if self.labels is None else self.labels.to(device),
            factors=None if self.factors is None else self.factors.to(device),
        )

    def batch(self, index: Tensor | slice) -> Batch:
        """Gather rows on the data's device, uint8 scaled to [0, 1] float32.

        Of binarized data, pixels are drawn from torch's global generator.

        Args:
            index: int64 `[B]` on the data's device, or a slice.
        """
        x = self.x[index]
        x = x.float().div_(255) if x.dtype == torch.uint8 else x
        x = x.bernoulli() if self.binarized else x
        return Batch(x, None if self.labels is None else self.labels[index])

    def subset(self, index: Tensor | slice) -> Self:
        """Return the rows of `index`, an int64 `[B]` on the data's device or a slice."""
        return replace(
            self,
            x=self.x.subset(index) if isinstance(self.x, Stored) else self.x[index],
            labels=None if self.labels is None else self.labels[index],
            factors=None if self.factors is None else self.factors[index],
        )

    def split(self, fraction: float, seed: int = 0) -> tuple[Self, Self]:
        """Deal the rows at random into two parts, `(train, held_out)`.

        Of each class a row is left to train on, where there are as many rows.

        Args:
            fraction: in (0, 1), of the rows that is held out, rounded to whole rows, one at least.
            seed: of the deal, which is the same on every device.

        Raises:
            ValueError: one of the parts would be empty.
        """
        held_out = round(fraction * len(self)) if isfinite(fraction) else 0
        held_out = max(held_out, 1) if 0.0 < fraction < 1.0 else held_out
        if not 0 < held_out < len(self):
            message = f"{self.name}: fraction {fraction} holds {held_out} of {len(self)} rows out"
            raise ValueError(f"{message}, expected at least one row in either part")
        order = shuffled(len(self), seed)
        held = torch.zeros(len(self), dtype=torch.bool)
        held[order[:held_out]] = True
        labels = None if self.device.type == "meta" else self.labels
        if labels is not None and len(labels.unique()) <= len(self) - held_out:
            leave_each_class(held, labels.cpu(), order)
        parts = (order[~held[order]], order[held[order]])
        train, out = (self.subset(part.to(self.device)) for part in parts)
        return train, out

    def limited(self, limit: int | None, seed: int = 0) -> Self:
        """Return at most `limit` rows, chosen at random and kept in order."""
        if limit is None or limit >= len(self):
            return self
        return self.subset(chosen(len(self), limit, seed).to(self.device))


def shuffled(rows: int, seed: int) -> Tensor:
    """Return the numbers below `rows` in random order, `[rows]`."""
    return torch.randperm(rows, generator=torch.Generator().manual_seed(seed))


def chosen(rows: int, limit: int, seed: int) -> Tensor:
    """Return `limit` distinct numbers below `rows`, ascending, `[limit]`."""
    return shuffled(rows, seed)[:limit].sort().values


def _check_rows(name: str, x: Rows) -> None:
    """Raise unless `x` is rows of pictures or vectors."""
    shape = list(x.shape)
    if x.dtype not in (torch.uint8, torch.float32):
        raise TypeError(f"{name}: values are {x.dtype}, expected torch.uint8 or torch.float32")
    if x.ndim not in (2, 4) or (x.ndim == 2 and x.dtype == torch.uint8):
        expected = "[N, C, H, W], or float32 [N, D]"
        raise ValueError(f"{name}: {x.dtype} values have shape {shape}, expected {expected}")
    if math.prod(shape) == 0:
        raise ValueError(f"{name} is empty: shape {shape}")
    if isinstance(x, Stored) or x.device.type == "meta" or x.dtype == torch.uint8:
        return
    low, high = x.aminmax()  # NaN where a number is; isfinite would take three times the room of x
    if not (low.isfinite() and high.isfinite()):
        row = int((~x.flatten(1).isfinite().all(1)).nonzero()[0])
        raise ValueError(f"{name}: row {row} holds NaN or infinity")
    if x.ndim == 4 and (low < 0.0 or high > 1.0):
        message = f"{name}: floating pictures range from {low:g} to {high:g}"
        raise ValueError(f"{message}, expected [0, 1]")


def _check_labels(name: str, labels: Tensor, classes: int) -> None:
    """Raise unless all labels name one of the classes."""
    if labels.device.type == "meta":
        return
    low, high = (int(value) for value in labels.aminmax())
    if low < 0 or high >= classes:
        message = f"{name}: labels range from {low} to {high}"
        raise ValueError(f"{message}, expected 0..{classes - 1} for {classes} class names")
