import json
import os
import re
import signal
import socket
import sqlite3
import tomllib
from contextlib import closing
from dataclasses import replace

import gymnasium as gym
import pytest
from gymnasium.envs.classic_control import CartPoleEnv

import agents
from agents.environments.source import EnvSource
from agents.outcomes.comparison import Comparison, Contender
from agents.presets import find_preset
from agents.tuning.report import as_preset, pruned_points, write
from agents.tuning.space import distribution
from agents.tuning.study import JOURNAL, Study
from nets.kinds import Span
from nets.placing.each import run_each
from nets.placing.local import Local
from nets.runs.checkpoint import CheckpointError

SPACE = {"learning_rate": Span(0.01, 1.0, log=True), "discount": (0.5, 0.9)}


def study(path, **changes):
    source = EnvSource.of("FrozenLake-v1", 1)
    contender = Contender("q-learning", "q-learning", agents.QLearningConfig(), source, 400)
    setup = {"trials": 4, "pruner": "none"} | changes
    return Study(Comparison(path, eval_episodes=2), contender, SPACE, **setup)


def values(found):
    return [(trial.number, trial.state.name, trial.value, trial.params) for trial in found]


def test_a_study_in_parts_is_the_study_at_once(tmp_path):
    whole = study(tmp_path / "whole")
    whole.work()
    parts = study(tmp_path / "parts", trials=2)
    parts.work()
    replace(parts, trials=4).work()
    assert len(whole.finished()) == 4
    assert values(parts.finished()) == values(whole.finished())
    record = json.loads((tmp_path / "whole" / "trial-003" / "seed-0.json").read_text())
    assert record["result"]["figure"] == whole.finished()[3].value


def test_what_a_dead_process_began_is_taken_up(tmp_path):
    left = study(tmp_path)
    begun = left.open()
    trial = begun.ask({name: distribution(where) for name, where in SPACE.items()})
    trial.set_user_attr("host", socket.gethostname())
    left.work()
    assert [trial.number for trial in left.finished()] == [0, 1, 2, 3]
    assert {trial.state.name for trial in left.finished()} == {"COMPLETE"}


def die_or_work(of, marker):
    """Work; the first process to come dies at its first evaluation."""
    if not marker.exists():
        from agents.loop.trainer import Trainer

        marker.touch()
        Trainer.evaluate = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    of.work()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_a_killed_worker_loses_nothing_and_nothing_is_done_twice(tmp_path):
    shared = study(tmp_path / "s", trials=6)
    shared.open()
    with (
        pytest.raises(RuntimeError, match="exit code -9"),
        closing(run_each(die_or_work, [(shared, tmp_path / "marker")])) as ended,
    ):
        list(ended)
    assert shared.finished() == []
    with closing(run_each(shared.work, [(), ()], Local(2))) as ended:
        assert sorted(ended) == [0, 1]
    found = shared.finished()
    assert [trial.number for trial in found] == list(range(6))
    assert len({tuple(trial.params.values()) for trial in found}) == 6


def test_a_trial_that_falls_behind_is_pruned(tmp_path):
    behind = study(tmp_path, trials=6, pruner="median")
    begun = behind.open()
    for _ in range(5):  # better than any return of the lake
        trial = begun.ask({name: distribution(where) for name, where in SPACE.items()})
        for step in range(0, 401, 20):
            trial.report(2.0, step)
        begun.tell(trial, 2.0)
    behind.work()
    last = behind.finished()[-1]
    assert last.state.name == "PRUNED"
    assert 80 <= max(last.intermediate_values) < 400  # after the warm-up, before the end
    assert not (tmp_path / "trial-005" / "seed-0.json").exists()
    assert "1 pruned" in write(behind)
    told = last.intermediate_values
    assert list(pruned_points(behind.finished())) == [(5, told[max(told)])]
    rows = re.findall(r"<td[^>]*>(\d+)</td><td[^>]*>(\w+)<", behind._repr_html_())
    assert rows == [*((str(k), "complete") for k in range(5)), ("5", "pruned")]


def test_settings_that_diverge_are_a_failed_trial(tmp_path):
    source = EnvSource.of("CartPole-v1", 1)
    contender = Contender("a2c", "a2c", agents.A2CConfig(hidden=(4,)), source, 64)
    space = {"learning_rate": (1e30,)}
    failing = Study(Comparison(tmp_path, eval_episodes=1), contender, space, trials=1)
    failing.work()
    assert [trial.state.name for trial in failing.finished()] == ["FAIL"]
    assert "no trial has come to its end yet of 1" in write(failing)
    assert "learning_rate" in write(failing)


def test_another_study_is_not_mixed_in(tmp_path):
    study(tmp_path).open()
    with pytest.raises(ValueError, match=r"settings \(seed 0, now 1; seeds 1, now 2\)"):
        study(tmp_path, seed=1, seeds=2).open()


def test_a_storage_of_optunas_keeps_it(tmp_path):
    kept = study(tmp_path / "s", trials=1, storage=f"sqlite:///{tmp_path}/study.db")
    kept.work()
    assert (tmp_path / "study.db").exists()
    assert len(kept.finished()) == 1
    with pytest.raises(ValueError, match=r"no study at nonsense.*: expected a URL such as sqlite"):
        study(tmp_path / "t", storage="nonsense://x").open()
    assert not (tmp_path / "t").exists()


def test_a_storage_keeps_the_studies_of_several_folders(tmp_path):
    storage = f"sqlite:///{tmp_path}/study.db"
    for name, seed in (("one", 0), ("two", 1)):
        study(tmp_path / name, trials=1, seed=seed, storage=storage).work()
    first, second = (
        study(tmp_path / name, trials=1, seed=seed, storage=storage).finished()[0].params
        for name, seed in (("one", 0), ("two", 1))
    )
    assert first != second


def test_trials_of_another_study_are_not_taken_for_its_own(tmp_path):
    """Neither where the storage is another, nor where the folder is, nor without a storage."""
    study(tmp_path / "s", trials=2).work()
    storage = f"sqlite:///{tmp_path}/study.db"
    with pytest.raises(ValueError, match="holds 2 trials of another study, of this 0"):
        study(tmp_path / "s", trials=2, seed=1, storage=storage).open()
    (tmp_path / "s" / JOURNAL).unlink()
    with pytest.raises(ValueError, match="holds 2 trials of another study, of this 0"):
        study(tmp_path / "s", trials=2).open()
    study(tmp_path / "a/t", trials=1, storage=storage).work()
    with pytest.raises(ValueError, match="1 trial of t ended, and none is in"):
        study(tmp_path / "b/t", trials=1, storage=storage).open()


def test_a_study_of_an_older_name_goes_on(tmp_path):
    storage = f"sqlite:///{tmp_path}/study.db"
    study(tmp_path / "s", trials=1, storage=storage).work()
    with closing(sqlite3.connect(tmp_path / "study.db")) as database, database:
        database.execute("update studies set study_name = 'tune'")
    assert len(study(tmp_path / "s", trials=1, storage=storage).finished()) == 1


def test_the_best_is_left_as_a_preset(tmp_path):
    found = study(tmp_path)
    assert found._repr_html_().count("<tr>") == 1  # there is no study yet, and none is begun
    assert not any(tmp_path.iterdir())
    found.work()
    table = write(found)
    best = max(found.finished(), key=lambda trial: trial.value)
    assert f"{best.value:.5g}" in table
    shown = re.findall(r"<td[^>]*>([^<]*)</td>", found._repr_html_())[:5]
    assert shown[:3] == [str(best.number), "complete", f"{best.value:.6g}"]
    assert shown[3:] == [f"{value:.6g}" for value in best.params.values()]
    preset = find_preset("q-learning", "FrozenLake-v1", str(tmp_path / "best.toml"))
    assert preset.steps == 400
    assert preset.settings["discount"] == best.params["discount"]
    assert (tmp_path / "trials.png").stat().st_size > 1000
    assert find_preset("sarsa", "FrozenLake-v1", str(tmp_path / "best.toml")) is None


def test_presets_are_toml_with_what_is_around_the_world():
    source = EnvSource.of("dreamgym/Recall-v0", 8)
    config = agents.PPOConfig(hidden=(8, 8), normalize_reward=True)
    text = as_preset(Contender("ppo", "ppo", config, source, 50), {"activation": "relu"})
    assert tomllib.loads(text)["ppo"]["dreamgym/Recall-v0"] == {
        "steps": 50,
        "num_envs": 8,
        "hidden": [8, 8],
        "normalize_reward": True,
        "activation": "relu",
    }


@pytest.mark.parametrize("line", ['encoder = "mine:Net"', 'wrappers = {"mine:Wrap" = {}}'])
def test_a_file_of_presets_names_no_code(tmp_path, line):
    file = tmp_path / "p.toml"
    file.write_text(f'[ppo."CartPole-v1"]\n{line}\n')
    with pytest.raises(ValueError, match="asks for code, 'mine:"):
        find_preset("ppo", "CartPole-v1", str(file))


JOURNALS = {
    "a row that is no JSON": b"{bad\n{}\n",
    "a row of another kind": b"[1]\n",
    "bytes": b"\xff\xfe\0\n\n",
    "depth": b"[" * 100_000 + b"\n\n",
}


@pytest.mark.parametrize("damage", JOURNALS.values(), ids=JOURNALS)
def test_a_damaged_journal_is_named(tmp_path, damage):
    study(tmp_path).open()
    with (tmp_path / JOURNAL).open("ab") as journal:
        journal.write(damage)
    with pytest.raises(CheckpointError, match=rf"{JOURNAL} does not fit: "):
        study(tmp_path).open()


def test_a_study_goes_on_where_a_process_died_while_it_wrote(tmp_path):
    study(tmp_path).open()
    journal = tmp_path / JOURNAL
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":4,"wor')  # as on a full disk
    os.symlink(tmp_path / "of one who died elsewhere", f"{journal}.lock")
    study(tmp_path).work()
    assert journal.read_bytes().startswith(whole)
    assert all(map(json.loads, journal.read_text().splitlines()))
    assert len(study(tmp_path).finished()) == 4


def test_a_journal_is_written_through_no_link(tmp_path):
    mine = tmp_path / "mine"
    mine.touch()
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / JOURNAL).symlink_to(mine)
    with pytest.raises(CheckpointError, match="is a link"):
        study(tmp_path / "s").open()
    assert mine.read_bytes() == b""


class Broken(CartPoleEnv):
    """Has a fault of its own."""

    def step(self, action):
        raise ValueError("no such level")


def test_what_a_world_of_others_raises_is_no_failed_trial(tmp_path):
    gym.register("Broken-v0", entry_point=Broken, max_episode_steps=9)
    contender = Contender("a2c", "a2c", agents.A2CConfig(), EnvSource.of("Broken-v0", 1), 64)
    broken = Study(Comparison(tmp_path), contender, {"learning_rate": (0.1,)}, trials=1)
    with pytest.raises(ValueError, match="no such level"):
        broken.work()
