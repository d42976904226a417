"""What the tests of autoencoders share: small models of every kind, data, and a plain training."""

import numpy as np
import pytest
import torch

from generative.autoencoders.adversarial import AAE
from generative.autoencoders.plain import AE
from generative.autoencoders.variational import VAE, BetaTCVAE, BetaVAE
from generative.model import Batch
from nets.process.seeding import seeded

SMALL = {"hidden": (16,), "channels": (4, 8), "latent": 3}
every_model = pytest.mark.parametrize(
    "model_type", [AE, VAE, BetaVAE, BetaTCVAE, AAE], ids=lambda model: model.name
)


def build(model_type, shape, seed=0, rows=1000, modules=(), **settings):
    config = model_type.config_type(**settings)
    with seeded(seed):
        return model_type(shape, config, dataset_size=rows, **dict(modules))


def train(model, x, steps, *, learning_rate=1e-3, batch_size=64, seed=0):
    """Let every player take `steps` gradient steps, in turns."""
    players = model.players()
    options = {"lr": learning_rate, "betas": model.config.betas, "fused": True}
    optimisers = [torch.optim.Adam(p.module.parameters(), **options) for p in players]
    with seeded(seed):
        for _ in range(steps):
            batch = Batch(x[torch.randint(len(x), (batch_size,))])
            for player, optimiser in zip(players, optimisers, strict=True):
                model.zero_grad()
                player.loss(batch).value.backward()
                optimiser.step()
    return model


def correlated(rows, seed=0):
    """Gaussian data `[N, 6]` of three strong directions and three weak ones."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    scales = np.array([3.0, 2.0, 1.5, 0.5, 0.3, 0.2])
    return torch.tensor(rng.normal(size=(rows, 6)) * scales @ turn + 1.0, dtype=torch.float32)
