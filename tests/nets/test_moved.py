"""Modules that have moved are found under their old names, by people and by run folders."""

import importlib
import subprocess
import sys

import pytest

import agents
import generative
import nets

MOVED = [
    ("agents.model", "Model"),
    ("agents.planning", "value_iteration"),
    ("agents.prediction", "td_prediction"),
    ("agents.statistics", "bootstrap_interval"),
    ("generative.building", "build_model"),
    ("generative.data_frames", "collect"),
    ("generative.dataset", "Dataset"),
    ("generative.pictures", "resized"),
    ("generative.trainer", "Trainer"),
    ("nets.classic", "classic_encoder"),
    ("nets.decoders", "ConvDecoder"),
    ("nets.encoders", "image_encoder"),
    ("nets.regularization", "soft_threshold_"),
    ("nets.training.diagnose", "diagnose"),
    ("nets.training.early_stopping", "EarlyStopping"),
    ("nets.training.fit", "FitConfig"),
    ("nets.training.logs", "TensorBoard"),
    ("nets.training.metrics", "balanced_accuracy"),
    ("nets.training.sampling", "over_sample"),
    ("nets.training.search", "log_uniform"),
    ("nets.training.splits", "cross_validate"),
    ("nets.training.transfer", "replace_head"),
    ("nets.training.transfer", "load_part"),
    ("nets.vocabulary", "Vocabulary"),
]


@pytest.mark.parametrize(("old", "name"), MOVED, ids=lambda each: each)
def test_an_old_name_is_the_very_module_and_says_where_it_is_now(old, name, monkeypatch):
    for parent in ("nets.training", old):
        monkeypatch.delitem(sys.modules, parent, raising=False)
    with pytest.warns(DeprecationWarning, match=" is now ") as said:
        module = importlib.import_module(old)
    assert f"{old} is now {module.__name__}" in [str(each.message) for each in said]
    assert sys.modules[module.__name__] is module
    assert module.__spec__.name == module.__name__ != old
    assert getattr(module, name).__module__ == module.__name__


def test_rooms_show_what_modules_of_their_names_had():
    from agents.tabular import SarsaConfig
    from generative import loading
    from generative.autoencoders import VAE
    from generative.data import load_dataset

    assert SarsaConfig is agents.SarsaConfig
    assert VAE is generative.VAE
    assert load_dataset is generative.load_dataset
    assert loading.DataConfig.of("digits").title == "digits"


def test_what_freezes_is_found_beside_what_replaces_a_head():
    from nets.gradients import modes
    from nets.supervised import transfer

    assert transfer.freeze is modes.freeze
    assert transfer.unfreeze is modes.unfreeze


def test_other_wrong_names_are_not_found():
    with pytest.raises(ModuleNotFoundError, match=r"nets\.xyzzy"):
        importlib.import_module("nets.xyzzy")
    assert not hasattr(nets, "xyzzy")


def test_the_warning_names_the_line_that_imports(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("from nets.classic import classic_cnn\n")
    command = [sys.executable, "-W", "always::DeprecationWarning", str(program)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert f"{program}:1: DeprecationWarning: nets.classic is now nets.networks.classic" in told
