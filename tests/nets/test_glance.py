import math
import re
from dataclasses import dataclass
from pathlib import Path

import torch

import agents
import generative
from envs.grids.worlds import Lake
from envs.numbers import Table
from envs.scalar import DynamicsEnv
from generative.data import Dataset
from nets.benchmarks.quality import OfFile, Outcome, Row
from nets.glance import changed, in_a_line, in_a_table
from nets.gradients.averaging import ExponentialAverage
from nets.layers.distributions import Categorical, Gaussian
from nets.layers.regularization import ActivityPenalty
from nets.networks.vocabulary import Vocabulary
from nets.runs.logs import TensorBoard
from nets.supervised.early_stopping import EarlyStopping
from nets.supervised.search import Search, Trial
from nets.tracking.tracking import Tracking


@dataclass(frozen=True)
class Config:
    hidden: tuple[int, ...] = (64,)
    rate: float = 0.1


def test_settings_that_are_not_the_defaults():
    assert changed(Config()) == {}
    assert changed(Config(rate=0.2)) == {"rate": 0.2}


def test_a_line_is_short_however_long_its_facts():
    assert in_a_line(Config(), {"a": 1, "b": "x"}) == "Config(a=1, b='x')"
    assert len(in_a_line(Config(), {"a": list(range(1000))})) < 80


def test_what_people_look_at_in_a_prompt_says_what_it_is(tmp_path):
    """And no address, of which nobody learns anything, and which differs from run to run."""
    agent = agents.DQN("CartPole-v1", agents.DQNConfig(hidden=(4,), buffer_size=9))
    model = generative.VAE((2,), generative.VAEConfig(hidden=(4,)), dataset_size=5)
    rows = Dataset("dots", torch.eye(5, 2))
    numbers = torch.zeros(3, 2)
    shown = [
        *(agents.Trainer(agent), generative.Trainer(model, rows, device="cpu"), agent.replay),
        *(Tracking("tensorboard", tmp_path), EarlyStopping(), Vocabulary(["ab", "b"])),
        *(Categorical(numbers), Gaussian(numbers, numbers), ActivityPenalty(torch.nn.ReLU())),
        *(ExponentialAverage(torch.nn.Linear(1, 1), 0.9), TensorBoard(tmp_path)),
        *(Lake(), DynamicsEnv("envs.worlds.cartpole:CartPole"), Table([1, 2])),
    ]
    for each in shown:
        assert re.match(rf"^{type(each).__name__}\(.+\)$", repr(each))
        assert " object at 0x" not in repr(each)
    assert repr(agent.replay) == "ReplayBuffer(rows=0, capacity=9, drawn='uniform')"
    assert repr(shown[5]) == "Vocabulary(size=6, most_frequent=['b', 'a'])"
    assert repr(Lake()) == "Lake(Discrete(16), Discrete(4))"
    assert "<td" in shown[0]._repr_html_()


def test_nothing_of_a_fact_is_taken_for_html():
    table = in_a_table(Config(), {"<i>": "<script>alert(1)</script>"})
    assert "<script" not in table
    assert "<i>" not in table
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in table


def test_a_search_shows_its_trials_the_best_first_and_escapes_them():
    trials = [
        Trial(0, {"lr": 0.1, "kind": "<b>"}, 2.0, Path()),
        Trial(1, {"lr": 0.2, "width": 8}, math.nan, Path()),
        Trial(2, {"lr": 0.3}, 1.0, Path()),
    ]
    cells = re.findall(
        r"<t[hd][^>]*>(.*?)</t[hd]>", Search(tuple(trials), "minimize")._repr_html_()
    )
    assert cells[:5] == ["trial", "value", "lr", "kind", "width"]
    assert [cells[k] for k in (5, 10, 15)] == ["2", "0", "1"]
    assert "&lt;b&gt;" in cells


def test_a_row_of_quality_shows_its_figures_and_whether_they_pass():
    row = Row("name", "what it is", OfFile("x", lambda file: None), reference=1.0, low=0.5)
    records = [{"result": {"figure": figure}} for figure in (0.25, 0.75, 1.0)]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", Outcome(row, records)._repr_html_())
    assert cells == ["name", "what it is", "0.75", "0.25", "1", "3", "1", "True"]
