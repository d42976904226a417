"""Code in settings: written as where it is imported from, found there, or said to be lost."""

import pickle
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import own_networks
import pytest
import torch
from torch import nn

from nets.code import Lost, Template, find, is_known, is_path, written
from nets.kinds import Network, Schedule
from nets.runs.checkpoint import MissingCode, UntrustedError
from nets.runs.configurations import needs_trust, recalled, recorded
from nets.settings import Settings


@dataclass(frozen=True)
class Config(Settings):
    encoder: Network = "auto"
    rate: Schedule = 1e-3
    hidden: tuple[int, ...] = (4,)


@pytest.mark.parametrize("code", [own_networks.Dense, own_networks.dense, nn.Linear])
def test_what_can_be_imported_is_written_as_from_where(code):
    path = written(code)
    assert is_path(path)
    assert find(path) is code


@pytest.mark.parametrize(
    "code", [lambda x: x, partial(nn.Linear, 4), nn.Linear(4, 2).forward, Template(nn.Linear(1, 1))]
)
def test_what_cannot_is_written_as_no_such_place(code):
    assert ":" in written(code)
    assert not is_path(written(code))


def test_what_another_thing_now_has_the_name_of_is_in_no_such_place(monkeypatch):
    before = own_networks.dense
    monkeypatch.setattr(own_networks, "dense", lambda space: None)
    assert not is_path(written(before))


@pytest.mark.parametrize("path", ["os:system", "shutil:rmtree", "torch.hub:load", "nowhere:Net"])
def test_functions_of_python_and_of_what_is_installed_are_not_known(path):
    assert not is_known(path)


def test_networks_and_functions_of_imported_modules_are_known():
    for name in ("Dense", "dense", "halved"):
        assert is_known(f"own_networks:{name}")
    assert not is_known("own_networks:nn.Linear")
    assert not is_known("own_networks:torch")


@pytest.mark.parametrize("way", [deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_settings_with_an_object_equal_their_copies(way):
    layer = nn.Linear(3, 2)
    config = Config(encoder=layer)
    assert way(config) == config
    assert Config(encoder=layer) == config
    nn.init.zeros_(layer.weight)
    assert Config(encoder=layer) != config
    assert torch.any(config.encoder(None).weight != 0.0)


def test_settings_come_back_from_what_a_file_has_of_them():
    config = Config(encoder=own_networks.Dense, rate=own_networks.halved, hidden=(1, 2))
    plain = recorded(config)
    assert plain["encoder"] == "own_networks:Dense"
    assert recalled(Config, plain) == config
    assert needs_trust(config)
    assert not needs_trust(Config())
    with pytest.raises(UntrustedError, match="'elsewhere:Net'"):
        recalled(Config, plain | {"encoder": "elsewhere:Net"})
    with pytest.raises(MissingCode, match="cannot import 'elsewhere'"):
        recalled(Config, plain | {"encoder": "elsewhere:Net"}, trust=True)
    given = recalled(Config, plain | {"encoder": "elsewhere:Net"}, {"encoder": "mlp"})
    assert given.encoder == "mlp"


def test_a_function_may_be_missing_until_it_is_called():
    lost = recalled(Config, recorded(Config(rate=lambda left: left))).rate
    assert isinstance(lost, Lost)
    assert written(lost) == recorded(Config(rate=lost))["rate"]
    with pytest.raises(ValueError, match=r"load\(path, rate=\.\.\.\)"):
        lost(0.5)
