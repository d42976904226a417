"""What the quality table measures of samples of pictures: a classifier recognises them."""

from typing import Any

from ..measuring import listed, recognised
from .fitted import Fit


def recognised_samples(fit: Fit) -> dict[str, Any]:
    """Let a classifier of the training rows judge samples, and held-out rows: the ceiling.

    Samples of a conditional model are asked for by class, all classes alike. Where the data are all
    there are, it is counted how many samples are among them.
    """
    figures = (
        figure
        for group in (recognised, listed)
        for figure in group(fit.model, fit.train, fit.held_out, fit.seed)
    )
    return {figure.name: figure.value for figure in figures}
