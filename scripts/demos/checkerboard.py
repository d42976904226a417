"""Checkerboards of transposed convolution, and how to avoid them (N-CNN-10).

Ones through a kernel of ones: where the stride does not divide the kernel, windows overlap
unevenly. Below, the same with random kernels, twice in a row.
"""

import begin
import torch
from picture import Figure, panels, picture
from torch import nn

from nets import UpBlock

CASES = {
    "transposed, 3x3 by 2": {"kernel": 3, "mode": "transpose", "padding": 0},
    "transposed, 4x4 by 2": {"kernel": 4, "mode": "transpose"},
    "nearest + 3x3": {"mode": "nearest"},
    "bilinear + 3x3": {"mode": "bilinear"},
}


def draw() -> Figure:
    """Draw both rows."""
    figure, axes = panels(len(CASES), 2, title="Enlarging a picture of ones", size=2.6)
    for column, (label, settings) in enumerate(CASES.items()):
        block = UpBlock(1, 1, activation=None, **settings)  # type: ignore[arg-type]
        for name, parameter in block.named_parameters():
            nn.init.constant_(parameter, float("weight" in name))
        deep = nn.Sequential(
            UpBlock(1, 8, activation=None, **settings),  # type: ignore[arg-type]
            UpBlock(8, 1, activation=None, **settings),  # type: ignore[arg-type]
        )
        with torch.no_grad():
            picture(
                axes[0, column], block(torch.ones(1, 1, 8, 8))[0, 0, 2:-2, 2:-2], vmin=0, vmax=5
            )
            inside = deep(torch.ones(1, 1, 8, 8))[0, 0, 6:-6, 6:-6]
            spread = max(inside.std().item(), 1e-3)
            picture(axes[1, column], (inside - inside.mean()) / spread, vmin=-2, vmax=2)
        axes[0, column].set_title(label)
    axes[0, 0].set_ylabel("kernel of ones")
    axes[1, 0].set_ylabel("random kernels, twice")
    return figure


if __name__ == "__main__":
    begin.demo(draw)
