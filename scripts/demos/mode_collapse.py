"""Modes lost and found on a ring of eight Gaussians, and WGAN-GP, which keeps them (G-GAN-06).

Above a GAN at thirty times a good learning rate: players chase each other, and modes that were
found are left again. Below WGAN-GP. Grey: data. Blue: samples.
"""

import begin
from picture import Figure, panels

from nets.drawing.style import BLUE, GREY

STEPS = (100, 400, 700, 1000, 1300)


def draw() -> Figure:
    """Draw samples along the training of both."""
    import torch

    from generative.data.load import load_dataset
    from generative.data.small import RING_STD, ring_means
    from generative.gans.config import GANConfig, WGANGPConfig
    from generative.gans.minimax import GAN
    from generative.gans.wasserstein import WGANGP
    from generative.metrics.modes import mode_coverage
    from generative.model import GenerativeModel
    from generative.training.trainer import Trainer

    data, centres = load_dataset("ring"), torch.from_numpy(ring_means())
    collapsing = GANConfig(learning_rate=3e-2, latent=2)
    covering = WGANGPConfig(
        learning_rate=2e-3, latent=2, batch_size=256, penalty=0.3, discriminator_steps=2
    )
    models: dict[str, GenerativeModel] = {
        "GAN": GAN(data.shape, collapsing, dataset_size=len(data)),
        "WGAN-GP": WGANGP(data.shape, covering, dataset_size=len(data)),
    }
    title = "Samples (blue) along the training, data (grey), and modes found, seed 0"
    figure, axes = panels(len(STEPS), 2, title=title, size=2.8)
    for row, (name, model) in enumerate(models.items()):
        trainer = Trainer(model, data, seed=0, device="cpu", progress=False)
        for axis, steps in zip(axes[row], STEPS, strict=True):
            trainer.run(steps)
            x = model.sample(1000)
            covered = mode_coverage(x, centres, RING_STD).covered
            axis.plot(*data.x[:500].T, ".", color=GREY, markersize=2)
            axis.plot(*x.T, ".", color=BLUE, markersize=2)
            axis.set(title=f"{name}, {steps} steps: {covered} of 8", xlim=(-3, 3), ylim=(-3, 3))
    return figure


if __name__ == "__main__":
    begin.demo(draw)
