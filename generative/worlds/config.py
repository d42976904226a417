"""Settings of learned worlds."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from nets.kinds import Count, NonNegative, Positive, Size

from ..config import ModelConfig

Kind = Literal["discrete", "vector", "board", "picture"]
Model = Literal["auto", "table", "ensemble", "board", "rssm", "vae-lstm"]

SUITED: dict[Kind, Model] = {
    "discrete": "table",
    "vector": "ensemble",
    "board": "board",
    "picture": "rssm",
}


@dataclass(frozen=True)
class WorldConfig(ModelConfig):
    """Settings of `World`."""

    model: Model = "auto"
    """table counts what follows; ensemble: networks, one drawn per step; board: convolutions; rssm:
    a memory and latents; vae-lstm: the classic, a VAE that sees and an LSTM that foresees. auto:
    table of discrete observations, ensemble of vectors, board of boards, rssm of pictures."""
    batch_size: Count = 32
    """Windows of experience per gradient step."""
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    """Of matrix products and convolutions; auto: bfloat16 for pictures where it is faster."""
    max_grad_norm: NonNegative = 10.0
    """Largest global norm of the gradient; 0: any."""
    window: Size = 12
    """Steps of a window that a memory learns from; the others learn step by step."""
    hidden: Size = 128
    """Units of every hidden layer."""
    members: Count = 5
    """Networks of an ensemble."""
    symlog: bool = False
    """Whether an ensemble reads observations on the scale sign(x)·log(1 + |x|), too, and learns
    rewards on it, so that small ones count beside large."""
    filters: Size = 32
    """Channels of every convolution of a board."""
    memory: Size = 128
    """Size of a memory."""
    groups: Size = 8
    """Categorical latents of an rssm, drawn at every step."""
    classes: Size = 8
    """Classes of each."""
    latent: Size = 16
    """Latents of a vae-lstm."""
    mixtures: Count = 5
    """Gaussians that it foresees each of them by."""
    kl_prior: Positive = 1.0
    """Weight of the KL divergence that teaches the prior to foresee the posterior."""
    kl_posterior: NonNegative = 0.1
    """Weight of the KL divergence that keeps the posterior near what can be foreseen."""
    free_nats: NonNegative = 1.0
    """KL divergence of a step below which it is not lowered."""
    temperature: Positive = 0.5
    """Of the latents that an rssm dreams: 1 as it learned, below it the likelier more often."""

    only_with: ClassVar[Mapping[str, tuple[str, tuple[Any, ...]]]] = {
        **dict.fromkeys(("hidden",), ("model", ("ensemble", "rssm", "vae-lstm"))),
        **dict.fromkeys(("members", "symlog"), ("model", ("ensemble",))),
        **dict.fromkeys(("filters",), ("model", ("board",))),
        **dict.fromkeys(("memory",), ("model", ("rssm", "vae-lstm"))),
        **dict.fromkeys(
            ("groups", "classes", "kl_prior", "kl_posterior", "free_nats", "temperature"),
            ("model", ("rssm",)),
        ),
        **dict.fromkeys(("latent", "mixtures"), ("model", ("vae-lstm",))),
        **dict.fromkeys(
            ("batch_size", "learning_rate", "betas", "max_grad_norm", "window"),
            ("model", ("ensemble", "board", "rssm", "vae-lstm")),
        ),
    }

    @classmethod
    def suited(cls, kind: Kind, model: Model = "auto", **settings: Any) -> "WorldConfig":
        """Return settings that suit a kind of observations, and a model; `settings` override."""
        chosen = SUITED[kind] if model == "auto" else model
        known: dict[Model, dict[str, Any]] = {
            "ensemble": {"batch_size": 256, "window": 1, "max_grad_norm": 0.0, "symlog": True},
            "board": {"batch_size": 64, "window": 1},
            "table": {"window": 1},
            "rssm": {"window": 4, "batch_size": 64} if kind == "picture" else {"window": 16},
            "vae-lstm": {"window": 9 if kind == "picture" else 16},
        }
        if chosen == "rssm" and kind in ("discrete", "board"):
            known["rssm"]["free_nats"] = 0.1  # 1 is as much as a small world has to say
        return replace(cls(model=model), **(known[chosen] | settings))
