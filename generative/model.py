"""What a generative model is: players over shared networks, who take gradient steps in turn.

An autoencoder is one player. A GAN is two against each other, an adversarial autoencoder three.
One trainer serves them all: for each player in turn, it computes the loss of a batch, takes the
gradient with respect to that player's module alone, and lets the player's optimiser step.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import (
    Any,
    ClassVar,
    Generic,
    NamedTuple,
    Protocol,
    Required,
    Self,
    TypedDict,
    TypeVar,
    runtime_checkable,
)

import torch
from torch import Tensor, nn

from nets.glance import changed, in_a_table
from nets.keywords import Keywords
from nets.kinds import Count, Size, Whole
from nets.process.memory import within_memory
from nets.process.seeding import seeded
from nets.runs.configurations import recalled, recorded
from nets.settings import required, settings_of

from .classes import Label, asked
from .config import ModelConfig as ModelConfig
from .shown import SHOWN, are_pictures, png

Metrics = Mapping[str, Tensor]
"""Numbers for people, detached; they stay on the device until somebody reads them."""

KIND = "generative"
OF_BEFORE = {"ema_warmup": False}
"""Settings that files do not have which were written before there were such."""


class Batch(NamedTuple):
    """Rows of a data set on the training device."""

    x: Tensor  # [B, C, H, W] in [0, 1], or [B, D]
    label: Tensor | None = None  # [B] int64, where the data has classes


class Rows(Protocol):
    """What is trained on: N rows, gathered in batches of what a player's loss takes."""

    @property
    def name(self) -> str:
        """What the rows are of."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one datum."""
        ...

    @property
    def device(self) -> torch.device:
        """Where they are."""
        ...

    @property
    def columns(self) -> Sequence[Tensor | None]:
        """What tells the rows from others."""
        ...

    def __len__(self) -> int: ...

    def to(self, device: str | torch.device) -> Self:
        """Return the rows on another device."""
        ...

    def batch(self, index: Tensor) -> tuple[Any, ...]:
        """Gather rows, int64 `[B]` on their device."""
        ...


class Loss(NamedTuple):
    """What a player lowers, and what people may look at."""

    value: Tensor  # []
    metrics: Metrics


@dataclass(frozen=True)
class Player:
    """Who owns a module and lowers a loss of it.

    Attributes:
        name: of the player: "autoencoder", "generator", "discriminator", ...
        module: whose parameters the player's optimiser steps; all others are held fixed.
        loss: of a batch; draws its noise from torch's global generator.
        steps: batches per turn; a discriminator may take several before its opponent's one.
        batch: makes of columns what the loss takes.
    """

    name: str
    module: nn.Module
    loss: Callable[[Any], Loss]
    steps: int = 1
    batch: Callable[[Sequence[Tensor | None]], tuple[Any, ...]] = Batch._make


ConfigT = TypeVar("ConfigT", bound=ModelConfig)


class ModelOptions(TypedDict, total=False):
    """What every model takes beside the shape of its data and its configuration."""

    dataset_size: Required[int]
    num_classes: int | None


class GenerativeModel(Keywords, nn.Module, ABC, Generic[ConfigT]):
    """A model of data of one shape.

    Args:
        shape: of one datum: `(C, H, W)` for pictures, `(D,)` for vectors.
        config: the frozen dataclass of the model; its defaults when None.
        dataset_size: rows of the training data, N.
        num_classes: classes of the labels, for conditional models; None where there are none.
    """

    name: ClassVar[str]
    config_type: ClassVar[type]
    classes: int = 0
    """How many classes samples can be asked for by; 0: the model is not conditional."""

    def __init__(
        self,
        shape: Sequence[int],
        config: ConfigT | None = None,
        *,
        dataset_size: int,
        num_classes: int | None = None,
    ) -> None:
        super().__init__()
        self.shape = required("shape", shape, tuple[Size, ...])
        self.config: ConfigT = settings_of(self.config_type, config)
        self.dataset_size: int = required("dataset_size", dataset_size, Count)
        self.num_classes: int | None = required("num_classes", num_classes, Count | None)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: what it is, and pictures that it makes, always the same."""
        count = sum(parameter.numel() for parameter in self.parameters())
        facts = {"shape": self.shape, "parameters": f"{count:,}", "rows": self.dataset_size}
        return in_a_table(self, facts | changed(self.config), self._made(), width="4em")

    def _made(self) -> list[bytes]:
        """Return samples as files, where they are pictures; nothing of the model changes."""
        if not are_pictures(self.shape):
            return []
        training = [module for module in self.modules() if module.training]
        try:
            with torch.no_grad(), seeded(0):
                return [png(x) for x in self.eval().sample(SHOWN)]
        finally:
            for module in training:
                module.training = True

    @abstractmethod
    def players(self) -> Sequence[Player]:
        """Return the players in the order of their turns."""

    @abstractmethod
    def sample(self, n: int, label: Label = None) -> Tensor:
        """Draw `[n, *shape]`: pictures in [0, 1], vectors as they come.

        Args:
            n: how many.
            label: classes `[n]` that a conditional model is asked for, or one for all; drawn when
                None.
        """

    def validate(self, batch: Any) -> Metrics:
        """Measure held-out data; `"loss"`, where there is one, decides which weights are best."""
        return {}

    def usual(self) -> ModelConfig | None:
        """Return the settings that it has where none are given; None: those of the dataclass."""
        return None

    def manifest(self) -> dict[str, Any]:
        """Everything that it takes to build the model again, as plain values."""
        return {
            "kind": KIND,
            "model": self.name,
            "shape": list(self.shape),
            "config": recorded(self.config),
            "dataset_size": self.dataset_size,
            "num_classes": self.num_classes,
        }

    @classmethod
    def from_manifest(
        cls,
        manifest: Mapping[str, Any],
        *,
        trust: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> Self:
        """Build the model that `manifest` describes; see `generative.load`."""
        return cls(
            manifest["shape"],
            recalled(cls.config_type, OF_BEFORE | manifest["config"], settings, trust=trust),
            dataset_size=manifest["dataset_size"],
            num_classes=manifest["num_classes"],
        )

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    def many(self, n: int) -> int:
        """Return how many data are asked for at once.

        Raises:
            ValueError: it is no whole number from 0 on, or no memory holds them.
        """
        n = required("n", n, Whole)
        return within_memory(f"n is {n}", n, 4 * math.prod(self.shape))

    def asked(self, n: int, label: Label) -> Tensor | None:
        """Return the classes `[n]` int64 that are asked for; see `classes.asked`."""
        return asked(label, n, self.classes, self.name, self.device)

    def told(self, batch: Batch) -> Tensor | None:
        """Return the classes of a batch as far as the model is told them.

        Raises:
            ValueError: the model is conditional, and the batch has no labels.
        """
        if self.classes and batch.label is None:
            raise ValueError(f"a conditional {self.name} needs batches with labels")
        return batch.label if self.classes else None

    def tell_classes(self) -> None:
        """Make the model conditional.

        Raises:
            ValueError: the data have no classes.
        """
        if self.num_classes is None:
            raise ValueError(f"a conditional {self.name} needs data with classes")
        self.classes = self.num_classes


@runtime_checkable
class Encodes(Protocol):
    """What finds the latents of data: autoencoders do."""

    def encode(self, x: Tensor) -> Tensor:
        """Return latents `[B, D]` of data `[B, *shape]`."""
        ...


@runtime_checkable
class Decodes(Protocol):
    """What makes data of latents: autoencoders and generators do."""

    def prior(self, n: int) -> Tensor:
        """Draw latents `[n, D]`."""
        ...

    def decode(self, z: Tensor, label: Label = None) -> Tensor:
        """Return data `[B, *shape]` of latents `[B, D]`, and of classes `[B]` if conditional."""
        ...
