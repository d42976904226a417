"""Settings of behaviour cloning."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import tyro

from nets.gradients.annealing import Shape
from nets.kinds import (
    Capacity,
    Count,
    Elsewhere,
    Network,
    NonNegative,
    Part,
    Range,
    Schedule,
    Size,
    Whole,
    changing,
)
from nets.settings import Settings


@dataclass(frozen=True)
class BCConfig(Settings):
    """Settings of behaviour cloning."""

    adjustable: ClassVar[tuple[str, ...]] = (
        *("learning_rate", "schedule", "weight_decay", "batch_size", "epochs", "patience"),
        *("validation_share", "label_smoothing", "folds"),
    )

    expert: Annotated[Elsewhere, tyro.conf.arg(name="from", prefix_name=False, metavar="RUN")] = ""
    """Run folder, or saved file, of the agent to imitate."""
    demonstrations: Annotated[
        str, tyro.conf.arg(name="demonstrations", prefix_name=False, metavar="ID")
    ] = ""
    """Data set of Minari to imitate instead, such as cartpole/expert-v0."""
    hidden: tuple[Size, ...] = (64, 64)
    """Hidden layers; pictures have a convolutional encoder instead."""
    activation: str = "relu"
    """Activation of the hidden layers."""
    encoder: Network = "auto"
    """auto (a CNN for pictures), mlp, nature, impala, small-cnn; or one of your own, MODULE:NAME,
    in Python also the thing itself."""
    channels: Literal["auto", "first", "last"] = "auto"
    """Where the channels of pictures are: first, last; auto: as their shape says, if it does."""
    mask_actions: bool = False
    """Whether only actions are taken that the world allows, in `info["action_mask"]`."""
    learning_rate: Schedule = changing(1e-3)
    """Step size of AdamW: a number, or a function of what is left of a fit, from 1 to 0."""
    schedule: Shape = "constant"
    """How a number falls to 0 over the epochs."""
    weight_decay: NonNegative = 0.0
    """Decay of weights, not of biases."""
    batch_size: Capacity = 64
    """Rows of a gradient step."""
    epochs: Count = 50
    """Most passes over the demonstrations."""
    patience: Count = 5
    """Epochs without a better validation loss, after which the best weights are taken."""
    validation_share: Annotated[float, Range(0.0, 1.0, above=True, below=True)] = 0.2
    """Share of the episodes that are held out: steps of one episode are too much alike."""
    label_smoothing: Part = 0.0
    """Probability spread over all actions in the targets, in [0, 1)."""
    balance: Literal["none", "weights", "under", "over", "synthetic"] = "none"
    """Against rare actions: weigh the loss, drop rows, repeat rows, or make rows in between."""
    folds: Whole = 0
    """Folds of a cross-validation, by episodes, before each fit; 0 for none."""
