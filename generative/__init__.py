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

_HOME = {
    "Dataset": "data",
    "RunConfig": "run",
    "RunFolder": "run",
    "Trainer": "trainer",
    "build_model": "building",
    "load": "loading",
    "load_dataset": "data",
    "save": "loading",
}


def __getattr__(name: str) -> Any:
    """Import models and functions when they are first asked for (PEP 562)."""
    from importlib import import_module

    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    for model in MODELS.values():
        if name in (model.model, model.config):
            return getattr(import_module(model.module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the lazy names, too."""
    classes = {name for model in MODELS.values() for name in (model.model, model.config)}
    return sorted({*globals(), *__all__, *classes})
