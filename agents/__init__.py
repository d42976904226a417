"""Agents that learn to act in any Gymnasium environment.

`import agents` is light: algorithms, and torch with them, are imported when first used.
"""

from typing import TYPE_CHECKING, Any

from .algorithms import ALGORITHMS, find_algorithm

if TYPE_CHECKING:
    from .evaluation import Evaluation, evaluate
    from .loading import load

__all__ = ["ALGORITHMS", "Evaluation", "evaluate", "find_algorithm", "load"]

_LAZY = {"Evaluation": "evaluation", "evaluate": "evaluation", "load": "loading"}


def __getattr__(name: str) -> Any:
    """Import algorithms and functions when they are first asked for (PEP 562)."""
    from importlib import import_module

    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    for algorithm in ALGORITHMS.values():
        if name in (algorithm.agent, algorithm.config):
            return getattr(import_module(algorithm.module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the lazy names, too."""
    classes = {name for a in ALGORITHMS.values() for name in (a.agent, a.config)}
    return sorted({*__all__, *classes})
