"""Several processes that train one agent: each does its share, and all end as one alone would."""

from functools import partial

import pytest
import torch
from forked_team import in_processes
from joint_training import CASES, STEPS, agent_of, all_trained, trained

from agents.algorithms import find_algorithm
from agents.loop.trainer import Trainer
from nets.process.distributed import ALONE, Team


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """What two processes came to, and where they wrote."""
    folder = tmp_path_factory.mktemp("together")
    return in_processes(2, partial(all_trained, folder), folder), folder


@pytest.mark.parametrize("name", CASES)
def test_two_processes_learn_what_one_learns(processes, name):
    first, second = (whole[name] for whole, _ in processes[0])
    assert_equal(first, second)
    alone = trained(name, ALONE)
    assert alone["episodes"] == first["episodes"]
    for key, network in alone["networks"].items():
        if key.endswith("norm"):
            continue
        began = agent_of(name).state_dict()[key]
        moved = vector(network) - vector(began)
        # sums of rows in another order, which every step of Adam and of the world enlarges
        assert (vector(first["networks"][key]) - vector(network)).norm() < 0.03 * moved.norm()


@pytest.mark.parametrize("name", ["ppo", "dqn"])
def test_a_run_of_two_goes_on_bit_for_bit(processes, name):
    """The first process writes and reads; what it found the other is told."""
    ((_, first), (_, second)), folder = processes
    whole, halves = first[name]
    assert_equal(whole, halves)
    assert_equal(whole, second[name][1])
    rows = [(folder / name / run / "metrics.csv").read_text() for run in ("whole", "halves")]
    assert rows[0] == rows[1]
    assert rows[0].count("\n") == STEPS // 60 + 1  # of one process


def test_what_cannot_be_dealt_out_is_refused():
    two = Team(0, 2)
    world = "dreamgym/Lake-v0"
    table = find_algorithm("q-learning").agent_type()(world, num_envs=2)
    with pytest.raises(ValueError, match="q-learning learns in one process, not in 2"):
        Trainer(table, team=two)
    agent = find_algorithm("ppo").agent_type()(world, num_envs=3)
    with pytest.raises(ValueError, match="num_envs is 3: expected a multiple of 2, as many proc"):
        agent.join(two)


def assert_equal(one, other):
    assert one["episodes"] == other["episodes"]
    assert one["best"] == other["best"]
    assert all(equal(one["networks"][key], other["networks"][key]) for key in one["networks"])


def equal(one, other):
    return all(torch.equal(one[part], other[part]) for part in one)


def vector(network):
    return torch.cat([part.flatten().double() for part in network.values()])
