"""Torch building blocks shared by agents and generative models.

`import nets` is light: blocks, and torch with them, are imported when first used.
"""

from .exports import lazy_exports
from .moved import redirect

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_exports(__name__, __file__)
__all__.remove("sb3_extractor")  # `from nets import *` works without stable-baselines3

redirect(
    __name__,
    {
        "classic": "networks.classic",
        "decoders": "networks.decoders",
        "encoders": "networks.encoders",
        "regularization": "layers.regularization",
        "vocabulary": "networks.vocabulary",
        "training": "supervised",
        "training.diagnose": "supervised.diagnose",
        "training.early_stopping": "supervised.early_stopping",
        "training.fit": "supervised.fit",
        "training.metrics": "supervised.metrics",
        "training.sampling": "supervised.sampling",
        "training.search": "supervised.search",
        "training.splits": "supervised.splits",
        "training.transfer": "supervised.transfer",
        "training.logs": "runs.logs",
    },
)
