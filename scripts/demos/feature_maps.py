"""Convolution is correlation, and what kernels see (N-CNN-01, N-CNN-11).

Above: a picture, and its correlation with kernels made by hand: each answers where the picture
looks like the kernel, red, or like its negative, blue; white is zero. Below: kernels that a small
CNN learned on the same kind of pictures, and their answers; as in the visual cortex, a unit sees a
small part of the picture.
"""

import begin
import torch
import torch.nn.functional as F
from picture import Figure, panels, picture

from nets import CNN, optimizer
from nets.drawing.figures import symmetric

HAND = {
    "vertical edge": [[-1.0, 0.0, 1.0]] * 3,
    "horizontal edge": [[-1.0] * 3, [0.0] * 3, [1.0] * 3],
    "corner": [[1.0, 1.0, -1.0], [1.0, 0.0, -1.0], [-1.0, -1.0, -1.0]],
    "blur": [[1 / 9] * 3] * 3,
}


def learned_kernels(x: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Train a CNN to tell the shapes apart; return its first kernels `[4, 1, 5, 5]`."""
    network = CNN((1, 32, 32), (4, 8), 5, 2, out_features=3)
    opt = optimizer("adam", network, lr=3e-3)
    for _ in range(150):
        rows = torch.randint(len(x), (64,))
        opt.zero_grad()
        F.cross_entropy(network(x[rows]), label[rows]).backward()
        opt.step()
    return next(network.parameters()).detach()


def draw() -> Figure:
    """Draw a row of kernels by hand, and a row of learned ones."""
    from generative.data.load import load_dataset

    rows = load_dataset("sprites:shape,orientation=::8,x=::4,y=::4,scale=5", size=32)
    assert rows.factors is not None
    x = rows.batch(torch.arange(len(rows))).x
    learned = learned_kernels(x, rows.factors[:, rows.factor_names.index("shape")])
    image = x[len(x) // 6][None]
    figure, axes = panels(5, 2, title="Kernels and their answers: white is zero", size=2.3)
    for row, kernels in enumerate((torch.tensor(list(HAND.values()))[:, None], learned)):
        picture(axes[row, 0], image[0, 0])
        answers = F.conv2d(image, kernels, padding="same")[0]
        for k, axis in enumerate(axes[row, 1:]):
            picture(axis, answers[k], **symmetric(answers[k]))
            axis.set_title(list(HAND)[k] if row == 0 else f"learned {k + 1}")
            inset = axis.inset_axes((0.02, 0.02, 0.3, 0.3))
            picture(inset, kernels[k, 0], **symmetric(kernels[k, 0]))
    return figure


if __name__ == "__main__":
    begin.demo(draw)
