"""Settings of every generative model."""

from dataclasses import dataclass
from typing import Literal

from nets.kinds import Capacity, NonNegative, Part, Schedule, Whole, changing
from nets.settings import Settings


@dataclass(frozen=True)
class ModelConfig(Settings):
    """Settings of the training that all models share."""

    batch_size: Capacity = 64
    """Rows per gradient step."""
    learning_rate: Schedule = changing(1e-3)
    """Step size of Adam: a number, or a function of what is left of the training, from 1 to 0."""
    betas: tuple[Part, Part] = (0.9, 0.999)
    """Decay of Adam's moments."""
    max_grad_norm: NonNegative = 0.0
    """Largest global norm of a player's gradient; 0: any."""
    ema_decay: Part = 0.0
    """Decay of the averaged weights that samples and evaluations use; 0: the last weights."""
    ema_warmup: bool = True
    """Whether a young average forgets faster, at update t by min(ema_decay, (1 + t)/(10 + t))."""
    warmup_steps: Whole = 0
    """Steps over which the learning rate rises from 0."""
    anneal_steps: Whole = 0
    """Step at which the learning rate has fallen to 0; 0: a number never falls, a function is asked
    until the training's end."""
    schedule: Literal["cosine", "linear"] = "cosine"
    """How it falls."""
    patience: Whole = 0
    """Evaluations without a better held-out loss after which training stops; 0: never."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of matrix products and convolutions; auto: bfloat16 for pictures where it is faster."""
    compile: bool = False
    """Whether torch.compile is worth its half minute."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, naming them."""
        super().__post_init__()
        if 0 < self.anneal_steps <= self.warmup_steps:
            message = f"anneal_steps is {self.anneal_steps}, warmup_steps {self.warmup_steps}"
            raise ValueError(f"{message}: expected an end after the rise")
