"""Generative models: what learns to imagine.

`import generative` is light: models, and torch with them, are imported when first used.
"""

from nets import __version__ as __version__
from nets.exports import lazy_exports
from nets.moved import redirect

__getattr__, __dir__, __all__ = lazy_exports(__name__, __file__)

redirect(
    __name__,
    {
        "building": "loading",
        "data_frames": "data.frames",
        "dataset": "data.dataset",
        "pictures": "data.pictures",
        "trainer": "training.trainer",
    },
)
