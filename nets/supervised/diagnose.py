"""What is wrong with a model, told from its errors, and what helps (curriculum S-DIAG)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from torch import nn

from ..arguments import checked

REMEDIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "avoidable bias": (
            "a larger network",
            "longer training, or a better optimiser",
            "another architecture",
            "weaker regularisation",
        ),
        "variance": (
            "more data, or augmentation",
            "regularisation: a penalty on weights, dropout, noise",
            "early stopping",
            "another architecture",
        ),
        "data mismatch": (
            "look at what the dev set has that the training set lacks",
            "move part of the dev set's distribution into the training set",
            "synthesise data like the dev set's",
        ),
        "overfitting to the dev set": ("more rows in the dev set", "a fresh one"),
    }
)


@dataclass(frozen=True)
class Diagnosis:
    """The gaps between errors, in the order in which they open."""

    gaps: Mapping[str, float]
    """By name, see `REMEDIES`; negative where the later set is the easier one."""

    @property
    def problem(self) -> str | None:
        """The largest gap; None where no gap is above 0."""
        name = max(self.gaps, key=lambda gap: self.gaps[gap])
        return name if self.gaps[name] > 0.0 else None

    @property
    def remedies(self) -> tuple[str, ...]:
        """What helps against the problem (curriculum S-DIAG-03, S-DIAG-05)."""
        return () if self.problem is None else REMEDIES[self.problem]

    def __str__(self) -> str:
        width = max(map(len, self.gaps))
        lines = [f"{name:<{width}}  {gap:+.4f}" for name, gap in self.gaps.items()]
        if self.problem is None:
            return "\n".join([*lines, "no gap to close"])
        return "\n".join([*lines, f"{self.problem}: try", *(f"- {way}" for way in self.remedies)])


@checked
def diagnose(
    *,
    train: float,
    dev: float,
    human: float = 0.0,
    train_dev: float | None = None,
    test: float | None = None,
) -> Diagnosis:
    """Split the error on the dev set into its causes (curriculum S-DIAG-02).

    avoidable bias = train − human; variance = train-dev − train; data mismatch = dev − train-dev;
    overfitting to the dev set = test − dev. Without a training-dev set the dev set is taken to come
    from the training distribution: variance = dev − train, and nothing is said of mismatch.

    Args:
        train: error on the training set, as all errors: small is good.
        dev: on the set by which models are chosen.
        human: the error that cannot be avoided (Bayes), for which that of people often stands.
        train_dev: on rows held out of the training distribution, see `splits.training_dev`.
        test: on the set that is looked at once.
    """
    gaps = {"avoidable bias": train - human}
    if train_dev is None:
        gaps["variance"] = dev - train
    else:
        gaps["variance"] = train_dev - train
        gaps["data mismatch"] = dev - train_dev
    if test is not None:
        gaps["overfitting to the dev set"] = test - dev
    return Diagnosis(gaps)


@dataclass(frozen=True)
class ErrorType:
    """One kind of mistakes."""

    name: str
    count: int
    """How many mistakes are of this kind."""
    share: float
    """Their share of all mistakes; the shares may exceed 1 in all, as a mistake may be of two."""
    ceiling: float
    """The most that the error rate could fall if they were all avoided."""


@checked
def error_analysis(mistakes: Sequence[Collection[str]], rows: int) -> list[ErrorType]:
    """Count kinds of mistakes, to see which is worth work (curriculum S-DIAG-06).

    Args:
        mistakes: the kinds that each misclassified row was found to be of.
        rows: of the set that was classified, mistakes and others.

    Returns:
        The kinds, those with the highest ceiling first.

    Raises:
        ValueError: there are more mistakes than rows.
    """
    if len(mistakes) > rows:
        raise ValueError(f"there are {len(mistakes)} mistakes among {rows} rows")
    counts: dict[str, int] = {}
    for kinds in mistakes:
        for kind in set(kinds):
            counts[kind] = counts.get(kind, 0) + 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [ErrorType(name, n, n / len(mistakes), n / rows) for name, n in ranked]


@checked
def capacity(module: nn.Module) -> int:
    """Return how many numbers `module` can learn: a crude measure of capacity
    (curriculum S-DIAG-07).

    Parameters that are frozen do not count, shared ones once.
    """
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
