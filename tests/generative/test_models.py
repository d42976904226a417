"""The table of models: every entry exists, and finding one by name imports none."""

import subprocess
import sys

import pytest

from generative.model import GenerativeModel, ModelConfig
from generative.models import MODELS, find_model

NAMES = ("ae", "vae", "beta-vae", "beta-tcvae", "aae", "gan", "dcgan", "wgan-gp")


def test_the_table_lists_every_model_once():
    assert tuple(MODELS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_entries_lead_to_a_model_and_its_settings(name):
    entry = find_model(name)
    model, config = entry.model_type(), entry.config_type()
    assert issubclass(model, GenerativeModel)
    assert model.name == name
    assert model.config_type is config
    assert issubclass(config, ModelConfig)


def test_the_nearest_name_is_suggested():
    with pytest.raises(ValueError, match="unknown model 'Beta_TC-VAE'; did you mean 'beta-tcvae'"):
        find_model("Beta_TC-VAE")
    with pytest.raises(ValueError, match="unknown model 'diffusion'; choose one of 'ae', 'vae', "):
        find_model("diffusion")


def test_the_table_costs_no_torch(tmp_path):
    program = (
        "import generative.models, sys; generative.models.find_model('vae');"
        "print('torch' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "False"
