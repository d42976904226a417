"""Splits of data into training, validation and test rows, as tensors of row numbers."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import torch
from torch import Tensor

from ..arguments import checked
from ..inputs import explained
from ..kinds import Seed
from ..process.seeding import hash31, seeded
from ..warned import warn

Fold = tuple[Tensor, Tensor]


@checked
def hold_out(
    rows: int, share: float, *, seed: Seed = 0, labels: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Split into rows to train on and a share held out, at random (curriculum S-CV-02).

    Args:
        rows: how many there are.
        share: held out, in (0, 1); ⌊share · rows⌉ rows, at least one.
        seed: of the random order.
        labels: `[rows]`; each class is then held out in its proportion, to one row, and of each at
            least one row is left. Floats are classes where they are consecutive whole numbers, or
            two, of two rows each on average; other numbers are only held out evenly.

    Returns:
        Row numbers of both parts, each sorted.

    Raises:
        ValueError: a part would be empty, a class would have no row left, or the labels do not fit.
    """
    held = max(round(share * rows), 1) if 0.0 < share < 1.0 else rows
    if held >= rows:
        raise ValueError(f"cannot hold out a share of {share} of {rows} rows")
    order = _order(rows, seed, labels)
    # places spread evenly over the order, so that every class in it gives its proportion
    chosen = (torch.arange(held) * rows + rows // 2) // held  # [held]
    mask = torch.zeros(rows, dtype=torch.bool)
    mask[order[chosen]] = True
    if labels is not None and _are_classes(labels):
        leave_each_class(mask, labels.cpu(), order)
    return (~mask).nonzero().flatten(), mask.nonzero().flatten()


@checked
def k_fold(rows: int, k: int, *, seed: Seed = 0, labels: Tensor | None = None) -> list[Fold]:
    """Split into k disjoint folds, each in turn held out of the rest (curriculum S-CV-01).

    The sizes of folds differ by one at most.

    Args:
        rows: how many there are.
        k: from 2 to `rows`.
        seed: of the random order.
        labels: `[rows]`; the folds are then stratified: each class is dealt out to them evenly.

    Returns:
        For each fold the rows to train on and the rows held out, each sorted. A class of one row
        is not among the former where it is among the latter, of which a warning tells.

    Raises:
        ValueError: k is out of range, or the labels do not fit.
    """
    if not 2 <= k <= rows:
        raise ValueError(f"k is {k}: expected 2 to {rows}, the number of rows")
    order = _order(rows, seed, labels)
    if labels is not None and _are_classes(labels):
        classes, counts = labels.unique(return_counts=True)
        if bool((counts == 1).any()):
            message = (
                f"class {classes[counts == 1][0].item()} has a single row: in one of {k} folds"
            )
            warn(f"{message} nothing is trained on that class")
    fold = torch.empty(rows, dtype=torch.long)
    fold[order] = torch.arange(rows) % k
    return [((fold != i).nonzero().flatten(), (fold == i).nonzero().flatten()) for i in range(k)]


@dataclass(frozen=True)
class Partition:
    """Rows of two distributions: `train` and `train_dev` of one, `dev` and `test` of the other."""

    train: Tensor
    train_dev: Tensor
    dev: Tensor
    test: Tensor


@checked
def training_dev(
    rows: int, target_rows: int, *, share: float = 0.1, test_share: float = 0.5, seed: Seed = 0
) -> Partition:
    """Split when the data to train on are not the data that count (curriculum S-DIAG-04).

    The training-dev set is held out of the *training* distribution: what a network loses on it is
    variance, what it loses beyond on the dev set is mismatch; see `diagnose`.

    Args:
        rows: of the training distribution.
        target_rows: of the distribution that counts.
        share: of `rows`, held out as training-dev set.
        test_share: of `target_rows`, kept for one last report.
        seed: of the random orders.
    """
    train, train_dev = hold_out(rows, share, seed=hash31(seed, "training"))
    dev, test = hold_out(target_rows, test_share, seed=hash31(seed, "target"))
    return Partition(train, train_dev, dev, test)


@dataclass(frozen=True)
class CrossValidation:
    """Scores of k folds."""

    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean score."""
        return fmean(self.scores)

    @property
    def standard_error(self) -> float:
        """s/√k, s the standard deviation of the scores."""
        return stdev(self.scores) / math.sqrt(len(self.scores))


@checked
def cross_validate(
    score: Callable[[Tensor, Tensor], float], folds: Sequence[Fold], *, seed: Seed = 0
) -> CrossValidation:
    """Score each fold with a model built anew (curriculum S-CV-01).

    Args:
        score: builds a model, trains it on the first rows and measures it on the second. It is
            called from the same random state for each fold, so all begin with the same weights.
        folds: of `k_fold`.
        seed: of that state.
    """
    scores = []
    for train, held in folds:
        with seeded(hash31(seed, "fold")):
            scores.append(float(score(train, held)))
    return CrossValidation(tuple(scores))


@explained
def leave_each_class(held: Tensor, labels: Tensor, order: Tensor) -> None:
    """Give back a row of each class of which all are held out; take others in their place.

    Args:
        held: bool `[rows]`, changed in place.
        labels: `[rows]`.
        order: all rows, in which the first suitable one is taken.

    Raises:
        ValueError: there are fewer rows to train on than classes.
    """
    _, number, counts = labels.unique(return_inverse=True, return_counts=True)
    left = number[~held].bincount(minlength=len(counts))  # [K]
    if int((~held).sum()) < len(counts):
        message = f"cannot leave a row of each of {len(counts)} classes to train on"
        raise ValueError(f"{message}: only {int((~held).sum())} of {len(held)} rows are left")
    for missing in (left == 0).nonzero().flatten():
        richest = left.argmax()
        back = order[(number[order] == missing) & held[order]][0]
        taken = order[(number[order] == richest) & ~held[order]][0]
        held[back], held[taken] = False, True
        left[missing] += 1
        left[richest] -= 1


def _are_classes(labels: Tensor) -> bool:
    """Whether labels name classes, as floats too: targets of `nn.BCEWithLogitsLoss` are such."""
    if not labels.is_floating_point():
        return True
    found = labels.unique()
    steps = bool((found == found.round()).all()) and bool((found.diff() == 1).all())
    return (steps or len(found) == 2) and 2 * len(found) <= len(labels)


def _order(rows: int, seed: int, labels: Tensor | None) -> Tensor:
    """Return a random order of the rows; with labels, class by class, each in random order."""
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
    if labels is None:
        return order
    if labels.shape != (rows,):
        raise ValueError(f"labels have shape {tuple(labels.shape)}, expected ({rows},)")
    if labels.isnan().any():
        row = int(labels.isnan().nonzero()[0])
        raise ValueError(f"the label of row {row} is NaN: expected a class, or a number")
    return order[labels.cpu()[order].sort(stable=True).indices]
