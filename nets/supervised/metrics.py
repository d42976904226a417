"""Measures of a classifier, and the choice between models by several measures."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from torch import Tensor


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the share of rows `[B]` whose largest logit `[B, K]` is that of their label."""
    return (logits.argmax(dim=-1) == labels).float().mean()


def balanced_accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean, over the classes that occur, of the share of their rows that are right.

    A classifier that always names the majority has 1/K, however large the majority.

    Args:
        logits: `[B, K]`.
        labels: `[B]`.
    """
    classes = logits.shape[-1]
    rows = labels.bincount(minlength=classes)  # [K]
    right = labels[logits.argmax(dim=-1) == labels].bincount(minlength=classes)  # [K]
    there = rows > 0
    return (right[there] / rows[there]).mean()


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
