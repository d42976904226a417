"""`compare`: contenders, records, exact restart, Ctrl-C, table and curves."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pytest
from command_runs import ROOT, finished

from agents.commands.compare import main as compare
from agents.commands.contenders import parse_contenders
from agents.environments.source import EnvSource
from agents.loading import load
from agents.loop.evaluation import evaluate
from agents.outcomes.comparison import Comparison, load_records
from agents.presets import find_preset
from agents.tabular.temporal_difference import QLearningConfig
from nets.drawing.style import COLOURS_OF
from nets.runs.ownership import owned
from nets.shell.command_line import OCCUPIED

LAKE = "dreamgym/Lake-v0"
SHORT = ("--steps", "4000", "--seeds", "2", "--eval-episodes", "5")
PAIR = "q-learning,q-learning:learning-rate=0.1:learning_rate_decay=0"
OTHER = "q-learning-learning-rate=0.1-learning_rate_decay=0"


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Two contenders with two seeds, two runs at a time."""
    home, folder = tmp_path_factory.mktemp("compared"), "compare-dreamgym-Lake-v0"
    return finished(home, folder, "compare", PAIR, LAKE, *SHORT, "--jobs", 2)


@pytest.fixture
def copied(compared, tmp_path, monkeypatch):
    """A copy of that comparison, to spoil."""
    shutil.copytree(compared.folder, tmp_path / "copy")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "copy"


def read(folder, label="q-learning", seed=0):
    return json.loads((folder / label / f"seed-{seed}.json").read_text())


def test_a_record_says_what_was_run_and_what_came_out(compared):
    record = read(compared.folder, OTHER, seed=1)
    assert record["experiment"] == PAIR.split(",")[1]
    assert record["seed"] == 1
    config = record["config"]
    assert (config["algorithm"], config["env"], config["steps"]) == ("q-learning", LAKE, 4000)
    preset = find_preset("q-learning", LAKE).settings
    for name in set(preset) - {"learning_rate", "learning_rate_decay"}:
        assert config["settings"][name] == preset[name]
    assert config["settings"]["learning_rate"] == 0.1
    assert config["settings"]["learning_rate_decay"] == 0.0
    assert record["run"]["eval_episodes"] == 5
    assert record["run"]["device"] == "cpu"
    assert f"compare.py {PAIR} {LAKE} --steps 4000" in record["command"]
    assert set(record["versions"]) >= {"dreamgym", "gymnasium", "numpy", "torch", "python"}
    assert len(record["commit"]) == 40
    assert record["result"]["curve"]["step"] == list(range(200, 4001, 200))
    assert len(record["result"]["returns"]) == 100
    assert record["result"]["figure"] == np.mean(record["result"]["returns"])


def test_the_best_checkpoint_is_measured_in_fresh_episodes(compared):
    agent = load(compared.folder / "runs" / "q-learning" / "seed-1")
    result = read(compared.folder, seed=1)["result"]
    assert result["step"] == agent.steps
    assert result["returns"] == evaluate(agent, episodes=100, seed=1_000_000).returns


def test_folder_holds_records_curves_and_page_but_checkpoints_only_under_runs(compared):
    names = {path.name for path in compared.folder.iterdir()}
    assert names == {"README.md", "curves.png", "q-learning", OTHER, "runs"}
    outside = [
        p
        for p in compared.folder.rglob("*.pt")
        if "runs" not in p.relative_to(compared.folder).parts
    ]
    assert not outside
    picture = iio.imread(compared.folder / "curves.png")[..., :3].astype(int)
    assert picture.shape[:2] == (550, 990)
    wanted = list(bytes.fromhex(COLOURS_OF["q-learning"][1:]))
    assert (np.abs(picture - wanted).sum(-1) < 6).sum() > 500


def test_table_holds_the_figures_of_every_seed(compared):
    page = (compared.folder / "README.md").read_text()
    assert page.startswith(f"# {LAKE}, 2 seeds\n")
    for label, name in (("q-learning", "q-learning"), (PAIR.split(",")[1], OTHER)):
        figures = [read(compared.folder, name, seed)["result"]["figure"] for seed in (0, 1)]
        middle, seeds = f"{np.mean(figures):.3f}", " ".join(f"{f:.3f}" for f in figures)
        low, high = sorted(f"{f:.3f}" for f in figures)
        line = f"| {label} | best | {middle} | {low} to {high} | {middle} | {seeds} | 4,000 |"
        assert line in page
        assert f"{label}, seed 1: best {figures[1]:.6g} at step " in compared.text
    assert "4 runs, 4 to do" in compared.text
    assert "16.0k/16.0k" in compared.bar
    assert "curves.png" in compared.text


def test_finished_runs_are_not_repeated(copied, capsys):
    before = {path: path.stat().st_mtime_ns for path in copied.glob("*/seed-*.json")}
    assert compare([PAIR, LAKE, *SHORT, "--out", "copy"]) == 0
    assert "4 runs, 0 to do" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in copied.glob("*/seed-*.json")} == before


def test_only_a_new_seed_is_run_and_joins_the_others(copied, capsys):
    shutil.rmtree(copied / OTHER)
    shutil.rmtree(copied / "runs")
    assert compare(["q-learning", LAKE, *SHORT, "--seeds", "3", "--out", "copy"]) == 0
    text = capsys.readouterr().out
    assert "3 runs, 1 to do" in text
    assert [record["seed"] for record in load_records(copied)] == [0, 1, 2]
    assert not (copied / "runs" / "q-learning" / "seed-1").exists()
    assert (copied / "README.md").read_text().startswith(f"# {LAKE}, 3 seeds\n")


def test_curves_for_a_paper_and_on_dark_paper(copied):
    assert compare(["--out", "copy", "--theme", "dark", "--format", "svg"]) == 0
    assert iio.imread(copied / "curves.png")[0, 0, :3].max() < 64
    drawn = (copied / "curves.svg").read_text()
    assert COLOURS_OF["q-learning"] in drawn


def test_drawing_again_needs_nothing_but_the_records(copied, capsys):
    page = (copied / "README.md").read_text()
    picture = (copied / "curves.png").read_bytes()
    for name in ("README.md", "curves.png"):
        (copied / name).unlink()
    shutil.rmtree(copied / "runs")
    assert compare(["--out", "copy"]) == 0
    assert (copied / "README.md").read_text() == page
    assert (copied / "curves.png").read_bytes() == picture
    assert "IQM" in capsys.readouterr().out


def test_records_of_other_settings_are_never_overwritten(copied, capsys):
    before = read(copied)
    assert compare(["q-learning", LAKE, *SHORT, "--steps", "5000", "--out", "copy"]) == 2
    assert "other settings (steps 4000, now 5000): remove it" in capsys.readouterr().err
    shutil.rmtree(copied / "q-learning")  # the run folder alone protects itself too
    assert compare(["q-learning", LAKE, *SHORT, "--steps", "5000", "--out", "copy"]) == 2
    assert "seed-0 was run with other settings (steps 4000, now 5000)" in capsys.readouterr().err
    assert before["config"]["steps"] == 4000


def test_a_record_older_than_a_setting_had_its_default(copied):
    comparison, file = Comparison(copied, eval_episodes=5), copied / "q-learning/seed-0.json"
    one = parse_contenders("q-learning", EnvSource.of(LAKE), steps=4000)[0]
    record = read(copied)
    assert (
        record["config"]["settings"].pop("epsilon_schedule") == QLearningConfig().epsilon_schedule
    )
    file.write_text(json.dumps(record))
    assert comparison.finished(one, 0)
    record["config"]["settings"]["epsilon_schedule"] = "glie"
    file.write_text(json.dumps(record))
    with pytest.raises(ValueError, match="epsilon_schedule glie, now linear"):
        comparison.finished(one, 0)


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_when_the_command_ends_so_do_its_runs(blow, tmp_path):
    script = ROOT / "scripts" / "compare.py"
    arguments = ["a2c", "CartPole-v1", "--steps", "1000000", "--seeds", "2", "--jobs", "2"]
    process = subprocess.Popen(
        [sys.executable, script, *arguments],
        cwd=tmp_path,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: len(list(tmp_path.rglob("metrics.csv"))) == 2)
    os.kill(process.pid, blow)
    text, errors = process.communicate(timeout=60)
    wait_for(lambda: not alive(process.pid))
    assert not list(tmp_path.rglob("seed-0.json"))
    if blow == signal.SIGINT:
        assert process.returncode == 130
        assert "interrupted: 0 of 2 runs are finished; to go on:\n" in text
        assert text.rstrip().endswith(f"compare.py {' '.join(arguments)}")
        assert "Traceback" not in errors
        assert "leaked" not in errors


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_run_that_fails_is_named(call, tmp_path):
    (tmp_path / "broken_world.py").write_text(
        "import gymnasium as gym\n"
        "import numpy as np\n"
        "class Broken(gym.Env):\n"
        "    observation_space = gym.spaces.Box(-1, 1, (2,))\n"
        "    action_space = gym.spaces.Discrete(2)\n"
        "    def reset(self, *, seed=None, options=None):\n"
        "        return np.zeros(2, np.float32), {}\n"
        "    def step(self, action):\n"
        "        return np.zeros(2, np.float32), float('nan'), False, True, {}\n"
        "gym.register('Broken-v0', entry_point=Broken, disable_env_checker=True)\n"
    )
    result = call("compare", "a2c", "broken_world:Broken-v0", *SHORT, cwd=tmp_path, path=[tmp_path])
    assert result.returncode == 2
    assert "error: a2c, seed 0: InvalidExperience: " in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pp", "CartPole-v1"], "unknown algorithm 'pp'; did you mean 'ppo'?"),
        (["ppo", "CartPoel-v1"], "Did you mean: `CartPole`?"),
        (["ppo:clp=3", "CartPole-v1"], "ppo:clp=3: no setting 'clp': did you mean 'clip'?"),
        (["ppo:clip", "CartPole-v1"], "'clip' is no setting, expected FIELD=VALUE"),
        (["ppo,a2c,ppo", "CartPole-v1"], "'ppo' is named twice"),
        ([",", "CartPole-v1"], "',' names a contender '': expected ALGO or ALGO:FIELD=VALUE"),
        (["dqn,ppo:", "CartPole-v1"], "'dqn,ppo:' names a contender 'ppo:': expected ALGO or A"),
        (["ppo:encoder=mpl", "CartPole-v1"], "unknown encoder 'mpl'; did you mean 'mlp'"),
        (["dqn:preset=rainbw", "CartPole-v1"], "'rainbw'; did you mean 'rainbow'"),
        (["ppo"], "on which environment? ppo ENV_ID"),
        ([], "name ALGO,ALGO,... and ENV_ID, or --out DIR to draw it again"),
        (["--out", "nowhere"], "nowhere holds no records of a comparison"),
        (["dqn", "Pendulum-v1"], "DQN needs Discrete"),
        (["value-iteration", "dreamgym/Cliff-v0"], "value-iteration plans: it has no learning"),
    ],
)
def test_what_cannot_be_compared_is_told_in_one_line(arguments, message, run_in, capsys):
    assert compare(arguments) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert not list(run_in.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ppo:clip=abc", "CartPole-v1"], "clip is 'abc': expected a number"),
        (["ppo:gae-lambda=2", "CartPole-v1"], "gae_lambda is 2.0: expected a number in [0, 1]"),
        (["ppo:num-envs=0", "CartPole-v1"], "num_envs is 0: expected at least 1"),
        (["ppo", "CartPole-v1", "--seeds", "0"], "seeds is 0: expected at least 1"),
    ],
)
def test_values_that_cannot_be_are_named(arguments, message, run_in, capsys):
    assert compare(arguments) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_what_is_around_the_environment_belongs_to_the_settings(copied):
    comparison = Comparison(copied, eval_episodes=5)
    one = parse_contenders("q-learning", EnvSource.of(LAKE), steps=4000)[0]
    assert comparison.finished(one, 0)
    wrapped = one.source.adapted({}, {"TimeAwareObservation": {}})
    with pytest.raises(ValueError, match=r"other settings \(recipe .*TimeAwareObservation"):
        comparison.finished(replace(one, source=wrapped), 0)
    (copied / "q-learning" / "seed-0.json").unlink()
    assert not comparison.finished(one, 0)  # its run folder is there, and fits
    with pytest.raises(ValueError, match=r"other settings \(recipe .*TimeAwareObservation"):
        comparison.finished(replace(one, source=wrapped), 0)


def test_a_folder_in_which_another_compares_is_left_alone(copied, capsys):
    before = set(copied.rglob("*"))
    with owned(copied / "runs"):
        assert compare([PAIR, LAKE, *SHORT, "--seeds", "3", "--out", "copy"]) == OCCUPIED
    assert "occupied: copy/runs has an owner: process " in capsys.readouterr().err
    assert set(copied.rglob("*")) == before
