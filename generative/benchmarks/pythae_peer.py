"""Train pythae's VAE and print images/s: a program of its own, run by an interpreter with pythae.

Nothing of ours is imported here.
"""

import logging
import sys
import tempfile
from time import perf_counter
from typing import Any

BATCH_SIZE = 64


def model(kind: str) -> Any:
    """Return the VAE `"mlp"` (784-512-16) or `"conv"` (64x64, four convolutions, 10 latents)."""
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from torch import nn

    if kind == "mlp":
        return VAE(VAEConfig(input_dim=(1, 28, 28), latent_dim=16, reconstruction_loss="bce"))

    def down(channels: int) -> list[nn.Module]:
        return [nn.Conv2d(channels, 32, 4, 2, 1), nn.ReLU()]

    def up() -> list[nn.Module]:
        return [nn.ReLU(), nn.ConvTranspose2d(32, 32, 4, 2, 1)]

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            layers = [*down(1), *down(32), *down(32), *down(32), nn.Flatten()]
            dense = [nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU()]
            self.body = nn.Sequential(*layers, *dense)
            self.mean, self.logvar = nn.Linear(256, 10), nn.Linear(256, 10)

        def forward(self, x: Any) -> Any:
            features = self.body(x)
            mean, logvar = self.mean(features), self.logvar(features)
            return ModelOutput(embedding=mean, log_covariance=logvar)

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            dense = [nn.Linear(10, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU()]
            layers = [nn.Linear(256, 512), nn.Unflatten(1, (32, 4, 4)), *up(), *up(), *up()]
            last = [nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Sigmoid()]
            self.body = nn.Sequential(*dense, *layers, *last)

        def forward(self, z: Any) -> Any:
            return ModelOutput(reconstruction=self.body(z))

    config = VAEConfig(input_dim=(1, 64, 64), latent_dim=10, reconstruction_loss="bce")
    return VAE(config, encoder=Encoder(), decoder=Decoder())


def images_per_second(kind: str, rows: int, seed: int) -> float:
    """Measure pythae's own trainer over an epoch of `rows` images, after one to warm up."""
    import torch
    from pythae.data.datasets import BaseDataset
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    vae = model(kind)
    data = BaseDataset(torch.rand(rows, *vae.input_dim), torch.zeros(rows))
    with tempfile.TemporaryDirectory() as folder:
        config = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=2,
            per_device_train_batch_size=BATCH_SIZE,
            learning_rate=1e-3,
            no_cuda=True,
        )
        trainer = BaseTrainer(model=vae, train_dataset=data, training_config=config)
        trainer.prepare_training()
        trainer.train_step(epoch=1)
        started = perf_counter()
        trainer.train_step(epoch=2)
        return rows / (perf_counter() - started)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(images_per_second(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
