"""Settings of policy gradients."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from nets.kinds import (
    Elsewhere,
    Network,
    NonNegative,
    Positive,
    Range,
    Schedule,
    Share,
    Size,
    Space,
    Span,
    Whole,
    changing,
)
from nets.settings import Settings


@dataclass(frozen=True)
class PolicyConfig(Settings):
    """Settings that all policy-gradient methods share."""

    adjustable: ClassVar[tuple[str, ...]] = (
        *("discount", "learning_rate", "schedule", "anneal_steps"),
        *("value_coefficient", "entropy_coefficient", "max_grad_norm"),
    )
    shaping: ClassVar[tuple[str, ...]] = (
        *("hidden", "activation", "squash"),
        *("normalize_observation", "normalize_reward"),
    )
    tunable: ClassVar[Space] = {
        "learning_rate": Span(1e-5, 1e-2, log=True),
        "discount": (0.9, 0.95, 0.98, 0.99, 0.995, 0.999),
        "entropy_coefficient": Span(1e-6, 0.1, log=True),
        "max_grad_norm": (0.3, 0.5, 1.0, 2.0, 5.0),
        "hidden": ((32, 32), (64, 64), (256, 256)),
        "activation": ("tanh", "relu"),
    }

    encoder: Network = "auto"
    """auto (a CNN for pictures), mlp, nature, impala, small-cnn; a memory, lstm or gru; both, as in
    nature+lstm; or one of your own, MODULE:NAME, in Python also the thing itself."""
    memory: Literal["none", "lstm", "gru"] = "none"
    """What remembers behind an encoder of your own; a name of ours can say it, too."""
    channels: Literal["auto", "first", "last"] = "auto"
    """Where the channels of pictures are: first, last; auto: as their shape says, if it does."""
    pretrained: Elsewhere = ""
    """Run folder, or file, of an agent, autoencoder or classifier whose encoder it begins with."""
    freeze_encoder: bool = False
    """Whether the encoder of pictures stays as it begins."""
    hidden: tuple[Size, ...] = (64, 64)
    """Hidden layers of the policy and of the value, each its own; none after a CNN of ours."""
    activation: str = "tanh"
    """Activation of the hidden layers."""
    memory_size: Size = 64
    """Units of an LSTM or GRU."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of convolutions; auto: bfloat16 over large pictures on processors with units for it."""
    squash: bool = False
    """Whether continuous actions go through tanh, instead of being cut at their bounds."""
    log_std: Annotated[float, Range(-20.0, 5.0)] = 0.0
    """Initial log σ of continuous actions, in units of half their range."""
    discount: Share = 0.99
    """γ, in [0, 1]."""
    learning_rate: Schedule = changing(3e-4)
    """Step size of Adam: a number, or a function of what is left of the training, from 1 to 0."""
    schedule: Literal["auto", "constant", "linear", "cosine"] = "auto"
    """How numbers fall to 0. auto: linearly where `anneal_steps` are given, else not."""
    anneal_steps: Whole = 0
    """Environment steps until nothing is left; 0: as many as the training has."""
    value_coefficient: NonNegative = 0.5
    """Weight of the value's loss."""
    entropy_coefficient: NonNegative = 0.0
    """Weight of the entropy, which keeps the policy trying."""
    max_grad_norm: Positive = 0.5
    """Largest global norm of a gradient."""
    mask_actions: bool = False
    """Whether only actions are taken that the world allows, in `info["action_mask"]`."""
    normalize_observation: bool = False
    """Whether observations are brought to mean 0 and variance 1, by statistics of the training."""
    normalize_reward: bool = False
    """Whether rewards are divided by the deviation of discounted returns."""
