"""The benchmark: figures in turns, honest peers, tables that are written."""

import json
import math
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import ModuleType

import gymnasium as gym
import numpy as np
import pytest
import torch
from command_runs import ROOT
from fresh_process import printed_by

import envs  # noqa: F401
from agents.benchmarks import learners, peers, quality, worlds
from agents.tabular.dynamic_programming import horizon_values
from nets.benchmarks import growth, report
from nets.benchmarks.command import main
from nets.benchmarks.timing import Case, Need, Ratio, Result, Side, take_turns


def case(**changes):
    nobody = Side("ours", lambda turn: 1.0)
    peer = Side("peer", lambda turn: 1.0)
    return replace(Case("name", "what", "work", "steps/s", nobody, (peer,)), **changes)


# Timing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("warm_up", [True, False])
def test_sides_take_turns_and_the_warm_up_is_not_counted(warm_up):
    calls, ticks = [], []

    def side(name):
        return Side(name, lambda turn: calls.append((name, turn)) or 10.0 * turn + len(name))

    work = case(ours=side("a"), peers=(side("bb"), side("ccc")), rounds=3, warm_up=warm_up)
    result = take_turns(work, lambda: ticks.append(None))
    rounds = 3 + warm_up
    assert calls == [(name, turn) for turn in range(rounds) for name in ("a", "bb", "ccc")]
    assert len(ticks) == work.turns == 3 * rounds
    first = 10.0 * warm_up
    assert result.ours == [first + 1, first + 11, first + 21]
    assert result.peers["ccc"] == [first + 3, first + 13, first + 23]


def test_the_ratio_is_the_median_of_the_rounds_own_ratios():
    rates = Ratio.of([10.0, 40.0, 90.0], [10.0, 10.0, 30.0], "steps/s")
    assert rates == Ratio(median=3.0, low=1.0, high=4.0)  # the medians' ratio would be 4
    seconds = Ratio.of([10.0, 40.0, 90.0], [10.0, 10.0, 30.0], "s")  # fewer are better
    assert seconds == Ratio(median=1 / 3, low=0.25, high=1.0)


def test_a_side_that_never_finishes_takes_infinitely_long():
    never = math.inf
    assert Ratio.of([2.0], [never], "s").median == never
    assert Ratio.of([never], [2.0], "s").median == 0.0
    assert Ratio.of([never], [never], "s").median == 0.0


@pytest.mark.parametrize(
    ("bar", "floor", "passed"),
    [
        (1.9, None, True),
        (2.1, None, False),
        (1.9, 41.0, False),
        (None, 40.0, True),
        (None, 41, False),
    ],
)
def test_the_bar_holds_against_the_closest_peer_and_the_floor_for_ourselves(bar, floor, passed):
    figures = {"slow": [1.0, 1.0, 1.0], "close": [10.0, 20.0, 40.0]}
    result = Result(case(bar=bar, floor=floor), [20.0, 40.0, 80.0], figures)
    assert result.closest == "close"
    assert result.passed is passed


def test_the_stopwatch_stands_still_during_evaluations(monkeypatch):
    clock = iter([0.0, 3.0, 100.0, 104.0, 200.0])
    monkeypatch.setattr(learners, "perf_counter", lambda: next(clock))
    watch = learners.Stopwatch()
    assert watch.look(lambda: 474.9)
    assert watch.figure == math.inf
    assert not watch.look(lambda: 475.0)
    assert watch.figure == 7.0


# Growth -----------------------------------------------------------------------------------------


def test_the_limit_is_the_time_of_the_works_own_products():
    left, right = torch.ones(30, 40), torch.ones(40, 50)
    limit = growth.allowed(lambda: left @ right, amount=7, dtype=torch.float32)
    peak = growth.products_per_second(torch.float32)
    assert limit == pytest.approx(7 * peak / (2 * 30 * 40 * 50))


def test_growth_is_drawn_and_written_beside_its_limits(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    document = tmp_path / "page.md"
    document.write_text("<!-- growth -->\nold\n<!-- /growth -->\n")
    arguments = ["growth", "--only", "replay", "--json", "--write", str(document)]
    assert main([*arguments, "--picture", "grown.svg"]) == 0
    (curve,) = json.loads(capsys.readouterr().out)["curves"]
    frames, numbers = curve["lines"].values()
    for first, last in ((frames[0], frames[-1]), (numbers[0], numbers[-1])):
        growth = last["size"] / first["size"]  # other threads allocate, too
        assert last["figure"] / first["figure"] == pytest.approx(growth, 0.1)
    assert frames[-1]["limit"] < frames[-1]["figure"] < 1.1 * frames[-1]["limit"]
    assert b"</svg>" in (tmp_path / "grown.svg").read_bytes()
    text = document.read_text()
    assert "(grown.svg)" in text
    assert "four frames of 84x84" in text
    assert "old" not in text


# Peers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [peers.LEAN_CATCH, peers.BSUITE_CATCH], ids=lambda spec: spec.id)
def test_the_peers_catch_plays_what_ours_plays(spec):
    ours, theirs = gym.make("dreamgym/Catch-v0", obs="board"), gym.make(spec)
    rng = np.random.default_rng(0)
    for seed in range(20):
        seen = ours.reset(seed=seed)[0]
        theirs.reset(seed=seed)
        theirs.unwrapped.column = int(seen[0].argmax())  # the same ball
        over = False
        while not over:
            action = int(rng.integers(3))
            seen, reward, over, _, _ = ours.step(action)
            board, *rest = theirs.step(action)
            assert np.array_equal(seen, board)
            assert rest[:2] == [reward, over]


def test_the_plain_loop_learns():
    env = gym.make("dreamgym/Cliff-v0")
    q = peers.plain_q_learning(env, 20_000, learning_rate=0.5, discount=1.0)
    model = learners_model(env)
    assert model.initial @ horizon_values(model, 500, np.argmax(q, axis=1)) == -13.0


def learners_model(env):
    from agents.tabular.model import Model

    return Model.from_env(env)


def test_the_learners_play_under_the_same_settings():
    model, agent = learners.sb3_model(0), learners.zoo_agent(0)
    config = agent.config
    assert config.learning_rate == model.learning_rate
    assert config.batch_size == model.batch_size
    assert config.discount == model.gamma
    assert config.train_every == model.train_freq.frequency
    assert config.gradient_steps == model.gradient_steps
    assert config.target_every == model.target_update_interval
    assert config.target_rate == model.tau
    assert config.max_grad_norm == model.max_grad_norm
    ours = [tuple(p.shape) for p in agent.online.module.parameters()]
    assert ours == [tuple(p.shape) for p in model.q_net.parameters()]


# Speed, the command -----------------------------------------------------------------------------


def test_speed_prints_one_json_object(monkeypatch, capsys):
    monkeypatch.setattr(
        worlds, "CASES", tuple(replace(one, rounds=2, warm_up=False) for one in worlds.CASES)
    )
    assert main(["--only", "catch-scalar-lean", "lake-fr", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    lean, frames = record["cases"]
    assert (lean["name"], frames["name"]) == ("catch-scalar-lean", "lake-frames")
    assert len(lean["ours"]["rounds"]) == len(lean["peers"][0]["rounds"]) == 2
    assert lean["ours"]["median"] == np.median(lean["ours"]["rounds"])
    ratios = np.divide(frames["ours"]["rounds"], frames["peers"][0]["rounds"])
    assert frames["peers"][0]["ratio"] == np.median(ratios)
    assert frames["passed"] == (np.median(ratios) >= frames["bar"])
    assert record["machine"]["torch_threads"] == 1
    assert record["machine"]["versions"]["stable-baselines3"] != "not installed"


def test_cases_that_lack_a_library_are_left_out(monkeypatch, capsys):
    need = Need.of_module("no_such_library", "fast")
    lacking = tuple(replace(one, needs=need) for one in learners.CASES)
    monkeypatch.setattr(learners, "CASES", lacking)
    assert main(["--only", "tabular", "--json"]) == 0
    printed = capsys.readouterr()
    record = json.loads(printed.out)
    assert record["cases"] == []
    assert record["left_out"] == ["tabular-frozen-lake", "tabular-cliff-walking", "tabular-taxi"]
    assert "tabular-taxi is left out, needs no_such_library" in printed.err


def test_the_lists_name_every_case(capsys):
    assert main(["--list"]) == 0
    speed = capsys.readouterr().out
    assert main(["quality", "--list", "--only", "q-learning"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert "dqn-cartpole-475" in speed
    assert "catch-vector-1024" in speed
    assert [row.split()[0] for row in rows] == [
        row.name for row in quality.ROWS if row.name.startswith("q-learning")
    ]


def test_help_imports_nothing_heavy(tmp_path):
    script = str(ROOT / "scripts" / "benchmark.py")
    code = (
        f"import runpy, sys; sys.argv = [{script!r}, '--help']\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "assert not {'torch', 'gymnasium', 'stable_baselines3', 'numba'} & set(sys.modules)"
    )
    printed = printed_by(code, cwd=tmp_path)
    assert "benchmark.py quality --seeds 5" in printed


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (["--only", "lke"], "unknown case 'lke': did you mean 'lake'?"),
        (["quality", "--only", "dqn-cartpol3"], "did you mean 'dqn-cartpole'?"),
        (["quality", "--only", "taxi"], "unknown case 'taxi'"),
        (["--write", "nowhere.md"], "No such file"),
        (["--write", __file__], "has no lines '<!-- speed -->'"),
        (["growth", "--picture", "g.gif"], "g.gif: expected a name that ends in .png, .svg, .pdf"),
        (["growth", "--picture", f"{__file__}/g.png"], "g.png: test_benchmark.py is no folder"),
    ],
)
def test_wrong_words_are_refused_in_one_line(argv, hint, capsys):
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert hint in error
    assert error.count("\n") == 1


def test_numbers_that_make_no_sense_are_refused_before_anything_runs(capsys):
    assert main(["quality", "--seeds", "0", "--only", "best"]) == 2
    assert capsys.readouterr().err == "error: seeds is 0: expected at least 1\n"


# Tables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "told"), [(137.4, "137"), (15.8, "15.8"), (0.6, "0.60"), (0.00082, "0.00082")]
)
def test_ratios_are_told_by_two_digits_or_three(ours, told):
    result = Result(case(), [ours, ours, ours], {"peer": [1.0, 1.0, 1.0]})
    assert f" {told} ({told} to {told}) " in report.speed_line(result)


def test_a_table_replaces_what_stands_between_its_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- speed -->\nold\n<!-- /speed -->\nafter\n")
    result = Result(case(bar=2.0), [4e6, 5e6, 6e6], {"peer": [2e6, 2e6, 2e6]})
    about = {"processor": "abacus", "cores": 1, "torch_threads": 1, "commit": "f" * 40}
    table = report.speed_table([result], about | {"versions": {"numpy": "2"}}, "the command")
    for _ in range(2):  # writing again changes nothing
        report.write_between(page, "speed", table)
        before, middle, after = page.read_text().partition(table)
        assert before == "before\n<!-- speed -->\n\n"
        assert after == "\n\n<!-- /speed -->\nafter\n"
    assert "| 5.00M steps/s | 2.00M steps/s peer | 2.50 (2.00 to 3.00) | 2x | 11 x work |" in middle
    with pytest.raises(ValueError, match="no lines '<!-- quality -->'"):
        report.write_between(page, "quality", table)


def test_a_peer_is_fetched_when_that_is_asked_for(monkeypatch, capsys):
    fetched = []
    need = Need("peer", lambda: bool(fetched), "--fetch-peers", lambda: fetched.append(True))
    point = EntryPoint("mine", "tests_cases:CASES", "dreamgym.benchmarks")
    module = ModuleType("tests_cases")
    module.CASES = (case(name="mine", needs=need, rounds=2),)
    monkeypatch.setitem(sys.modules, "tests_cases", module)
    monkeypatch.setattr("nets.benchmarks.measure.entry_points", lambda group: [point])
    assert main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out)["left_out"] == ["mine"]
    assert main(["--json", "--fetch-peers"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in record["cases"]] == ["mine"]
    assert record["cases"][0]["peers"][0]["ratio"] == 1.0
