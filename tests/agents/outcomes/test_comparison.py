"""Comparisons: contenders, exact restart, what records say together."""

import json
from dataclasses import replace
from functools import reduce
from operator import getitem

import numpy as np
import pytest
import scipy.stats
import torch
from sklearn.isotonic import IsotonicRegression

from agents.commands.contenders import parse_contenders
from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.environments.source import EnvSource
from agents.loop.run import RunConfig
from agents.loop.trainer import Trainer
from agents.outcomes.comparison import Comparison, Contender, load_records
from agents.outcomes.comparison_report import Outcome, curves, spread, summarize, table
from agents.presets import find_preset
from agents.tabular.temporal_difference import QLearningConfig
from nets.drawing.figures import as_picture
from nets.drawing.style import COLOURS_OF
from nets.runs.checkpoint import CheckpointError
from nets.shell.command_line import CommandError

LAKE = "dreamgym/Lake-v0"


def contender(**settings):
    config = QLearningConfig(**settings)
    return Contender("q-learning", "q-learning", config, EnvSource.of(LAKE, 1), steps=4000)


def test_a_run_that_was_cut_off_ends_as_if_nothing_had_happened(tmp_path):
    whole = Comparison(tmp_path / "whole", eval_episodes=5).run(contender(), 3)
    cut = Comparison(tmp_path / "cut", eval_episodes=5)
    folder, agent = cut.run_folder(contender(), 3), cut.agent(contender(), 3)
    config = RunConfig(**{name: value for name, value in whole["run"].items() if name != "device"})
    folder.create(agent, config, [])

    def stop(progress):
        if progress.steps == 2500:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Trainer(agent, folder, config, callbacks=[stop], progress=False).run(config.steps)
    assert [file.stem for file in folder.files.list()] == ["0000001000", "0000002000"]
    assert not cut.finished(contender(), 3)
    assert cut.steps_done(contender(), 3) in range(2000, 2501)
    again = cut.run(contender(), 3)
    fair = {"steps_per_second": 0}  # the one figure that depends on the clock
    assert again["result"] | fair == whole["result"] | fair
    assert cut.finished(contender(), 3)


def test_runs_side_by_side_share_the_threads(tmp_path):
    one = parse_contenders(
        "sb3-ppo:steps=160:n_steps=80:batch_size=80", EnvSource.of("dreamgym/Catch-v0")
    )[0]
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        record = Comparison(tmp_path, eval_episodes=1, jobs=2).run(one, 0)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert record["run"]["threads"] == 1  # alone, a CNN of stable-baselines3 would take both


def test_labels_change_settings_of_the_preset():
    labels = "ppo,ppo:encoder=mlp:hidden=32 16:normalize-reward=true:num_envs=4:steps=999"
    preset, changed = parse_contenders(labels, EnvSource.of("dreamgym/Recall-v0"))
    assert (preset.config.encoder, preset.config.hidden, preset.source.num_envs) == ("lstm", (), 32)
    assert (changed.config.encoder, changed.config.hidden) == ("mlp", (32, 16))
    assert changed.config.normalize_reward is True
    assert (changed.steps, changed.source.num_envs) == (999, 4)
    assert changed.config.learning_rate == preset.config.learning_rate
    assert (
        changed.folder == "ppo-encoder=mlp-hidden=32_16-normalize-reward=true-num_envs=4-steps=999"
    )


def test_a_label_may_name_a_variant():
    source = EnvSource.of("CartPole-v1")
    variant, changed = parse_contenders("dqn:preset=rainbow,dqn:n_step=7:preset=rainbow", source)
    preset = find_preset("dqn", "CartPole-v1", "rainbow")
    assert variant.config == preset.apply(DQNConfig())
    assert changed.config == replace(variant.config, n_step=7)
    assert variant.steps == changed.steps == preset.steps
    assert variant.folder == "dqn-preset=rainbow"


def test_everybody_trains_as_long_as_the_preset_or_the_longest_of_the_others():
    def lengths(labels, env_id, *steps):
        return [each.steps for each in parse_contenders(labels, EnvSource.of(env_id), *steps)]

    known = find_preset("dqn", "CartPole-v1").steps, find_preset("ppo", "CartPole-v1").steps
    assert lengths("dqn,ppo,ppo:steps=7", "CartPole-v1") == [*known, 7]
    assert lengths("dqn,ppo", "CartPole-v1", 1234) == [1234, 1234]
    assert lengths("a2c,ppo", "Pendulum-v1") == [find_preset("ppo", "Pendulum-v1").steps] * 2
    assert lengths("a2c", "MountainCar-v0") == [100_000]
    with pytest.raises(CommandError, match="named twice"):
        parse_contenders("ppo, ppo", EnvSource.of("CartPole-v1"))


def record(label, seed, figure, steps, returns):
    curve = {"step": steps, "return": returns, "std": [0.0] * len(steps)}
    result = {"figure": figure, "curve": curve, "steps_per_second": 10.0, "step": steps[-1]}
    config = {"env": "World-v0", "steps": steps[-1], "settings": {}, "eval_episodes": 20}
    return {"experiment": label, "seed": seed, "config": config, "result": result, "seconds": 1.0}


def test_seeds_evaluated_at_different_steps_meet_on_straight_lines():
    outcome = Outcome(
        "a",
        [record("a", 0, 0, [10, 20, 30], [0.0, 1.0, 3.0]), record("a", 1, 0, [15, 25], [5.0, 9.0])],
    )
    steps, returns = outcome.curves()
    np.testing.assert_allclose(steps, [15, 20, 25])
    np.testing.assert_allclose(returns, [[0.5, 5.0], [1.0, 7.0], [2.0, 9.0]])


def test_the_best_comes_first_by_its_interquartile_mean():
    low, high = [0.0, 1.0, 2.0, 3.0, 1000.0], [5.0, 6.0, 7.0, 8.0, -1000.0]
    records = [
        record(label, seed, figure, [1], [figure])
        for label, figures in (("low", low), ("high", high))
        for seed, figure in enumerate(figures)
    ]
    outcomes = summarize(records)
    assert [outcome.label for outcome in outcomes] == ["high", "low"]
    assert outcomes[0].best.iqm == scipy.stats.trim_mean(high, 0.25)
    cells = table(outcomes)[1]
    assert cells[:3] == ("high", "best", "6.0")
    assert cells[4:6] == ("6.0", "5.0 6.0 7.0 8.0 -1000.0")
    html = outcomes._repr_html_()  # in a notebook the same cells
    assert all(f">{cell}</td>" in html for cell in cells)
    assert summarize([])._repr_html_().count("<tr>") == 1  # nobody has run yet


@pytest.mark.parametrize("seeds", [1, 3])
def test_an_interval_is_promised_and_drawn_of_several_seeds_only(seeds):
    runs = [record("ppo", seed, 0, [10, 20, 30], [0.0, 1.0, seed]) for seed in range(seeds)]
    (axes,) = curves(summarize(runs)).axes
    assert len(axes.collections) == (seeds > 1)
    assert ("interval" in axes.get_ylabel()) == (seeds > 1)
    assert axes.get_title("left") == f"World-v0, {seeds} seed{'s' * (seeds > 1)}"
    assert axes.lines[0].get_color() == COLOURS_OF["ppo"]


def test_where_a_task_counts_as_solved_is_drawn():
    runs = [record("ppo", 0, 0, [10, 20], [100.0, 400.0])]
    runs[0]["config"]["env"] = "CartPole-v1"
    (axes,) = curves(summarize(runs)).axes
    assert any(set(line.get_ydata()) == {475.0} for line in axes.lines)
    assert axes.get_ylim()[1] > 475.0


MANY = [f"ppo:n_steps={k}" for k in range(30)]
LONG = [f"ppo:hidden=256 256 256:learning_rate=0.{k}:{'x' * 99}$y_{{$" for k in range(3)]


@pytest.mark.parametrize("names", [MANY, LONG], ids=["many", "long"])
def test_all_names_are_within_the_picture(names):
    runs = [record(name, 0, 0, [10, 20], [0.0, float(k)]) for k, name in enumerate(names)]
    runs.append(record("dqn", 0, 0, [10, 20], [0.0, np.nan]))  # has no end to be named at
    figure = curves(summarize(runs))
    as_picture(figure)  # lays it out
    whole = figure.bbox.padded(1)
    shown = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(shown) == len(names)
    assert all(whole.contains(*box.min) and whole.contains(*box.max) for box in shown)


def test_lines_lead_to_labels_but_not_several_from_one_point():
    runs = [
        record(name, 0, 1.0, [1, 2], [0.0, end]) for name, end in (("a", 5), ("b", 9), ("c", 9))
    ]
    (axes,) = curves(summarize(runs)).axes
    starts = {text.get_text(): text.xy for text in axes.texts}
    assert starts["a"] == (2.0, 5.0)
    assert starts["b"][1] != starts["c"][1]


def test_labels_keep_their_distance():
    rng = np.random.default_rng(0)
    for _ in range(20):
        wanted = np.sort(rng.uniform(0, 5, size=7))
        heights = spread(wanted, 0.8)
        assert (np.diff(heights) >= 0.8 - 1e-9).all()
        index = np.arange(7)
        expected = IsotonicRegression().fit_transform(index, wanted - 0.8 * index) + 0.8 * index
        np.testing.assert_allclose(heights, expected, atol=1e-9)


def test_folders_of_two_worlds_are_refused(tmp_path):
    for label, env in (("a", "One-v0"), ("b", "Two-v0")):
        content = record(label, 0, 1.0, [1], [1.0])
        content["config"]["env"] = env
        (tmp_path / label).mkdir()
        (tmp_path / label / "seed-0.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="mixes One-v0 and Two-v0"):
        load_records(tmp_path)


DAMAGE = {
    "result": ([], r"result is \[\], expected names with values"),
    "config": (None, "config is None, expected"),
    "seed": ("a", "seed is 'a', expected a whole number"),
    "result.figure": ("x", r"result\.figure is 'x', expected a number"),
    "result.curve": ({name: [] for name in ("step", "return", "std")}, "columns of"),
    "result.curve.step": ([1, 2, 3], "columns of"),
    "config.env": (["a"], r"config\.env is .*, expected text"),
}


@pytest.mark.parametrize(("name", "damage"), DAMAGE.items(), ids=DAMAGE)
def test_a_damaged_record_is_refused_by_name(tmp_path, name, damage):
    value, words = damage
    content = record("a", 0, 1.0, [1, 2], [1.0, 1.0])
    *path, last = name.split(".")
    reduce(getitem, path, content)[last] = value
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "seed-0.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=rf"seed-0\.json does not fit: .*{words}"):
        load_records(tmp_path)


def test_a_run_whose_source_has_changed_since_is_refused(tmp_path):
    source, file = EnvSource.of("CartPole-v1", 1), tmp_path / "donor.pt"
    config = DQNConfig(hidden=(8,), pretrained=str(file))
    one = Contender("dqn", "dqn", config, source, steps=100)
    DQN("CartPole-v1", DQNConfig(hidden=(8,)), device="cpu").save(file)
    comparison = Comparison(tmp_path / "out", eval_episodes=1, device="cpu")
    comparison.run(one, 0)
    assert comparison.finished(one, 0)
    DQN("CartPole-v1", DQNConfig(hidden=(8,)), seed=1, device="cpu").save(file)
    with pytest.raises(ValueError, match=r"run with other settings \(sources .*, now "):
        comparison.finished(one, 0)
