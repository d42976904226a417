"""Settings of policy gradients."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from nets.kinds import (
    Capacity,
    Count,
    Elsewhere,
    Network,
    NonNegative,
    Positive,
    Range,
    Rate,
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


@dataclass(frozen=True)
class ReinforceConfig(PolicyConfig):
    """Settings of REINFORCE."""

    adjustable: ClassVar[tuple[str, ...]] = (*PolicyConfig.adjustable, "baseline_rate")
    only_with: ClassVar[Mapping[str, tuple[str, tuple[Any, ...]]]] = {
        "baseline_rate": ("baseline", ("running",))
    }

    tunable: ClassVar[Space] = PolicyConfig.tunable | {
        "episodes": (1, 2, 4, 8, 16),
        "baseline": ("learned", "running"),
    }

    learning_rate: Schedule = changing(1e-3)
    """Step size of Adam: a number, or a function of what is left of the training, from 1 to 0."""
    episodes: Count = 4
    """Episodes between two updates; with several environments, dealt out in advance."""
    baseline: Literal["learned", "running"] = "learned"
    """What is subtracted from returns: a value of the state, or a running mean of all returns."""
    baseline_rate: Rate = 0.1
    """How far the running mean moves at each update, in (0, 1]."""


@dataclass(frozen=True)
class AdvantageConfig(PolicyConfig):
    """Settings that PPO and A2C share."""

    adjustable: ClassVar[tuple[str, ...]] = (*PolicyConfig.adjustable, "gae_lambda", "kernel")
    tunable: ClassVar[Space] = PolicyConfig.tunable | {
        "n_steps": (8, 16, 32, 64, 128, 256, 512),
        "gae_lambda": (0.8, 0.9, 0.92, 0.95, 0.98, 1.0),
    }

    n_steps: Capacity = 128
    """Steps of every environment between two updates."""
    gae_lambda: Share = 0.95
    """λ of the advantages: 0 trusts the value, 1 the rewards."""
    kernel: Literal["torch", "fused"] = "torch"
    """What computes an update: torch; or fused, one function that numba compiles for plain networks
    on the CPU, which is faster and rounds differently. Other networks are torch's in any case."""


@dataclass(frozen=True)
class A2CConfig(AdvantageConfig):
    """Settings of A2C."""

    learning_rate: Schedule = changing(1e-3)
    """Step size of Adam: a number, or a function of what is left of the training, from 1 to 0."""
    n_steps: Count = 8
    """Steps of every environment between two updates."""
    gae_lambda: Share = 1.0
    """λ of the advantages: 0 trusts the value, 1 the rewards."""


@dataclass(frozen=True)
class PPOConfig(AdvantageConfig):
    """Settings of PPO."""

    adjustable: ClassVar[tuple[str, ...]] = (
        *AdvantageConfig.adjustable,
        *("epochs", "batch_size", "clip", "value_clip", "target_kl"),
    )
    tunable: ClassVar[Space] = AdvantageConfig.tunable | {
        "epochs": (1, 4, 10, 20),
        "batch_size": (32, 64, 128, 256, 512),
        "clip": (0.1, 0.2, 0.3),
    }
    only_with: ClassVar[Mapping[str, tuple[str, tuple[Any, ...]]]] = {
        "normalize_over": ("normalize_advantage", (True,))
    }

    n_steps: Capacity = 256
    """Steps of every environment between two updates."""
    epochs: Count = 10
    """Passes over a rollout."""
    batch_size: Capacity = 64
    """Rows per gradient step; with a memory, whole sequences of about as many rows."""
    clip: Schedule = changing(0.2)
    """ε: how far the probability of an action may move, as a factor; a number falls like the rate,
    or a function of what is left."""
    value_clip: Positive | None = None
    """How far a value may move, in units of the return; None: as far as it wants."""
    normalize_advantage: bool = True
    """Whether advantages are brought to mean 0 and variance 1."""
    normalize_over: Literal["rollout", "minibatch"] = "rollout"
    """Rows whose advantages are brought there together."""
    target_kl: Positive | None = None
    """Divergence from the old policy at which the epochs end; None: never."""
