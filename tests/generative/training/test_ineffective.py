"""Settings of models that change nothing are told of where a training begins."""

import pytest
import torch

from generative import MODELS, Trainer, build_model
from generative.data.dataset import Dataset
from generative.presets import load_presets
from generative.training.ineffective import ineffective
from generative.worlds.config import WorldConfig
from nets.ineffective import given, ruled_out

VECTORS = Dataset("table", torch.rand(8, 3))
PICTURES = Dataset("pictures", torch.rand(8, 1, 16, 16), torch.arange(8) % 2, ("a", "b"))


def built(model, data, **settings):
    return build_model(model, data, MODELS.find(model).config_type()(**settings))


@pytest.mark.parametrize(
    ("model", "data", "settings", "said"),
    [
        ("vae", VECTORS, {"channels": (8,)}, "channels is (8,), which changes nothing, as no conv"),
        ("vae", PICTURES, {"encoder": "mlp", "channels": (8,)}, "channels is (8,), which"),
        ("vae", PICTURES, {"learn_scale": False}, "learn_scale is False, which changes nothing, a"),
        ("vae", VECTORS, {"likelihood": "bernoulli", "scale": 0.5}, "scale is 0.5, which changes"),
        (
            "ae",
            VECTORS,
            {"schedule": "linear"},
            "schedule is 'linear', which changes nothing, as a",
        ),
        (
            "wgan-gp",
            PICTURES,
            {"hidden": (9,)},
            "hidden is (9,), which changes nothing, as the dat",
        ),
        ("wgan-gp", VECTORS, {"base_filters": 9}, "base_filters is 9, which changes nothing, as"),
    ],
)
def test_it_is_said_what_changes_nothing(model, data, settings, said):
    (told,) = ineffective(built(model, data, **settings))
    assert told.startswith(said)


@pytest.mark.parametrize(
    ("model", "data", "settings"),
    [
        *((name, PICTURES, {}) for name in MODELS),
        *((name, VECTORS, {}) for name in MODELS if name != "dcgan"),
        ("vae", PICTURES, {"channels": (8, 8), "activation": "elu"}),
        ("vae", VECTORS, {"hidden": (8,), "scale": 0.5}),
        ("ae", PICTURES, {"encoder": "small-cnn", "channels": (8,)}),  # the decoder's
        ("ae", VECTORS, {"anneal_steps": 9, "schedule": "linear"}),
        ("wgan-gp", PICTURES, {"base_filters": 9, "ema_decay": 0.9, "ema_warmup": False}),
    ],
)
def test_what_does_something_passes(model, data, settings):
    assert not list(ineffective(built(model, data, **settings)))


def test_worlds_tell_which_model_a_setting_is_of():
    usual = WorldConfig.suited("vector", "ensemble")
    config = WorldConfig.suited("vector", "ensemble", members=2, mixtures=3)
    (told,) = ruled_out(config, given(config, usual))
    assert told == (
        "mixtures is 3, which changes nothing, as model is 'ensemble': it is of model 'vae-lstm'"
    )
    assert set(WorldConfig.only_with) <= vars(config).keys()


def test_presets_set_nothing_that_changes_nothing():
    for (model, data), preset in load_presets().items():
        if model != "world":
            config = preset.apply(MODELS.find(model).config_type()())
            rows = VECTORS if data == "ring" else PICTURES
            found = list(ineffective(build_model(model, rows, config)))
            assert not found, (model, data)


def test_it_is_warned_of_where_a_training_begins():
    with pytest.warns(UserWarning, match=r"schedule is 'linear'.*\(ae on table\)") as told:
        Trainer(built("ae", VECTORS, schedule="linear"), VECTORS, progress=False)
    assert told[0].filename == __file__
