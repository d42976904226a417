"""Settings of DQN, and which of them cannot work."""

from dataclasses import dataclass
from typing import Literal, get_args

from .return_models import SLOPES
from .schedules import linear

Head = Literal["expected", "categorical", "quantile"]
Replay = Literal["uniform", "prioritized"]


@dataclass(frozen=True)
class DQNConfig:
    """Settings of DQN; the defaults suit small observation vectors."""

    hidden: tuple[int, ...] = (128, 128)
    """Hidden layers of the MLP."""
    activation: str = "relu"
    """Activation of the MLP."""
    encoder: str = "auto"
    """auto (a CNN for pictures), mlp, nature, impala, small-cnn; a memory, lstm or gru; or both, as
    in nature+lstm."""
    memory_size: int = 64
    """Units of an LSTM or GRU."""
    sequence_length: int = 32
    """Steps that a memory learns from at a time."""
    burn_in: int = 8
    """Steps before a sequence that bring the memory's state up to date, without a gradient."""
    discount: float = 0.99
    """γ, in [0, 1]."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    batch_size: int = 64
    """Rows, or sequences, per gradient step."""
    buffer_size: int = 100_000
    """Environment steps that replay holds."""
    learning_starts: int = 1_000
    """Environment steps before the first update."""
    train_every: int = 4
    """Environment steps between bursts of updates."""
    gradient_steps: int = 1
    """Updates per burst."""
    target_every: int = 500
    """Environment steps between copies to the target network (hard updates)."""
    target_rate: float = 1.0
    """1: hard updates. Below 1: target ← (1 − rate) · target + rate · online at every update."""
    epsilon_start: float = 1.0
    """Share of random actions at the beginning."""
    epsilon_end: float = 0.05
    """Share of random actions after `exploration_steps`."""
    exploration_steps: int = 10_000
    """Environment steps over which the share of random actions falls."""
    double: bool = True
    """Whether the online network chooses the action that the target network values."""
    dueling: bool = False
    """Whether the head is Q = V + A − mean(A)."""
    n_step: int = 1
    """Steps of reward before the bootstrap."""
    loss: Literal["huber", "mse"] = "huber"
    """Loss of the temporal-difference error; distributions have their own."""
    head: Head = "expected"
    """What is learned of the return: its expectation, probabilities (C51) or quantiles (QR-DQN)."""
    atoms: int = 51
    """Probabilities, or quantiles, per action."""
    value_range: tuple[float, float] = (-10.0, 10.0)
    """Smallest and largest return that a categorical head knows."""
    noisy: bool = False
    """Whether noise in the weights explores, learned by the network itself, instead of ε."""
    noise_std: float = 0.5
    """σ₀, the noise that weights begin with."""
    replay: Replay = "uniform"
    """How rows are drawn: all alike, or as often as their predictions were wrong."""
    priority_exponent: float = 0.6
    """α of prioritised replay: 0 draws all rows alike, 1 in proportion to their error."""
    importance_exponent: float = 0.4
    """β of prioritised replay at the beginning: 1 undoes the bias of unequal draws."""
    importance_steps: int = 100_000
    """Environment steps over which β rises to 1."""
    max_grad_norm: float = 10.0
    """Largest global norm of a gradient."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, naming them."""
        for name in (
            "batch_size",
            "buffer_size",
            "train_every",
            "gradient_steps",
            "target_every",
            "n_step",
            "memory_size",
            "sequence_length",
        ):
            _require(self, name, getattr(self, name) >= 1, "at least 1")
        for name in ("learning_starts", "exploration_steps", "importance_steps", "burn_in"):
            _require(self, name, getattr(self, name) >= 0, "at least 0")
        for name in ("discount", "priority_exponent", "importance_exponent"):
            _require(self, name, 0.0 <= getattr(self, name) <= 1.0, "a number in [0, 1]")
        _require(self, "target_rate", 0.0 < self.target_rate <= 1.0, "a number in (0, 1]")
        choices = (("loss", SLOPES), ("head", get_args(Head)), ("replay", get_args(Replay)))
        for name, known in choices:
            _require(self, name, getattr(self, name) in known, f"one of {', '.join(known)}")
        _require(self, "noise_std", self.noise_std > 0.0, "a positive number")
        _require(self, "atoms", self.atoms >= 2, "at least 2")
        low, high = self.value_range
        _require(self, "value_range", low < high, "the smaller number first")

    def epsilon(self, step: int) -> float:
        """Return the share of random actions at an environment step."""
        if self.noisy:
            return 0.0
        return linear(step, self.epsilon_start, self.epsilon_end, self.exploration_steps)

    def correction(self, step: int) -> float:
        """Return β of prioritised replay at an environment step."""
        return linear(step, self.importance_exponent, 1.0, self.importance_steps)


def _require(config: DQNConfig, name: str, fits: bool, expected: str) -> None:
    if not fits:
        raise ValueError(f"{name} is {getattr(config, name)!r}: expected {expected}")
