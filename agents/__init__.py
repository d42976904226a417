"""Agents that learn to act in any Gymnasium environment.

`import agents` is light: algorithms, and torch with them, are imported when first used.
"""

from typing import TYPE_CHECKING, Any

from .algorithms import ALGORITHMS, find_algorithm

if TYPE_CHECKING:
    from .evaluation import Evaluation, evaluate
    from .loading import load

__all__ = ["ALGORITHMS", "Evaluation", "evaluate", "find_algorithm", "load"]

_HOME = ALGORITHMS.modules() | {
    "Evaluation": "agents.evaluation",
    "evaluate": "agents.evaluation",
    "load": "agents.loading",
}


def __getattr__(name: str) -> Any:
    """Import algorithms and functions when they are first asked for (PEP 562)."""
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """List the lazy names, too."""
    return sorted({*globals(), *_HOME})
