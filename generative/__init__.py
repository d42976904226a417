"""Generative models: what learns to imagine.

`import generative` is light: models, and torch with them, are imported when first used.
"""

from typing import TYPE_CHECKING, Any

from .models import MODELS, find_model

if TYPE_CHECKING:
    from .building import build_model
    from .data import Dataset, load_dataset
    from .loading import load, save
    from .run import RunConfig, RunFolder
    from .trainer import Trainer

__all__ = [
    "MODELS",
    "Dataset",
    "RunConfig",
    "RunFolder",
    "Trainer",
    "build_model",
    "find_model",
    "load",
    "load_dataset",
    "save",
]

_HOME = MODELS.modules() | {
    "Dataset": "generative.data",
    "RunConfig": "generative.run",
    "RunFolder": "generative.run",
    "Trainer": "generative.trainer",
    "build_model": "generative.building",
    "load": "generative.loading",
    "load_dataset": "generative.data",
    "save": "generative.loading",
}


def __getattr__(name: str) -> Any:
    """Import models and functions when they are first asked for (PEP 562)."""
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """List the lazy names, too."""
    return sorted({*globals(), *_HOME})
