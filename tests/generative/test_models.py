"""The table of models: every entry exists, and finding one by name imports none."""

import pytest
from fresh_process import printed_by

from generative.catalogue import MODELS, find_model
from generative.model import GenerativeModel, ModelConfig

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


@pytest.mark.parametrize("name", NAMES)
def test_more_samples_than_memory_holds_are_refused(name):
    model = find_model(name).model_type()((1, 8, 8), dataset_size=8)
    with pytest.raises(ValueError, match=f"n is {10**12}: expected at most .* as memory holds"):
        model.sample(10**12)


def test_the_nearest_name_is_suggested():
    with pytest.raises(ValueError, match="unknown model 'Beta_TC-VAE'; did you mean 'beta-tcvae'"):
        find_model("Beta_TC-VAE")
    with pytest.raises(ValueError, match="unknown model 'diffusion'; choose one of 'ae', 'vae', "):
        find_model("diffusion")


def test_the_table_costs_no_torch(tmp_path):
    program = (
        "import generative.catalogue, sys; generative.catalogue.find_model('vae');"
        "print('torch' in sys.modules)"
    )
    assert printed_by(program, cwd=tmp_path) == "False"
