"""Settings of stable-baselines3's algorithms, in our words; the defaults are its own."""

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from nets.kinds import (
    Capacity,
    Count,
    NonNegative,
    Positive,
    Rate,
    Real,
    Schedule,
    Share,
    Size,
    Whole,
    changing,
)
from nets.settings import Settings

WORDS = {  # our word -> stable-baselines3's
    "discount": "gamma",
    "learning_rate": "learning_rate",
    "max_grad_norm": "max_grad_norm",
    # PPO, A2C
    "n_steps": "n_steps",
    "epochs": "n_epochs",
    "gae_lambda": "gae_lambda",
    "clip": "clip_range",
    "value_clip": "clip_range_vf",
    "normalize_advantage": "normalize_advantage",
    "target_kl": "target_kl",
    "value_coefficient": "vf_coef",
    "entropy_coefficient": "ent_coef",
    # DQN, SAC, TD3
    "batch_size": "batch_size",
    "buffer_size": "buffer_size",
    "learning_starts": "learning_starts",
    "gradient_steps": "gradient_steps",
    "target_every": "target_update_interval",
    "target_rate": "tau",
    "epsilon_start": "exploration_initial_eps",
    "epsilon_end": "exploration_final_eps",
    "target_entropy": "target_entropy",
    "policy_delay": "policy_delay",
    "target_noise": "target_policy_noise",
    "target_noise_clip": "target_noise_clip",
}


MASKING = "stable-baselines3 has no masks; ppo, a2c, reinforce, dqn and the tables have"


def translate(config: "SB3Config") -> dict[str, Any]:
    """Return the settings that stable-baselines3 has a word for, in its words."""
    named = {field.name: getattr(config, field.name) for field in fields(config)}
    return {WORDS[name]: value for name, value in named.items() if name in WORDS}


@dataclass(frozen=True)
class SB3Config(Settings):
    """Settings that all five algorithms share."""

    adjustable: ClassVar[tuple[str, ...]] = (
        "discount",
        "learning_rate",
        "schedule",
        "anneal_steps",
    )
    shaping: ClassVar[tuple[str, ...]] = ("hidden", "activation")
    joins_action: ClassVar[bool] = False  # whether critics join the action to encoded observations

    encoder: Literal["auto", "mlp", "nature", "impala", "small-cnn"] = "auto"
    """Our encoder of observations. auto: a CNN for pictures, none (SB3's own MLP) otherwise; mlp:
    our MLP is the first hidden layer."""
    hidden: tuple[Size, ...] = (64, 64)
    """Hidden layers; none after a CNN."""
    activation: str = "tanh"
    """Activation of the hidden layers."""
    discount: Share = 0.99
    """γ, in [0, 1]."""
    learning_rate: Schedule = changing(3e-4)
    """Step size: a number, or a function of what is left of the training, from 1 to 0."""
    schedule: Literal["auto", "constant", "linear", "cosine"] = "auto"
    """How numbers fall to 0. auto: linearly where `anneal_steps` are given, else not."""
    anneal_steps: Whole = 0
    """Environment steps until nothing is left; 0: as many as the training has."""
    mask_actions: bool = False
    """Stays False here: stable-baselines3 has no masks of actions."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, naming them."""
        super().__post_init__()
        if self.mask_actions:
            raise ValueError(f"mask_actions is True: expected False, for {MASKING}")
        needed = (self.encoder == "mlp") + self.joins_action
        if len(self.hidden) < needed:
            message = f"hidden is {self.hidden}: expected at least {needed} layers with encoder"
            raise ValueError(f"{message} {self.encoder!r}")


@dataclass(frozen=True)
class OnPolicyConfig(SB3Config):
    """Settings that PPO and A2C share."""

    adjustable: ClassVar[tuple[str, ...]] = (
        *SB3Config.adjustable,
        *("gae_lambda", "value_coefficient", "entropy_coefficient", "max_grad_norm"),
    )

    n_steps: Capacity = 2048
    """Steps of every environment between two updates."""
    gae_lambda: Share = 0.95
    """λ of the advantages: 0 trusts the value, 1 the rewards."""
    value_coefficient: NonNegative = 0.5
    """Weight of the value's loss."""
    entropy_coefficient: NonNegative = 0.0
    """Weight of the entropy, which keeps the policy trying."""
    max_grad_norm: Positive = 0.5
    """Largest global norm of a gradient."""
    normalize_advantage: bool = True
    """Whether advantages are brought to mean 0 and variance 1."""


@dataclass(frozen=True)
class SB3PPOConfig(OnPolicyConfig):
    """Settings of stable-baselines3's PPO."""

    adjustable: ClassVar[tuple[str, ...]] = (
        *OnPolicyConfig.adjustable,
        *("epochs", "batch_size", "clip", "target_kl"),
    )

    epochs: Count = 10
    """Passes over a rollout."""
    batch_size: Capacity = 64
    """Rows per gradient step."""
    clip: Schedule = changing(0.2)
    """ε: how far the probability of an action may move, as a factor; a number falls like the rate,
    or a function of what is left."""
    value_clip: Positive | None = None
    """How far a value may move, in units of the return; None: as far as it wants."""
    target_kl: Positive | None = None
    """Divergence from the old policy at which the epochs end; None: never."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, naming them."""
        super().__post_init__()
        if self.normalize_advantage and self.batch_size < 2:
            message = f"batch_size is {self.batch_size}: expected at least 2"
            raise ValueError(f"{message}, whose advantages are normalised")


@dataclass(frozen=True)
class SB3A2CConfig(OnPolicyConfig):
    """Settings of stable-baselines3's A2C; its optimiser is RMSprop."""

    learning_rate: Schedule = changing(7e-4)
    """Step size of RMSprop: a number, or a function of what is left, from 1 to 0."""
    n_steps: Capacity = 5
    """Steps of every environment between two updates."""
    gae_lambda: Share = 1.0
    """λ of the advantages: 0 trusts the value, 1 the rewards."""
    normalize_advantage: bool = False
    """Whether advantages are brought to mean 0 and variance 1."""


@dataclass(frozen=True)
class OffPolicyConfig(SB3Config):
    """Settings that DQN, SAC and TD3 share."""

    adjustable: ClassVar[tuple[str, ...]] = (
        *SB3Config.adjustable,
        *("learning_starts", "batch_size", "gradient_steps", "target_rate"),
    )

    activation: str = "relu"
    """Activation of the hidden layers."""
    buffer_size: Capacity = 1_000_000
    """Rows of replay."""
    learning_starts: Whole = 100
    """Environment steps before the first update."""
    batch_size: Capacity = 256
    """Rows per gradient step."""
    train_every: Size = 1
    """Environment steps between bursts of updates, rounded up to whole rounds of all copies."""
    gradient_steps: Count = 1
    """Updates per burst."""
    target_rate: Rate = 0.005
    """τ: target ← (1 − τ) · target + τ · online."""


@dataclass(frozen=True)
class SB3DQNConfig(OffPolicyConfig):
    """Settings of stable-baselines3's DQN."""

    adjustable: ClassVar[tuple[str, ...]] = (
        *OffPolicyConfig.adjustable,
        *("target_every", "epsilon_start", "epsilon_end", "exploration_steps", "max_grad_norm"),
    )

    learning_rate: Schedule = changing(1e-4)
    """Step size of Adam: a number, or a function of what is left of the training, from 1 to 0."""
    batch_size: Capacity = 32
    """Rows per gradient step."""
    train_every: Size = 4
    """Environment steps between bursts of updates, rounded up to whole rounds of all copies."""
    target_rate: Rate = 1.0
    """τ: target ← (1 − τ) · target + τ · online, every `target_every` steps."""
    target_every: Count = 10_000
    """Environment steps between updates of the target network."""
    epsilon_start: Share = 1.0
    """Share of random actions at the beginning."""
    epsilon_end: Share = 0.05
    """Share of random actions after `exploration_steps`."""
    exploration_steps: Capacity = 10_000
    """Environment steps over which the share of random actions falls."""
    max_grad_norm: Positive = 10.0
    """Largest global norm of a gradient."""


@dataclass(frozen=True)
class SB3SACConfig(OffPolicyConfig):
    """Settings of stable-baselines3's SAC."""

    joins_action: ClassVar[bool] = True

    hidden: tuple[Size, ...] = (256, 256)
    """Hidden layers of the actor and of each critic, after a CNN too."""
    entropy_coefficient: NonNegative | None = None
    """Weight of the entropy; None: learned, so that the entropy is `target_entropy`."""
    target_entropy: Real | None = None
    """Entropy aimed at; None: minus the number of action components."""


@dataclass(frozen=True)
class SB3TD3Config(OffPolicyConfig):
    """Settings of stable-baselines3's TD3."""

    adjustable: ClassVar[tuple[str, ...]] = (
        *OffPolicyConfig.adjustable,
        *("policy_delay", "target_noise", "target_noise_clip"),
    )
    joins_action: ClassVar[bool] = True

    hidden: tuple[Size, ...] = (400, 300)
    """Hidden layers of the actor and of each critic, after a CNN too."""
    learning_rate: Schedule = changing(1e-3)
    """Step size of Adam: a number, or a function of what is left of the training, from 1 to 0."""
    exploration_noise: NonNegative = 0.0
    """σ of the noise on training actions, in units of half their range; 0 explores nothing."""
    policy_delay: Count = 2
    """Updates of the critics per update of the actor."""
    target_noise: NonNegative = 0.2
    """σ of the noise on target actions."""
    target_noise_clip: NonNegative = 0.5
    """Largest noise on target actions."""
