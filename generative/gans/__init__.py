"""Generative adversarial networks: two players against each other."""

from nets.exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(__name__, __file__)
