"""Feature spaces in which pictures can be compared, curriculum G-VAE-11.

A classifier of our own, trained on the data in seconds, needs nothing but the data and their
classes; Inception, whose Fréchet distance is the FID of papers, needs torch-fidelity.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.special import entr

from nets.gradients.optim import optimizer
from nets.networks.decoders import ConvEncoder, MLPEncoder
from nets.process.seeding import seeded
from nets.supervised.fit import FitConfig, fit, predict

from ..data.dataset import Dataset

FACTOR_WEIGHT = 0.1  # of the factors' mean loss; more of it makes the classes' worse
CONFIDENT = 0.9  # the least probability of a class that counts as recognition


class Classifier(nn.Module):
    """A small network that tells what is shown; its last hidden layer gives the features.

    Args:
        shape: of one datum.
        sizes: of the things that it tells apart, K values each; the classes come first.
        features: size of the last hidden layer.
    """

    def __init__(self, shape: tuple[int, ...], sizes: Sequence[int], features: int = 64) -> None:
        super().__init__()
        self.encoder: nn.Module
        if len(shape) == 3:
            halvings = 2 if min(shape[1:]) < 32 else 3
            channels = (16, 32, 64)[:halvings]
            self.encoder = ConvEncoder((shape[0], shape[1], shape[2]), channels, (features,))
        else:
            self.encoder = MLPEncoder(shape, (features, features))
        self.sizes = tuple(sizes)
        self.head = nn.Linear(features, sum(sizes))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits `[B, ΣK]` of data `[B, *shape]`, those of the classes first."""
        return self.head(self.encoder(x))

    def features(self, x: Tensor) -> Tensor:
        """Return features `[N, features]` of data or samples `[N, *shape]`."""
        return predict(self.encoder, x)

    def probabilities(self, x: Tensor) -> Tensor:
        """Return what it takes each class to be worth, `[N, K]`, of `[N, *shape]`."""
        return predict(self, x)[:, : self.sizes[0]].softmax(1)


class Recognition(NamedTuple):
    """What a classifier trained on data says of samples."""

    confident: float
    """Share of the samples that it gives to a class with probability 0.9 or more."""
    classes: Tensor
    """Samples it takes for each class, `[K]` int64."""
    evenness: float
    """Their entropy over log K: 1 where all classes are as frequent, 0 where there is but one."""
    accuracy: float | None
    """Share of the samples that it takes for the class they were made as; None if for none."""


def train_classifier(
    data: Dataset, *, steps: int = 500, batch_size: int = 128, seed: int = 0
) -> Classifier:
    """Train a classifier on the data's classes and, where they are known, on all their factors.

    The factors make features that tell where a figure stands and how large it is.

    Args:
        data: with labels.
        steps: of Adam at a rate of 1e-3, rounded up to whole passes over the rows; of rows that
            are too many for one pass, some.
        batch_size: rows of each step.
        seed: of weights, rows and order.

    Raises:
        ValueError: the data have no classes.
    """
    data = data.limited(steps * batch_size, seed)
    targets, sizes = _targets(data)

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        parts = zip(logits.split(sizes, dim=1), targets.unbind(1), strict=True)
        of_class, *of_factors = (F.cross_entropy(part, target) for part, target in parts)
        return of_class + sum(of_factors) * (FACTOR_WEIGHT / max(1, len(of_factors)))

    with seeded(seed):
        classifier = Classifier(data.shape, sizes).to(data.device)
    passes = math.ceil(steps * batch_size / max(len(data), batch_size))
    fit(
        classifier,
        (data.batch(slice(None)).x, targets),
        loss=loss,
        optimizer=optimizer("adam", classifier.parameters(), lr=1e-3),
        config=FitConfig(passes, batch_size, seed=seed),
    )
    return classifier.eval().requires_grad_(False)


def _targets(data: Dataset) -> tuple[Tensor, list[int]]:
    """Return classes and factors, int64 `[N, 1 + F]`, and how many values each has."""
    if data.labels is None or data.num_classes is None:
        raise ValueError(f"{data.name} has no classes to train a classifier on")
    if data.factors is None:
        return data.labels[:, None], [data.num_classes]
    sizes = [data.num_classes, *(int(most) + 1 for most in data.factors.amax(0))]
    return torch.cat([data.labels[:, None], data.factors], dim=1), sizes


def recognition(
    classifier: Classifier, samples: Tensor, labels: Tensor | None = None
) -> Recognition:
    """Let a classifier that has seen data judge samples.

    Args:
        classifier: see `train_classifier`.
        samples: `[N, *shape]`.
        labels: the classes they were made as, `[N]` int64, of a conditional model.
    """
    probabilities = classifier.probabilities(samples)  # [N, K]
    confidence, taken_for = probabilities.max(dim=1)  # [N], [N]
    counts = torch.bincount(taken_for, minlength=probabilities.shape[1])  # [K]
    return Recognition(
        (confidence >= CONFIDENT).double().mean().item(),
        counts,
        (entr(counts.double() / len(samples)).sum() / math.log(len(counts))).item(),
        None if labels is None else (taken_for == labels).double().mean().item(),
    )


class Inception(NamedTuple):
    """What Inception says of pictures."""

    features: Tensor  # [N, 2048], those of FID and KID
    logits: Tensor  # [N, 1008], without biases, those of the Inception score


def as_bytes(x: Tensor) -> Tensor:
    """Return numbers in [0, 1], of any shape, as uint8 from 0 to 255."""
    return x.clamp(0.0, 1.0).mul(255.0).round().byte()


def inception(x: Tensor) -> Inception:
    """Return Inception's features, as papers use them for the FID (Heusel et al., 2017).

    torch-fidelity, which must be installed, fetches the weights from the internet at first use.

    Args:
        x: pictures `[N, C, H, W]` in [0, 1], or uint8; one channel becomes three.

    Raises:
        ImportError: torch-fidelity is not installed.
        ValueError: the rows are no pictures of one or three channels.
    """
    if x.dim() != 4 or x.shape[1] not in (1, 3):
        raise ValueError(f"rows have shape {list(x.shape)}: expected [N, 1 or 3, H, W]")
    try:
        from torch_fidelity import (  # type: ignore[import-not-found, unused-ignore]
            FeatureExtractorInceptionV3,
        )
    except ImportError as error:
        message = "Inception's features need torch-fidelity: pip install torch-fidelity"
        raise ImportError(message) from error

    network = (
        FeatureExtractorInceptionV3("inception-v3-compat", ["2048", "logits_unbiased"])
        .to(x.device)
        .eval()
    )
    if x.dtype != torch.uint8:
        x = as_bytes(x)
    with torch.no_grad():
        parts = x.expand(-1, 3, -1, -1).split(64)
        found = [network(part) for part in parts]
    return Inception(*(torch.cat(outputs) for outputs in zip(*found, strict=True)))
