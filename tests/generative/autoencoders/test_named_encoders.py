"""The encoders of agents in autoencoders: by the same names, and with the same weights."""

import pytest
import torch

from generative.autoencoders.adversarial import AAE
from generative.autoencoders.config import AAEConfig, VAEConfig
from generative.autoencoders.variational import VAE
from generative.model import Batch
from nets.networks.encoders import image_encoder
from nets.process.seeding import seeded


def build(shape, encoder, **settings):
    with seeded(0):
        return VAE(shape, VAEConfig(encoder=encoder, latent=4, **settings), dataset_size=100)


@pytest.mark.parametrize(
    ("encoder", "shape"),
    [
        ("small-cnn", (1, 10, 10)),
        ("nature", (1, 64, 64)),
        ("impala", (3, 33, 20)),
        ("resnet-18", (3, 64, 64)),
        ("densenet-121", (1, 32, 32)),
        ("googlenet", (3, 32, 32)),
    ],
)
def test_N_ARC_09_training_steps_reach_every_weight_and_lower_the_loss(encoder, shape):
    model = build(shape, encoder)
    assert type(model.encoder[0]) is type(image_encoder(shape, encoder))
    with seeded(1):
        batch = Batch((torch.rand(4, *shape) < 0.9).float())  # bright pictures
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    losses = []
    for _ in range(8):
        with seeded(2):
            loss = model.loss(batch).value
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.99 * losses[0]
    assert all(p.grad.isfinite().all() for p in model.parameters())
    assert sum(bool(p.grad.any()) for p in model.encoder.parameters()) > 0.9 * len(
        list(model.encoder.parameters())
    )
    assert model.reconstruct(batch.x).shape == batch.x.shape


@pytest.mark.parametrize("encoder", ["vgg-11", "alexnet", "resnet-50"])
def test_large_ones_are_encoders_of_every_autoencoder(encoder):
    with torch.device("meta"):
        model = AAE((3, 64, 64), AAEConfig(encoder=encoder, latent=5), dataset_size=100)
    batch = Batch(torch.empty(2, 3, 64, 64, device="meta"))
    for player in model.players():
        player.loss(batch).value.backward()
    assert model.encode(batch.x).shape == (2, 5)


def test_the_decoder_halves_as_often_as_the_picture_allows():
    assert type(build((1, 16, 16), "impala").decoder).__name__ == "ConvDecoder"
    assert type(build((1, 10, 10), "small-cnn").decoder).__name__ == "MLPDecoder"
    shallow = build((1, 10, 10), "small-cnn", channels=(8, 8))
    assert type(shallow.decoder).__name__ == "ConvDecoder"


@pytest.mark.parametrize(
    ("encoder", "shape", "message"),
    [
        ("densenet-121", (1, 28, 28), "28x28 .* too small for densenet-121: it needs at least 29x"),
        ("nature", (1, 28, 28), "28x28 .* at least 36x36"),
        ("resnet-18", (6,), r"encoder is 'resnet-18': data of shape \(6,\) are no pictures"),
        ("resnet-8", (1, 28, 28), "unknown encoder 'resnet-8'; did you mean 'resnet-18'"),
    ],
)
def test_what_cannot_work_is_refused(encoder, shape, message):
    with pytest.raises(ValueError, match=message):
        build(shape, encoder)
