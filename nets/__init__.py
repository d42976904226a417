"""Torch building blocks shared by agents and generative models.

`import nets` is light: blocks, and torch with them, are imported when first used.
"""

from .exports import lazy_exports

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_exports(__name__, __file__)
__all__.remove("sb3_extractor")  # `from nets import *` works without stable-baselines3
