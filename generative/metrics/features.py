"""Feature spaces in which pictures can be compared, SPEC G-VAE-11.

A classifier of our own, trained on the data in seconds, needs nothing but the data and their
classes; Inception, whose Fréchet distance is the FID of papers, needs torch-fidelity.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nets.decoders import ConvEncoder, MLPEncoder
from nets.optim import optimizer
from nets.training.seeding import seeded

from ..dataset import Dataset

ROWS = 1024  # that pass through a network at once


class Classifier(nn.Module):
    """A small network that tells classes; what its last hidden layer says are the features.

    Args:
        shape: of one datum.
        num_classes: K.
        features: size of the last hidden layer.
    """

    def __init__(self, shape: tuple[int, ...], num_classes: int, features: int = 64) -> None:
        super().__init__()
        self.encoder: nn.Module
        if len(shape) == 3:
            halvings = 2 if min(shape[1:]) < 32 else 3
            channels = (16, 32, 64)[:halvings]
            self.encoder = ConvEncoder((shape[0], shape[1], shape[2]), channels, (features,))
        else:
            self.encoder = MLPEncoder(shape, (features, features))
        self.head = nn.Linear(features, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits `[B, K]` of data `[B, *shape]`."""
        return self.head(self.encoder(x))

    def features(self, x: Tensor) -> Tensor:
        """Return features `[N, features]` of data or samples `[N, *shape]`."""
        return _in_parts(self.encoder, x)

    def probabilities(self, x: Tensor) -> Tensor:
        """Return what it takes each class to be worth, `[N, K]`, of `[N, *shape]`."""
        return _in_parts(self, x).softmax(1)


class Recognition(NamedTuple):
    """What a classifier trained on data says of samples."""

    confident: float
    """Share of the samples that it gives to a class with probability 0.9 or more."""
    classes: Tensor
    """Samples it takes for each class, `[K]` int64."""
    accuracy: float | None
    """Share of the samples that it takes for the class they were made as; None if for none."""


def train_classifier(
    data: Dataset, *, steps: int = 500, batch_size: int = 128, seed: int = 0
) -> Classifier:
    """Train a classifier on the data's own classes.

    Args:
        data: with labels, on the device to train on.
        steps: of Adam.
        batch_size: rows of each step, drawn with replacement.
        seed: of weights and batches.

    Raises:
        ValueError: the data have no classes.
    """
    if data.labels is None or data.num_classes is None:
        raise ValueError(f"{data.name} has no classes to train a classifier on")
    with seeded(seed):
        classifier = Classifier(data.shape, data.num_classes).to(data.device)
        adam = optimizer("adam", classifier.parameters(), lr=1e-3)
        for _ in range(steps):
            batch = data.batch(torch.randint(len(data), (batch_size,), device=data.device))
            assert batch.label is not None
            loss = F.cross_entropy(classifier(batch.x), batch.label)
            adam.zero_grad()
            loss.backward()
            adam.step()
    return classifier.eval().requires_grad_(False)


def recognition(
    classifier: Classifier, samples: Tensor, labels: Tensor | None = None
) -> Recognition:
    """Let a classifier that has seen data judge samples.

    Args:
        classifier: see `train_classifier`.
        samples: `[N, *shape]`.
        labels: the classes they were made as, `[N]` int64, of a conditional model.
    """
    confidence, taken_for = classifier.probabilities(samples).max(dim=1)  # [N], [N]
    return Recognition(
        (confidence >= 0.9).double().mean().item(),
        torch.bincount(taken_for, minlength=classifier.head.out_features),
        None if labels is None else (taken_for == labels).double().mean().item(),
    )


def inception_features(x: Tensor) -> Tensor:
    """Return Inception's features `[N, 2048]`, those of the FID (Heusel et al., 2017).

    torch-fidelity, which must be installed, fetches the weights from the internet at first use.

    Args:
        x: pictures `[N, C, H, W]` in [0, 1], or uint8; one channel becomes three.

    Raises:
        ImportError: torch-fidelity is not installed.
        ValueError: the rows are no pictures of one or three channels.
    """
    if x.dim() != 4 or x.shape[1] not in (1, 3):
        raise ValueError(f"rows have shape {list(x.shape)}: expected [N, 1 or 3, H, W]")
    from torch_fidelity import (  # type: ignore[import-not-found, unused-ignore]
        FeatureExtractorInceptionV3,
    )

    network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"]).to(x.device).eval()
    if x.dtype != torch.uint8:
        x = x.clamp(0.0, 1.0).mul(255.0).round().to(torch.uint8)
    return _in_parts(lambda part: network(part)[0], x.expand(-1, 3, -1, -1), rows=64)


@torch.no_grad()
def _in_parts(network: Callable[[Tensor], Tensor], x: Tensor, rows: int = ROWS) -> Tensor:
    return torch.cat([network(part) for part in x.split(rows)])
