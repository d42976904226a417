"""Whether data are what a model takes them for, before it is trained on them."""

from torch import Tensor

from nets.warned import warn

from ..data.dataset import Dataset
from ..model import GenerativeModel, Rows

LOOKED_AT = 10_000  # rows of vectors
PORTION = 64  # rows that are compared at a time
LARGEST, SMALLEST = 30.0, 1 / 30  # of numbers that networks learn from as they are


def require_suitable(model: GenerativeModel, data: Rows) -> None:
    """Refuse numbers that the model's likelihood knows nothing of; warn of columns out of scale,
    of rows that are all equal, and of classes without rows.

    Raises:
        ValueError: the likelihood is of numbers in [0, 1], and others are among the data.
    """
    if not isinstance(data, Dataset) or data.device.type == "meta":
        return
    _warn_of_empty_classes(model, data)
    _warn_of_equal_rows(data)
    if len(data.shape) != 1:
        return  # pictures are in [0, 1]
    x = data.batch(slice(0, LOOKED_AT)).x  # [N, D]
    low, high = (value.item() for value in x.aminmax())
    if getattr(model, "likelihood", "") == "bernoulli" and (low < 0.0 or high > 1.0):
        message = (
            f"{data.name} ranges from {low:g} to {high:g}: likelihood 'bernoulli' is of numbers"
        )
        raise ValueError(f"{message} in [0, 1]; expected likelihood 'gaussian'")
    largest, spread = x.abs().amax(0), x.std(0, correction=0)  # [D], [D]
    varies = spread > 0
    _warn_of_constants(model, data, varies)
    wrong = (largest > LARGEST) | (varies & (largest < SMALLEST))
    if bool(wrong.any()):
        k = int(wrong.nonzero()[0])
        found = f"{data.name}: column {k} has mean {x[:, k].mean():g} and standard deviation"
        advice = "standardise the columns, (x - mean)/std, or little is learned"
        warn(f"{found} {spread[k]:g}: {advice}")


def _warn_of_empty_classes(model: GenerativeModel, data: Dataset) -> None:
    """Warn of classes that a conditional model is asked for, and sees no row of."""
    if not model.classes or data.labels is None:
        return
    empty = (data.labels.bincount(minlength=model.classes) == 0).nonzero().flatten().tolist()
    if empty:
        others = f" or of {len(empty) - 1} more" if len(empty) > 1 else ""
        message = f"{data.name}: no row to train on is of the class {data.class_names[empty[0]]!r}"
        warn(f"{message}{others}: samples of it will mean nothing")


def _warn_of_equal_rows(data: Dataset) -> None:
    """Warn where every row is the first again: as of files that were written wrongly."""
    first = data.x[:1]
    for begin in range(0, len(data), PORTION):
        if not bool((data.x[begin : begin + PORTION] == first).all()):
            return
    if len(data) > 1:
        warn(f"{data.name}: all {len(data):,} rows are equal; there is nothing else to learn")


def _warn_of_constants(model: GenerativeModel, data: Dataset, varies: Tensor) -> None:
    """Warn of columns of one value, `varies` [D], where their σ is learned: it goes to 0."""
    learned = getattr(model, "likelihood", "") == "gaussian" and hasattr(
        model.config, "learn_scale"
    )
    if not learned or not model.config.learn_scale or bool(varies.all()):
        return
    k = int((~varies).nonzero()[0])
    name = f"column {k}" if data.units is None else f"the column {data.units.columns[k]!r}"
    count = int((~varies).sum())
    others = f" and {count - 1} more never vary" if count > 1 else " never varies"
    message = f"{data.name}: {name}{others}, so its learned scale falls to 0 and the loss with it"
    warn(f"{message}, without an end; leave out what is constant, or turn learn_scale off")
