"""Agents that learn to act in any Gymnasium environment.

`import agents` is light: algorithms, and torch with them, are imported when first used.
"""

from nets import __version__ as __version__
from nets.exports import lazy_exports
from nets.moved import redirect

__getattr__, __dir__, __all__ = lazy_exports(__name__, __file__)
# `from agents import *` works without stable-baselines3
__all__ = [name for name in __all__ if not name.startswith("SB3")]

redirect(
    __name__,
    {
        "model": "tabular.model",
        "model_env": "tabular.model_env",
        "planning": "tabular.dynamic_programming",
        "prediction": "tabular.prediction",
        "statistics": "outcomes.statistics",
    },
)
