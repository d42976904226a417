"""Settings of DQN, and which of them cannot work."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from nets.gradients.annealing import linear
from nets.kinds import (
    Capacity,
    Count,
    Elsewhere,
    Network,
    Positive,
    Range,
    Rate,
    Real,
    Schedule,
    Share,
    Size,
    Space,
    Span,
    Whole,
    changing,
)
from nets.settings import Settings

Head = Literal["expected", "categorical", "quantile"]
Draws = Literal["uniform", "prioritized"]


@dataclass(frozen=True)
class DQNConfig(Settings):
    """Settings of DQN; the defaults suit small observation vectors."""

    adjustable: ClassVar[tuple[str, ...]] = (  # not the discount: rows of replay contain it
        *("learning_rate", "schedule", "anneal_steps", "max_grad_norm", "double"),
        *("batch_size", "learning_starts", "train_every", "gradient_steps"),
        *("target_every", "target_rate", "epsilon_start", "epsilon_end", "exploration_steps"),
        *("importance_exponent", "importance_steps"),
    )
    # not what a preset sets, and a variant, or one more setting, leaves without effect
    only_with: ClassVar[Mapping[str, tuple[str, tuple[Any, ...]]]] = {
        "atoms": ("head", ("categorical", "quantile")),
        "noise_std": ("noisy", (True,)),
        **dict.fromkeys(
            ("priority_exponent", "importance_exponent", "importance_steps"),
            ("replay", ("prioritized",)),
        ),
    }
    shaping: ClassVar[tuple[str, ...]] = (
        *("hidden", "activation", "dueling", "head", "value_range", "noisy"),
    )
    tunable: ClassVar[Space] = {
        "learning_rate": Span(1e-5, 1e-2, log=True),
        "discount": (0.9, 0.95, 0.98, 0.99, 0.995, 0.999),
        "batch_size": (32, 64, 128, 256),
        "train_every": (1, 4, 16, 64, 128),
        "gradient_steps": (1, 4, 16, 64, 128),
        "target_every": (64, 128, 256, 500, 1_000, 2_000),
        "learning_starts": (100, 500, 1_000, 5_000),
        "exploration_steps": (1_000, 2_000, 5_000, 10_000, 20_000),
        "epsilon_end": Span(0.01, 0.2),
        "n_step": (1, 3, 5, 10, 15),
        "hidden": ((64, 64), (128, 128), (256, 256)),
    }

    hidden: tuple[Size, ...] = (128, 128)
    """Hidden layers of the MLP."""
    activation: str = "relu"
    """Activation of the MLP."""
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
    """Whether the encoder stays as it begins."""
    memory_size: Size = 64
    """Units of an LSTM or GRU."""
    sequence_length: Capacity = 32
    """Steps that a memory learns from at a time."""
    burn_in: Whole = 8
    """Steps before a sequence that bring the memory's state up to date, without a gradient."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of convolutions; auto: bfloat16 over large pictures on processors with units for it."""
    discount: Share = 0.99
    """γ, in [0, 1]."""
    learning_rate: Schedule = changing(1e-3)
    """Step size of Adam: a number, or a function of what is left of the training, from 1 to 0."""
    schedule: Literal["auto", "constant", "linear", "cosine"] = "auto"
    """How numbers fall to 0. auto: linearly where `anneal_steps` are given, else not."""
    anneal_steps: Whole = 0
    """Environment steps until nothing is left; 0: as many as the training has."""
    batch_size: Capacity = 64
    """Rows, or sequences, per gradient step."""
    buffer_size: Capacity = 100_000
    """Environment steps that replay holds."""
    learning_starts: Whole = 1_000
    """Environment steps before the first update."""
    train_every: Count = 4
    """Environment steps between bursts of updates."""
    gradient_steps: Count = 1
    """Updates per burst."""
    target_every: Count = 500
    """Environment steps between copies to the target network (hard updates)."""
    target_rate: Rate = 1.0
    """1: hard updates. Below 1: target ← (1 − rate) · target + rate · online at every update."""
    epsilon_start: Share = 1.0
    """Share of random actions at the beginning."""
    epsilon_end: Share = 0.05
    """Share of random actions after `exploration_steps`."""
    exploration_steps: Whole = 10_000
    """Environment steps over which the share of random actions falls."""
    double: bool = True
    """Whether the online network chooses the action that the target network values."""
    dueling: bool = False
    """Whether the head is Q = V + A − mean(A)."""
    n_step: Count = 1
    """Steps of reward before the bootstrap."""
    loss: Literal["huber", "mse"] = "huber"
    """Loss of the temporal-difference error; distributions have their own."""
    head: Head = "expected"
    """What is learned of the return: its expectation, probabilities (C51) or quantiles (QR-DQN)."""
    atoms: Annotated[int, Range(2, 2**20)] = 51
    """Probabilities, or quantiles, per action."""
    value_range: tuple[Real, Real] = (-10.0, 10.0)
    """Smallest and largest return that a categorical head knows."""
    noisy: bool = False
    """Whether noise in the weights explores, learned by the network itself, instead of ε."""
    noise_std: Positive = 0.5
    """σ₀, the noise that weights begin with."""
    replay: Draws = "uniform"
    """How rows are drawn: all alike, or as often as their predictions were wrong."""
    priority_exponent: Share = 0.6
    """α of prioritised replay: 0 draws all rows alike, 1 in proportion to their error."""
    importance_exponent: Share = 0.4
    """β of prioritised replay at the beginning: 1 undoes the bias of unequal draws."""
    importance_steps: Whole = 100_000
    """Environment steps over which β rises to 1."""
    mask_actions: bool = False
    """Whether only actions are taken that the world allows, in `info["action_mask"]`."""
    max_grad_norm: Positive = 10.0
    """Largest global norm of a gradient."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, naming them."""
        super().__post_init__()
        low, high = self.value_range
        if not low < high:
            message = f"value_range is {self.value_range}: expected the smaller number first"
            raise ValueError(message)

    def epsilon(self, step: int) -> float:
        """Return the share of random actions at an environment step."""
        if self.noisy:
            return 0.0
        return linear(step, self.epsilon_start, self.epsilon_end, self.exploration_steps)

    def correction(self, step: int) -> float:
        """Return β of prioritised replay at an environment step."""
        return linear(step, self.importance_exponent, 1.0, self.importance_steps)
