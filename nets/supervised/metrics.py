"""Measures of a classifier, and the choice between models by several measures."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ..arguments import checked
from ..warned import warn


@checked
def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the share of rows whose class is the likeliest: of the largest logit, or by its sign.

    Args:
        logits: `[..., K]`, or one of each row, of class 1: `[..., 1]` or `[...]`, as of
            `nn.BCEWithLogitsLoss`.
        labels: classes `[...]`; of one logit 0 or 1, also as floats or `[..., 1]`; or
            probabilities of the classes, `[..., K]`, of which the largest counts.

    Returns:
        A share `[]`; NaN where a logit is.

    Raises:
        ValueError: the labels do not fit the logits.
    """
    chosen, labels, _ = _classes(logits, labels)
    return _unless_nan(logits, (chosen == labels).float().mean())


@checked
def balanced_accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean, over the classes that occur, of the share of their rows that are right.

    A classifier that always names the majority has 1/K, however large the majority. Arguments and
    errors are those of `accuracy`.
    """
    counts = _counts(logits, labels)
    there = counts.rows > 0
    return _unless_nan(logits, (counts.right[there] / counts.rows[there]).mean())


@checked
def precision(logits: Tensor, labels: Tensor) -> Tensor:
    """Return right/named, the share of the rows named as of a class that are of it.

    Of one logit that of class 1, of K logits the mean over the classes that occur or are named;
    0 for a class that is never named. Arguments and errors are those of `accuracy`.
    """
    return _mean_of_classes(logits, labels, lambda each: each.right / each.named.clamp(min=1))


@checked
def recall(logits: Tensor, labels: Tensor) -> Tensor:
    """Return right/rows, the share of the rows of a class that are named as of it.

    Of which classes, says `precision`; 0 for a class that does not occur. Arguments and errors are
    those of `accuracy`.
    """
    return _mean_of_classes(logits, labels, lambda each: each.right / each.rows.clamp(min=1))


@checked
def f1(logits: Tensor, labels: Tensor) -> Tensor:
    """Return 2·right/(rows + named), the harmonic mean of precision and recall of a class.

    Of which classes, says `precision`. Arguments and errors are those of `accuracy`.
    """
    return _mean_of_classes(
        logits, labels, lambda each: 2 * each.right / (each.rows + each.named).clamp(min=1)
    )


class _Counts(NamedTuple):
    """Of each class: how many rows there are, are named as of it, and are so rightly."""

    rows: Tensor  # [K]
    named: Tensor  # [K]
    right: Tensor  # [K]


def _mean_of_classes(
    logits: Tensor, labels: Tensor, measure: Callable[[_Counts], Tensor]
) -> Tensor:
    counts = _counts(logits, labels)
    each = measure(counts)  # [K]
    if not logits.numel():
        return torch.full((), math.nan)
    if _one_logit(logits, labels):
        return _unless_nan(logits, each[1])
    return _unless_nan(logits, each[counts.rows + counts.named > 0].mean())


def _counts(logits: Tensor, labels: Tensor) -> _Counts:
    chosen, labels, classes = _classes(logits, labels)
    of = (labels, chosen, labels[chosen == labels])
    return _Counts(*(each.bincount(minlength=classes) for each in of))


def _one_logit(logits: Tensor, labels: Tensor) -> bool:
    """Whether a row has one logit, of class 1."""
    return logits.dim() == 0 or logits.shape[-1] == 1 or logits.shape == labels.shape[:1]


def _classes(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, int]:
    """Return the likeliest class and the label of each row, `[N]` int64 both, and K."""
    if _one_logit(logits, labels):
        if logits.numel() != labels.numel():
            raise _misfit(logits, labels)
        _warn_of_probabilities(logits, labels)
        if not labels.is_meta and not bool(((labels == 0) | (labels == 1)).all()):
            wrong = labels[(labels != 0) & (labels != 1)][0].item()
            raise ValueError(f"labels contain {wrong:g}: of one logit a row they are 0 or 1")
        return (logits > 0).long().flatten(), labels.long().flatten(), 2
    classes = logits.shape[-1]
    if labels.shape == logits.shape:
        sums = labels.sum(-1, dtype=torch.float64)
        if not labels.is_meta and not torch.allclose(sums, torch.ones_like(sums), atol=1e-3):
            message = f"labels have shape {tuple(labels.shape)}, but are no probabilities"
            raise ValueError(f"{message} of {classes} classes: expected sums of 1")
        labels = labels.argmax(-1)
    if labels.shape != logits.shape[:-1] or labels.is_floating_point():
        raise _misfit(logits, labels)
    if labels.numel() and not labels.is_meta:
        low, high = (int(label) for label in labels.aminmax())
        if low < 0 or high >= classes:
            found = f"labels range from {low} to {high}"
            raise ValueError(f"{found}: expected 0 to {classes - 1}, for {classes} logits")
    return logits.argmax(-1).flatten(), labels.long().flatten(), classes


def _warn_of_probabilities(logits: Tensor, labels: Tensor) -> None:
    """Warn where all logits would name class 1, and look like what a sigmoid has given."""
    if logits.is_meta or not logits.numel() or not bool((labels == 0).any()):
        return
    low, high = logits.aminmax()
    if bool((low > 0) & (high <= 1)) and bool((low < 0.5) & (high > 0.5)):
        message = f"logits lie between {low:g} and {high:g}, and all name class 1"
        warn(f"{message}: give them from before the sigmoid, or subtract 0.5")


def _misfit(logits: Tensor, labels: Tensor) -> ValueError:
    expected = f"integers of shape {tuple(logits.shape[:-1])}"
    found = f"{labels.dtype} of shape {tuple(labels.shape)}"
    return ValueError(f"labels are {found}: expected {expected} for logits {tuple(logits.shape)}")


def _unless_nan(logits: Tensor, value: Tensor) -> Tensor:
    """Return a measure of `logits`, or NaN: whoever compares NaN has chosen nothing."""
    return torch.where(logits.isnan().any(), math.nan, value)


def satisficing(
    candidates: Sequence[Mapping[str, float]],
    optimising: str,
    *,
    mode: Literal["min", "max"] = "max",
    at_least: Mapping[str, float] | None = None,
    at_most: Mapping[str, float] | None = None,
) -> int:
    """Return the number of the best candidate among those that are good enough
    (curriculum S-MET-01).

    One metric is optimised, the others only have to satisfy: "the most accurate model that answers
    within 10 ms".

    Args:
        candidates: the metrics of each.
        optimising: the metric to optimise; of equal candidates the first is taken.
        mode: whether it should be large or small.
        at_least: thresholds on satisficing metrics.
        at_most: the same, from above.

    Raises:
        KeyError: a candidate lacks a metric.
        ValueError: no candidate satisfies; the message tells how near each threshold they come.
    """
    bounds = [(name, bound, 1.0) for name, bound in (at_most or {}).items()]
    bounds += [(name, bound, -1.0) for name, bound in (at_least or {}).items()]
    feasible = [
        number
        for number, metrics in enumerate(candidates)
        if all(sign * metrics[name] <= sign * bound for name, bound, sign in bounds)
        and not math.isnan(metrics[optimising])
    ]
    if not feasible:
        found = [
            f"{name} is {sign * min(sign * each[name] for each in candidates):g} at best, "
            f"expected at {'most' if sign > 0 else 'least'} {bound:g}"
            for name, bound, sign in bounds
            if candidates
        ]
        raise ValueError(
            f"none of {len(candidates)} candidates satisfies all thresholds ({'; '.join(found)})"
        )
    better = max if mode == "max" else min
    return better(feasible, key=lambda number: candidates[number][optimising])
