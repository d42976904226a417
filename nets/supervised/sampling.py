"""Labels: how they are written and counted, and what to do where one class outnumbers others.

Sampling is for the rows to train on, *after* the others were held out: a row drawn twice before a
split would be learned on one side and measured on the other.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..arguments import checked
from ..kinds import Count, Seed


@checked
def one_hot(labels: Tensor, num_classes: Count, *, smoothing: float = 0.0) -> Tensor:
    """Return (1 − s)·e_k + s/K for each label k (curriculum S-DATA-06); argmax gives k back.

    Args:
        labels: integers `[...]` in [0, K).
        num_classes: K.
        smoothing: s in [0, 1): probability spread evenly over all classes.

    Returns:
        Floats `[..., K]`, targets of `nn.CrossEntropyLoss`.
    """
    _require_classes(labels, num_classes)
    if not 0.0 <= smoothing < 1.0:
        raise ValueError(f"smoothing must be in [0, 1), got {smoothing}")
    return F.one_hot(labels, num_classes).float() * (1.0 - smoothing) + smoothing / num_classes


@checked
def label_counts(labels: Tensor, num_classes: Count) -> Tensor:
    """Return how often each of K classes occurs among `labels` `[N]`, as `[K]`
    (curriculum S-DATA-06).
    """
    _require_classes(labels, num_classes)
    if labels.dim() != 1:
        raise ValueError(f"labels have shape {tuple(labels.shape)}, expected [N]")
    return torch.bincount(labels, minlength=num_classes)


@checked
def class_weights(labels: Tensor, num_classes: Count) -> Tensor:
    """Return w_c = N/(K·n_c), over the K classes that occur; 0 for others (curriculum S-DATA-04).

    In `nn.CrossEntropyLoss(weight=...)` they have, in expectation, the effect of over-sampling. A
    row of labels `[N]` weighs 1 on average.

    Returns:
        Weights `[num_classes]`.
    """
    counts = label_counts(labels, num_classes)
    there = counts > 0
    weights = len(labels) / (there.sum() * counts.clamp(min=1))
    return torch.where(there, weights, 0.0)


@checked
def under_sample(labels: Tensor, *, seed: Seed = 0) -> Tensor:
    """Return rows that hold each class of `labels` `[N]` as often as the rarest
    (curriculum S-DATA-01).

    The other rows are dropped, at random.
    """
    classes = _classes(labels, seed)
    least = min(map(len, classes))
    return torch.cat([rows[:least] for rows in classes]).sort().values


@checked
def over_sample(labels: Tensor, *, seed: Seed = 0) -> Tensor:
    """Return rows that hold each class of `labels` `[N]` as often as the commonest (S-DATA-02).

    Every row is there. Those of rarer classes are repeated, all as often, to one time.
    """
    classes = _classes(labels, seed)
    most = max(map(len, classes))
    return torch.cat([rows.repeat(-(-most // len(rows)))[:most] for rows in classes]).sort().values


@checked
def synthetic_sample(
    inputs: Tensor, labels: Tensor, *, neighbours: Count = 5, seed: Seed = 0
) -> tuple[Tensor, Tensor]:
    """Bring each class to the size of the commonest by points between its own
    (curriculum S-DATA-03).

    A new point is x + u·(x' − x), with u ~ U(0, 1) and x' one of the nearest neighbours of x in its
    class: SMOTE (Chawla, Bowyer, Hall & Kegelmeyer, 2002). A class of one row is repeated.

    Args:
        inputs: floats `[N, ...]` for which the points in between make sense; no pictures of boards.
        labels: `[N]`.
        neighbours: among how many of the nearest x' is drawn.
        seed: of the draws.

    Returns:
        The inputs, then the new points, and their labels.

    Raises:
        TypeError: the inputs are not floats.
    """
    if not inputs.is_floating_point():
        raise TypeError(f"inputs are {inputs.dtype}: expected floats, with points between them")
    if labels.dim() == 1 and inputs.shape[:1] != labels.shape:
        raise ValueError(f"got {len(labels)} labels of inputs of shape {tuple(inputs.shape)}")
    from sklearn.neighbors import NearestNeighbors

    generator = torch.Generator().manual_seed(seed)
    classes = _classes(labels, seed)
    most = max(map(len, classes))
    points, names = [inputs], [labels]
    for rows in classes:
        missing, near = most - len(rows), min(neighbours, len(rows) - 1)
        own = inputs[rows.to(inputs.device)]  # [n, ...]
        chosen = torch.randint(len(rows), (missing,), generator=generator)
        other = chosen
        if near and missing:
            flat = own.flatten(1).cpu().numpy()
            table = torch.from_numpy(
                NearestNeighbors(n_neighbors=near).fit(flat).kneighbors(return_distance=False)
            )  # [n, near]; nobody is a neighbour of itself
            other = table[chosen, torch.randint(near, (missing,), generator=generator)]
        u = torch.rand((missing,) + (1,) * (inputs.dim() - 1), generator=generator)
        points.append(torch.lerp(own[chosen], own[other], u.to(own)))
        names.append(labels[rows[:1].to(labels.device)].expand(missing))
    return torch.cat(points), torch.cat(names)


def _require_classes(labels: Tensor, num_classes: int) -> None:
    """Raise where labels are no integers in [0, K)."""
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise TypeError(f"labels are {labels.dtype}: expected integers")
    if labels.numel() and not labels.is_meta:
        low, high = (int(label) for label in labels.aminmax())
        if low < 0 or high >= num_classes:
            raise ValueError(f"labels range from {low} to {high}: expected 0 to {num_classes - 1}")


def _classes(labels: Tensor, seed: int) -> list[Tensor]:
    """Return the rows of each class that occurs, in random order."""
    if labels.dim() != 1 or not len(labels):
        raise ValueError(f"labels have shape {tuple(labels.shape)}, expected [N], N at least 1")
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    shuffled = labels.cpu()[order]
    return [order[shuffled == label] for label in shuffled.unique()]
