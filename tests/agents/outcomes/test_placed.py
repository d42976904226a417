"""Runs of a comparison on clusters: none is lost, none is made twice, and all end in their bits."""

import os
from contextlib import closing

import pytest
from command_runs import ROOT
from dying import die_or_run
from leftovers import check_equal, result

from agents.environments.source import EnvSource
from agents.outcomes.comparison import Comparison, Contender, load_records
from agents.tabular.temporal_difference import QLearningConfig
from nets.placing.each import run_each
from nets.placing.named import place_named
from nets.placing.slurm import Slurm

LAKE = EnvSource.of("FrozenLake-v1", 1)
CONTENDER = Contender("q-learning", "q-learning", QLearningConfig(), LAKE, 4000)
SEEDS = 3


@pytest.fixture
def found_elsewhere(monkeypatch):
    """Let processes that others start find our packages and helpers."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "helpers")])
    monkeypatch.setenv("PYTHONPATH", paths)


@pytest.fixture
def cluster(found_elsewhere, monkeypatch):
    """A Ray cluster of two machines, which are processes here, with one CPU each."""
    pytest.importorskip("ray", reason="needs dreamgym[ray]")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    machines = Cluster()
    for _ in range(2):
        machines.add_node(num_cpus=1, include_dashboard=False, object_store_memory=80_000_000)
    yield machines
    machines.shutdown()


def comparison(path):
    return Comparison(path, eval_episodes=2, eval_max_steps=60)


def run_on(place, path, notes):
    """Run all seeds there, and return which ended."""
    notes.mkdir()
    runs = [(comparison(path), CONTENDER, seed, notes) for seed in range(SEEDS)]
    with closing(run_each(die_or_run, runs, place)) as ended:
        return sorted(ended)


def check_whole(path, alone):
    """Compare everything with runs that were never cut off."""
    for seed in range(SEEDS):
        comparison(alone).run(CONTENDER, seed)
        expected = result(comparison(alone).run_folder(CONTENDER, seed).path)
        check_equal(comparison(path).run_folder(CONTENDER, seed).path, expected)
    timeless = {"steps_per_second": 0}
    there, here = load_records(path), load_records(alone)
    assert [record["seed"] for record in there] == list(range(SEEDS))
    for one, other in zip(there, here, strict=True):
        assert one["result"] | timeless == other["result"] | timeless
        assert one["config"] == other["config"]


@pytest.mark.slow
def test_a_killed_run_is_taken_up_by_another_process_of_a_ray_cluster(cluster, tmp_path):
    notes = tmp_path / "notes"
    place = place_named(f"ray:{cluster.address}")
    assert run_on(place, tmp_path / "there", notes) == list(range(SEEDS))
    tries = [(notes / f"seed-{seed}").read_text().split() for seed in range(SEEDS)]
    assert [len(each) for each in tries] == [2, 4, 2]
    first, _, second, begun = tries[1]
    assert first != second
    assert int(begun) >= 1000  # not from the beginning
    check_whole(tmp_path / "there", tmp_path / "alone")


@pytest.mark.slow
def test_runs_are_jobs_of_slurm(found_elsewhere, tmp_path):
    pytest.importorskip("submitit", reason="needs dreamgym[slurm]")
    place = Slurm(cluster="local", jobs=2, logs=tmp_path / "logs")
    runs = [(CONTENDER, seed) for seed in range(SEEDS)]
    with closing(run_each(comparison(tmp_path / "there").run, runs, place)) as ended:
        assert sorted(ended) == list(range(SEEDS))
    check_whole(tmp_path / "there", tmp_path / "alone")
