import json
import math

import pytest

pytest.importorskip("optuna")

import optuna
from scipy.stats import kstest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from nets.process.seeding import hash31
from nets.runs.ownership import Occupied
from nets.supervised.search import (
    SAMPLERS,
    choice,
    folder_name,
    integers,
    log_uniform,
    search,
    uniform,
)

SPACE = {"lr": log_uniform(1e-4, 1.0), "width": integers(1, 64), "norm": choice("none", "batch")}


def loss(settings, folder):
    return (math.log10(settings["lr"]) + 2) ** 2 + settings["width"] / 64


@pytest.fixture(scope="module")
def draws():
    """400 draws as `search` makes them, trial by trial, without its journal."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    values = []
    for number in range(400):
        study.sampler = SAMPLERS["random"](hash31(0, "trial", number))
        trial = study.ask({"lr": log_uniform(1e-4, 1.0), "p": uniform(0.0, 1.0)})
        values.append((trial.params["lr"], trial.params["p"]))
    return values


def test_S_HP_01_learning_rates_are_uniform_in_their_logarithm(draws):
    exponents = [math.log10(lr) for lr, _ in draws]
    assert kstest(exponents, "uniform", args=(-4, 4)).pvalue > 0.01
    assert sum(lr < 0.01 for lr, _ in draws) / len(draws) == pytest.approx(0.5, abs=0.1)
    # the test can tell: plainly uniform numbers are nothing like it
    assert kstest([math.log10(1e-4 + p) for _, p in draws], "uniform", args=(-4, 4)).pvalue < 1e-6
    assert kstest([p for _, p in draws], "uniform").pvalue > 0.01


def test_S_HP_02_a_grid_has_one_folder_for_each_combination(tmp_path):
    space = {"lstm": choice(1, 2), "lr": choice(0.1, 0.01), "seed": integers(0, 1)}
    seen = []

    def objective(settings, folder):
        seen.append(settings)
        (folder / "run.txt").write_text("here")
        return settings["lstm"] * settings["lr"] + settings["seed"]

    found = search(objective, space, tmp_path, sampler="grid")
    expected = [
        {"lstm": lstm, "lr": lr, "seed": seed}
        for lstm in (1, 2)
        for lr in (0.1, 0.01)
        for seed in (0, 1)
    ]
    assert seen == expected == [trial.settings for trial in found.trials]
    folders = sorted(path.name for path in tmp_path.iterdir() if path.is_dir())
    assert folders == [folder_name(i, each) for i, each in enumerate(expected)]
    assert folders[2] == "002,lstm=1,lr=0.01,seed=0"
    assert all((trial.folder / "run.txt").exists() for trial in found.trials)
    assert found.best.settings == {"lstm": 1, "lr": 0.01, "seed": 0}
    # again: nothing is left to do
    assert search(objective, space, tmp_path, sampler="grid") == found
    assert len(seen) == 8


class Killed(Exception):
    pass


@pytest.mark.parametrize("sampler", ["random", "tpe", "grid"])
def test_S_HP_02_a_search_that_was_killed_goes_on_as_if_it_had_not_been(tmp_path, sampler):
    space = {"lr": choice(0.1, 0.01), "width": choice(1, 2, 3)} if sampler == "grid" else SPACE
    calls = []

    def objective(settings, folder):
        calls.append(settings)
        if len(calls) == 3:
            (folder / "checkpoint").write_text("half")
            raise Killed
        if len(calls) == 4:
            assert settings == calls[2]
            assert (folder / "checkpoint").read_text() == "half"
        return loss(settings, folder)

    whole = search(loss, space, tmp_path / "whole", trials=5, sampler=sampler)
    with pytest.raises(Killed):
        search(objective, space, tmp_path / "killed", trials=5, sampler=sampler)
    resumed = search(objective, space, tmp_path / "killed", trials=5, sampler=sampler)
    assert [t.settings for t in resumed.trials] == [t.settings for t in whole.trials]
    assert [t.value for t in resumed.trials] == [t.value for t in whole.trials]
    assert len(calls) == 6


def test_S_HP_02_more_trials_extend_a_search_and_seeds_differ(tmp_path):
    first = search(loss, SPACE, tmp_path / "a", trials=2)
    longer = search(loss, SPACE, tmp_path / "a", trials=4)
    assert longer.trials[:2] == first.trials
    settings = [trial.settings for trial in longer.trials]
    assert len({each["lr"] for each in settings}) == 4
    other = search(loss, SPACE, tmp_path / "b", trials=2, seed=1)
    assert {t.settings["lr"] for t in other.trials}.isdisjoint(each["lr"] for each in settings)


def test_S_TB_04_each_trial_tells_tensorboard_its_settings_and_its_value(tmp_path):
    found = search(loss, SPACE, tmp_path, trials=1, direction="maximize")
    (trial,) = found.trials
    events = EventAccumulator(str(trial.folder)).Reload()
    (event,) = events.Scalars("objective")
    assert event.value == pytest.approx(trial.value, rel=1e-6)
    record = json.loads((trial.folder / "trial.json").read_text())
    assert record == {"settings": trial.settings, "value": trial.value}


def test_values_that_are_not_finite_never_win(tmp_path):
    def objective(settings, folder):
        return math.nan if settings["x"] == 1 else float(settings["x"])

    space = {"x": choice(1, 2, 3)}
    found = search(objective, space, tmp_path / "a", sampler="grid")
    assert [math.isnan(trial.value) for trial in found.trials] == [True, False, False]
    assert found.best.settings == {"x": 2}
    best = search(objective, space, tmp_path / "b", sampler="grid", direction="maximize").best
    assert best.settings == {"x": 3}
    hopeless = search(objective, {"x": choice(1)}, tmp_path / "c", sampler="grid")
    with pytest.raises(ValueError, match="none of 1 trials"):
        _ = hopeless.best


def test_searches_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"lr is FloatDistribution.*a grid needs choices"):
        search(loss, SPACE, tmp_path / "a", sampler="grid")
    with pytest.raises(ValueError, match="trials must be given"):
        search(loss, SPACE, tmp_path / "b")
    with pytest.raises(ValueError, match=r"unknown sampler 'rnadom'; did you mean 'random'"):
        search(loss, SPACE, tmp_path / "c", trials=1, sampler="rnadom")
    search(loss, SPACE, tmp_path / "d", trials=1)
    with pytest.raises(ValueError, match="holds another search: seed changed"):
        search(loss, SPACE, tmp_path / "d", trials=1, seed=1)


def test_a_folder_holds_one_search_at_a_time(tmp_path):
    def again(settings, folder):
        with pytest.raises(Occupied, match="has an owner"):
            search(again, {"x": choice(1)}, tmp_path, sampler="grid")
        return 0.0

    search(again, {"x": choice(1)}, tmp_path, sampler="grid")
