"""Encoders and decoders that people write, in every autoencoder: learned, saved, refused."""

import pytest
import torch
from own_networks import Codes, Pictures
from torch import nn

import generative
from generative.loading import save
from nets.runs.checkpoint import MissingCode

KINDS = {
    "ae": (generative.AE, generative.AEConfig),
    "vae": (generative.VAE, generative.VAEConfig),
    "aae": (generative.AAE, generative.AAEConfig),
}
SHAPE = (1, 6, 6)


def make(name, shape=SHAPE, **settings):
    kind, config = KINDS[name]
    return kind(shape, config(latent=3, **settings), dataset_size=10)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    "settings",
    [
        {"encoder": Codes, "decoder": Pictures},
        {"encoder": "own_networks:Codes"},
        {"decoder": "own_networks:Pictures"},
    ],
)
def test_own_networks_are_saved_by_where_they_are_and_found_again(name, settings, tmp_path):
    model = make(name, **settings)
    assert isinstance(model.encoder[0], Codes) == ("encoder" in settings)
    assert isinstance(model.decoder, Pictures) == ("decoder" in settings)
    x = torch.rand(5, *SHAPE)
    for player in model.players():
        player.loss(generative.model.Batch(x)).value.backward()
    assert model.encoder[0].training
    save(model, tmp_path / "model.pt")
    again = generative.load(tmp_path / "model.pt", device="cpu")
    assert torch.equal(again.reconstruct(x), model.eval().reconstruct(x))


@pytest.mark.parametrize("name", KINDS)
def test_objects_have_to_be_given_again(name, tmp_path):
    kind, config = KINDS[name]
    decoder = Pictures(3, SHAPE)
    handed_in = kind(SHAPE, config(latent=3), dataset_size=10, decoder=decoder)
    assert handed_in.decoder is decoder
    for model in (handed_in, make(name, decoder=decoder)):
        save(model, tmp_path / "model.pt")
        with pytest.raises(MissingCode, match=r"load\(path, decoder=\.\.\.\)"):
            generative.load(tmp_path / "model.pt")
        again = generative.load(tmp_path / "model.pt", device="cpu", decoder=Pictures)
        z = torch.rand(4, 3)
        assert torch.equal(again.decode(z), model.eval().decode(z))
    assert model.decoder is not decoder
    with pytest.raises(ValueError, match="did you mean 'decoder'"):
        generative.load(tmp_path / "model.pt", decoders=Pictures)


def test_vectors_may_be_what_an_encoder_asks_for():
    model = make("ae", shape=(4,), encoder=lambda in_features: nn.Linear(in_features, 5))
    assert model.encoder[1].in_features == 5
    assert model.decode(torch.rand(2, 3)).shape == (2, 4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"encoder": "own_networks:Code"}, "did you mean 'Codes'"),
        ({"decoder": "mlp"}, "unknown decoder 'mlp'"),
        ({"decoder": lambda latent, shape: nn.Linear(latent, 7)}, r"float32 \[3, 1, 6, 6\]"),
        ({"encoder": nn.Linear(3, 3)}, "cannot be multiplied"),
        ({"encoder": nn.Conv2d(1, 2, 3)}, r"expected float32 \[3, F\]"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        make("ae", **settings)
