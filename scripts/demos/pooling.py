"""Kinds of pooling on the same picture, 4x4 windows (N-POOL).

Max keeps the brightest pixel, and with it every speck of noise; the median drops specks; a p-norm
lies between sum and maximum; stochastic pooling draws.
"""

import begin
import torch
from picture import Figure, panels, picture

from nets import pool2d


def draw() -> Figure:
    """Draw a digit with specks, and what each pooling makes of it."""
    from generative.data.load import load_dataset

    rows = load_dataset("sprites:shape=heart,scale=5,orientation=3,x,y=16", size=64)
    image = rows.x[16:17].float() / 255
    image = torch.where(torch.rand_like(image) < 0.03, 1.0, 0.8 * image)
    figure, axes = panels(4, 2, title="Pooling, 4x4 windows", size=2.4)
    layers = {
        "max": pool2d("max", 4),
        "mean": pool2d("mean", 4),
        "median": pool2d("median", 4),
        "stochastic": pool2d("stochastic", 4),
        "mixed, λ = ½": pool2d("mixed", 4),
        "2-norm": pool2d("lp", 4, p=2.0),
        "8-norm": pool2d("lp", 4, p=8.0),
    }
    picture(axes.flat[0], image[0, 0])
    axes.flat[0].set_title("64x64")
    for axis, (label, layer) in zip(axes.flat[1:], layers.items(), strict=True):
        picture(axis, layer(image)[0, 0])
        axis.set_title(label)
    return figure


if __name__ == "__main__":
    begin.demo(draw)
