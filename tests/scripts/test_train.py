"""`train`: what it leaves, what it prints, how it goes on."""

import json
import math
import re
import shutil
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from command_runs import interrupted
from leftovers import rows_of

from agents.commands.evaluate import main as evaluate
from agents.commands.render import main as render
from agents.commands.train import main as train
from agents.dqn.agent import DQN
from agents.loading import load
from agents.presets import find_preset
from agents.tabular.temporal_difference import QLearning
from nets.runs.ownership import owned
from nets.runs.run_log import RunLog
from nets.shell.command_line import OCCUPIED

PRESET = find_preset("dqn", "CartPole-v1")


def test_run_folder_holds_everything(learned):
    folder = learned.folder
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "config.json",
        "checkpoints",
        "best",
        "metrics.csv",
        "curve.png",
        "episode.gif",
    }
    assert any(name.startswith("events.out.tfevents") for name in names)
    assert (folder / "best" / "checkpoint.pt").exists()
    assert not [name for name in names if name.endswith(".tmp")]
    config = json.loads((folder / "config.json").read_text())
    assert config["algorithm"] == "dqn"
    assert config["env"]["id"] == "CartPole-v1"
    assert config["device"] in ("cpu", "cuda")
    assert config["run"]["threads"] == 1
    assert config["run"]["eval_every"] == 500
    assert config["config"]["learning_starts"] == 200
    assert config["config"]["gradient_steps"] == 3
    for name in set(PRESET.settings) - {"learning_starts", "gradient_steps"}:
        assert config["config"][name] == json.loads(json.dumps(PRESET.settings[name]))
    assert config["command"][1:4] == ["dqn", "CartPole-v1", "--steps"]


def test_metrics_end_at_the_last_step_with_evaluations(learned):
    rows = rows_of(learned.folder)
    assert int(rows[-1]["step"]) == 1500
    assert [int(row["step"]) for row in rows if row["eval_return"]] == [500, 1000, 1500]


def test_pictures_can_be_read(learned):
    curve = iio.imread(learned.folder / "curve.png")
    assert curve.shape[1] == 960
    assert len(np.unique(curve.reshape(-1, curve.shape[-1]), axis=0)) > 50  # curves, not a blank
    gif = iio.imread(learned.folder / "episode.gif")
    assert gif.shape[1:] == (266, 400, 3)


def test_output_tells_preset_settings_and_place(learned):
    text = learned.text
    used, overridden = text.split("\n")[:2]
    assert used.startswith("preset for dqn on CartPole-v1: ")
    assert f"target_every = {PRESET.settings['target_every']}" in used
    assert f"overridden: steps = {PRESET.steps:,}" in overridden
    assert f"gradient_steps = {PRESET.settings['gradient_steps']}" in overridden
    assert "dqn on CartPole-v1: 1,500 steps, seed 0, 1 environment, " in text
    assert "run folder: runs/dqn-CartPole-v1-s0" in text
    assert "1.50k/1.50k" in learned.bar  # the progress bar, at its end


def test_final_evaluation_is_what_evaluate_prints(learned):
    """The printed commands work as they stand, and the first repeats the printed figures."""
    block = learned.text[learned.text.index("checkpoint ") : learned.text.index("\n\nin runs")]
    commands = re.findall(r"^  (\S.*?)\s+# ", learned.text.split("\nnext:\n")[1], re.MULTILINE)
    assert [" ".join(c.split()[1:]) for c in commands][2].startswith("--logdir runs/")
    result = subprocess.run(
        commands[0], shell=True, cwd=learned.home, capture_output=True, text=True
    )
    assert result.stdout.strip() == block.strip()
    best = json.loads((learned.folder / "best" / "evaluation.json").read_text())
    mean = float(re.search(r"mean return\s+(\S+)", block)[1])
    assert "20 episodes, greedy" in block
    assert best["mean_return"] > 0
    assert mean > 0


def test_resume_extends_a_finished_run(learned, call, tmp_path):
    folder = tmp_path / "run"
    subprocess.run(["cp", "-r", learned.folder, folder], check=True)
    before = rows_of(folder)
    result = call("train", "--resume", "run", "--steps", 2000, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "dqn on CartPole-v1: 2,000 steps" in result.stdout
    assert sorted(p.name for p in (folder / "checkpoints").glob("*.pt"))[-1] == "0000002000.pt"
    after = rows_of(folder)
    assert int(after[-1]["step"]) == 2000
    assert [row["return"] for row in after[: len(before)]] == [row["return"] for row in before]
    assert json.loads((folder / "config.json").read_text())["run"]["steps"] == 2000


def test_a_run_that_another_process_trains_is_left_alone(learned, tmp_path, capsys):
    folder = shutil.copytree(learned.folder, tmp_path / "run")
    config = (folder / "config.json").read_bytes()
    with owned(folder):
        assert train(["--resume", str(folder), "--steps", "2000"]) == OCCUPIED
        assert train(["dqn", "CartPole-v1", "--run", str(folder)]) == OCCUPIED
    assert capsys.readouterr().err.count("occupied: ") == 2
    assert (folder / "config.json").read_bytes() == config


def test_what_is_no_run_is_not_made_one(run_in):
    assert train(["--resume", "nothing"]) == 2
    assert list(run_in.iterdir()) == []


def test_resume_refuses_fewer_steps(learned, capsys):
    assert train(["--resume", str(learned.folder), "--steps", "10"]) == 2
    assert "steps is 10: " in capsys.readouterr().err


@pytest.mark.parametrize("screen", [True, False])
def test_resume_of_a_finished_run_finishes_again(screen, planned, capsys, monkeypatch):
    monkeypatch.chdir(planned.home)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy" if screen else "")
    folder = str(planned.folder.relative_to(planned.home))
    assert train(["--resume", folder]) == 0
    out = capsys.readouterr().out
    assert "mean return         -13.000" in out
    assert (f"{folder} --out episode.mp4 " in out) != screen  # nobody is sent to a window in vain


def test_default_folders_do_not_collide(run_in, capsys):
    for _ in range(2):
        assert train(["policy-iteration", "dreamgym/Walk-v0", "--seed", "4"]) == 0
    stem = "policy-iteration-dreamgym-Walk-v0-s4"
    assert sorted(path.name for path in (run_in / "runs").iterdir()) == [stem, f"{stem}-2"]
    assert f"run folder: runs/{stem}-2" in capsys.readouterr().out


def test_planner_leaves_the_same_folder(planned):
    rows = rows_of(planned.folder)
    residuals = [float(row["residual"]) for row in rows]
    assert [int(row["step"]) for row in rows] == list(range(1, len(rows) + 1))
    assert residuals[0] == 1.0  # every step costs 1
    assert residuals[-1] < 1e-9
    assert float(rows[-1]["eval_return"]) == -13
    assert (planned.folder / "best" / "checkpoint.pt").exists()
    assert (planned.folder / "curve.png").exists()
    assert f"{len(rows)} iterations" in planned.text
    assert "mean return         -13.000" in planned.text
    assert "--resume" not in planned.text


def test_tabular_agent_learns_from_the_command_line(run_in):
    line = "q-learning dreamgym/Lake-v0 --steps 3000 --run here --config.learning-rate 0.5 --seed 2"
    assert train(line.split()) == 0
    config = json.loads((run_in / "here" / "config.json").read_text())
    assert (config["seed"], config["config"]["learning_rate"]) == (2, 0.5)
    assert int(rows_of(run_in / "here")[-1]["step"]) == 3000


def test_environment_of_a_module_of_the_users_own(call, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import gymnasium\n"
        "gymnasium.register('mine/Ice-v0', 'gymnasium.envs.toy_text:FrozenLakeEnv',"
        " max_episode_steps=20)\n"
    )
    result = call(
        "train",
        "sarsa",
        "mine:mine/Ice-v0",
        "--steps",
        100,
        "--run",
        "r",
        cwd=tmp_path,
        path=[tmp_path],
    )
    assert result.returncode == 0, result.stderr
    refused = call("evaluate", "r", "--episodes", 2, cwd=tmp_path, path=[tmp_path])
    assert refused.returncode == 2
    assert "asks for the environment 'mine:mine/Ice-v0'" in refused.stderr
    trusted = call("evaluate", "r", "--episodes", 2, "--trust", cwd=tmp_path, path=[tmp_path])
    assert trusted.returncode == 0, trusted.stderr


def test_environment_without_pictures_is_trained_all_the_same(run_in, monkeypatch, capsys):
    (run_in / "pictureless.py").write_text(
        "import gymnasium\n"
        "class Pictureless(gymnasium.Env):\n"
        "    observation_space = action_space = gymnasium.spaces.Discrete(2)\n"
        "    def reset(self, *, seed=None, options=None):\n"
        "        super().reset(seed=seed)\n"
        "        return 0, {}\n"
        "    def step(self, action):\n"
        "        return 0, float(action), False, False, {}\n"
        "gymnasium.register('Pictureless-v0', 'pictureless:Pictureless', max_episode_steps=5)\n"
    )
    monkeypatch.syspath_prepend(run_in)
    assert train(["q-learning", "pictureless:Pictureless-v0", "--steps", "200", "--run", "r"]) == 0
    out = capsys.readouterr().out
    assert "mean return         5.000" in out
    assert "no episode.gif: Pictureless-v0 cannot be drawn" in out
    assert "episode.gif  " not in out


@pytest.mark.filterwarnings("ignore:.*The reward is a NaN value")  # Gymnasium's checker, too
def test_environment_that_returns_nan_stops_training_with_one_line(run_in, monkeypatch, capsys):
    (run_in / "broken.py").write_text(
        "import gymnasium\n"
        "from gymnasium.envs.classic_control import CartPoleEnv\n"
        "class Broken(CartPoleEnv):\n"
        "    def step(self, action):\n"
        "        observation, _, *rest = super().step(action)\n"
        "        return observation, float('nan'), *rest\n"
        "gymnasium.register('Broken-v0', 'broken:Broken', max_episode_steps=50)\n"
    )
    monkeypatch.syspath_prepend(run_in)
    assert train(["dqn", "broken:Broken-v0", "--steps", "100"]) == 2
    err = capsys.readouterr().err
    assert "\nerror: Broken-v0 returned the reward nan at step 1" in err


@pytest.mark.filterwarnings("ignore:.*encountered in")
def test_divergence_is_told_in_one_line_with_the_way_on(run_in, monkeypatch, capsys):
    line = "dqn CartPole-v1 --run r --eval-every 0 --config.learning-starts 600 --config.hidden 8"
    assert train([*line.split(), "--steps", "600"]) == 0
    before = {file.name: file.read_bytes() for file in (run_in / "r" / "checkpoints").glob("*.pt")}
    learn = DQN._learn

    def break_down(self, updates):
        self.online.weights.data.fill_(math.nan)
        return learn(self, updates)

    monkeypatch.setattr(DQN, "_learn", break_down)
    capsys.readouterr()
    assert train(["--resume", "r", "--steps", "1200"]) == 2
    out, err = capsys.readouterr()
    assert re.search(
        r"\nall is finite up to step 600; to go on from there, .*\n.*train.* --resume r\n$", out
    )
    assert re.fullmatch(
        r"error: dqn on CartPole-v1 diverged at step \d+: loss is nan; try a smaller "
        r"learning_rate, a smaller max_grad_norm or smaller rewards",
        err.splitlines()[-1],
    )
    after = {file.name: file.read_bytes() for file in (run_in / "r" / "checkpoints").glob("*.pt")}
    assert after == before


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_signals_that_end_it_save_and_say_how_to_go_on(tmp_path, by):
    arguments = ("dqn", "CartPole-v1", "--steps", "1000000")
    out = interrupted("train", *arguments, folder=tmp_path / "long run", by=by)
    assert re.search(r"train\.py --resume 'long run'$", out.rstrip())


# Worlds without an end, runs without a beginning --------------------------------------------------


def test_a_world_without_a_time_limit_is_measured_and_drawn_all_the_same(run_in, capsys, read_film):
    line = "sarsa CliffWalking-v1 --steps 100 --run r --eval-every 50 --eval-max-steps 15"
    assert train(line.split()) == 0
    out = capsys.readouterr().out
    assert "20 episodes, greedy, 15.0 steps on average, 20 of them cut off\n" in out
    found = json.loads((run_in / "r" / "best" / "evaluation.json").read_text())
    assert (found["mean_return"], found["cut"]) == (-15.0, 20)
    assert len(iio.imread(run_in / "r" / "episode.gif")) <= 16
    assert evaluate(["r", "--episodes", "2", "--max-steps", "7", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["returns"], found["cut"]) == ([-7.0, -7.0], 2)
    assert render(["r", "--out", "a.mp4", "--max-steps", "4"]) == 0
    assert len(read_film(run_in / "a.mp4")[0]) == 5


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "dqn Acrobot-v1 --config.learning-starts 70",
            "dqn learns nothing in 60 steps: learning_",
        ),
        ("ppo Acrobot-v1 --config.n-steps 80", "ppo learns nothing in 60 steps: n_steps is 80 in"),
        ("sb3-dqn Acrobot-v1 --config.train-every 80", "sb3-dqn learns nothing in 60 steps: train"),
        ("dqn Acrobot-v1 --config.learning-starts 20 --config.train-every 4", None),
        ("q-learning FrozenLake-v1", None),
    ],
)
def test_a_run_that_is_too_short_to_learn_says_so(run_in, capsys, line, said):
    short = ["--steps", "60", "--eval-every", "0", "--eval-max-steps", "5"]
    assert train([*line.split(), *short, "--run", "r"]) == 0
    err = capsys.readouterr().err
    assert err.startswith(f"warning: {said}") if said else "warning" not in err


def test_a_warning_signal_saves_and_changes_nothing(run_in, monkeypatch, capsys):
    line = "q-learning FrozenLake-v1 --steps 400 --eval-every 200 --checkpoint-on SIGUSR1 --run"
    assert train([*line.split(), "quiet"]) == 0
    write, told = RunLog.write, []

    def warn(log, step, *row, **timed):
        write(log, step, *row, **timed)
        if step == 200:
            told.append(step)
            signal.raise_signal(signal.SIGUSR1)

    monkeypatch.setattr(RunLog, "write", warn)
    assert train([*line.split(), "warned"]) == 0
    assert told
    said = "SIGUSR1: wrote warned/checkpoints/interrupted.pt, to look at; training goes on"
    assert said in capsys.readouterr().err
    assert load("warned", checkpoint="interrupted").steps == 200
    assert not (run_in / "quiet" / "checkpoints" / "interrupted.pt").exists()
    for name in ("metrics.csv", "checkpoints/0000000400.pt", "best/checkpoint.pt"):
        assert Path("warned", name).read_bytes() == Path("quiet", name).read_bytes()


@pytest.mark.parametrize("resumes", [False, True])
@pytest.mark.parametrize("kind", ["agents", "generative"])
def test_a_warning_signal_is_survived_from_the_first_moment(
    kind, resumes, run_in, monkeypatch, capsys
):
    module = import_module(f"{kind}.commands.train")
    run = module._resume if resumes else module.parse_train

    def warn(*arguments):
        assert callable(signal.getsignal(signal.SIGUSR1))
        signal.raise_signal(signal.SIGUSR1)
        return run(*arguments)

    monkeypatch.setattr(module, "_resume" if resumes else "parse_train", warn)
    line = "--resume nowhere" if resumes else "nothing nowhere"
    assert module.main([*line.split(), "--checkpoint-on", "SIGUSR1"]) == 2
    assert module.main([*line.split(), "--checkpoint_on=SIGUSR1"]) == 2
    assert capsys.readouterr().err.count("SIGUSR1: nothing has been learned yet") == 2
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


def test_a_warning_signal_before_there_is_anything_to_save_is_survived(run_in, monkeypatch, capsys):
    begin = QLearning.begin

    def warn(agent):
        signal.raise_signal(signal.SIGUSR1)
        begin(agent)

    monkeypatch.setattr(QLearning, "begin", warn)
    line = "q-learning FrozenLake-v1 --steps 40 --eval-every 0 --checkpoint-on SIGUSR1 --run r"
    assert train(line.split()) == 0
    assert "SIGUSR1: nothing has been learned yet" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


def test_a_world_that_changes_the_folder_takes_no_file_along(run_in, monkeypatch, capsys):
    (run_in / "wandering.py").write_text(
        "import os\n"
        "import gymnasium\n"
        "from gymnasium.envs.toy_text import FrozenLakeEnv\n"
        "class Wandering(FrozenLakeEnv):\n"
        "    def reset(self, *, seed=None, options=None):\n"
        f"        os.chdir({str(run_in / 'data')!r})\n"
        "        return super().reset(seed=seed, options=options)\n"
        "gymnasium.register('Wandering-v0', 'wandering:Wandering', max_episode_steps=9)\n"
    )
    (run_in / "data").mkdir()
    monkeypatch.syspath_prepend(run_in)
    assert train(["q-learning", "wandering:Wandering-v0", "--steps", "200", "--run", "r"]) == 0
    out = capsys.readouterr().out
    assert "\nrun folder: r\n" in out
    assert re.search(r"evaluate(\.py)? r --trust", out)
    assert re.search(r"train(\.py)? --resume r --steps 400", out)
    assert (run_in / "r" / "metrics.csv").exists()
    assert not list((run_in / "data").iterdir())


def test_a_run_begun_on_a_device_that_is_not_here_goes_on_elsewhere(run_in, monkeypatch, capsys):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    line = "q-learning FrozenLake-v1 --steps 100 --eval-every 0 --run r"
    assert train(line.split()) == 0
    record = json.loads(Path("r/config.json").read_text())
    Path("r/config.json").write_text(json.dumps(record | {"device": "cuda"}))
    capsys.readouterr()
    assert train(["--resume", "r", "--steps", "300"]) == 2
    said = "error: device 'cuda' is not here: torch sees 0 CUDA devices; use 'cpu'\n"
    assert capsys.readouterr().err == said
    assert train(["--resume", "r", "--steps", "300", "--device", "cpu"]) == 0
    assert load("r", checkpoint="last").steps == 300


def test_a_folder_below_a_file_is_refused(run_in, capsys):
    (run_in / "file").touch()
    assert train(["q-learning", "FrozenLake-v1", "--steps", "100", "--run", "file/r"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: file")
    assert err.count("\n") == 1


def test_a_kernel_that_cannot_be_compiled_is_refused_in_one_line(run_in, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "numba", None)
    for name in [name for name in sys.modules if ".policy_gradient.fused." in name]:
        monkeypatch.delitem(sys.modules, name)
    words = ["ppo", "CartPole-v1", "--config.kernel", "fused", "--steps", "64", "--run", "r"]
    assert train(words) == 2
    err = capsys.readouterr().err
    assert "pip install 'dreamgym[fast]'; or set kernel to 'torch'" in err
    assert err.startswith("error: kernel is 'fused'")
    assert err.count("\n") == 1
    assert not (run_in / "r").exists()


def test_a_run_that_cannot_go_on_here_is_left_as_it_was(run_in, monkeypatch, capsys):
    """Neither extended nor changed: asked again where it can, it goes on as it would have."""
    line = ["ppo", "CartPole-v1", "--config.n-steps", "8", "--steps", "64"]
    assert train([*line, "--run", "r"]) == 0
    written = (run_in / "r/config.json").read_bytes()
    monkeypatch.setitem(sys.modules, "numba", None)
    for name in [name for name in sys.modules if ".policy_gradient.fused." in name]:
        monkeypatch.delitem(sys.modules, name)
    capsys.readouterr()
    assert train(["--resume", "r", "--steps", "128", "--config.kernel", "fused"]) == 2
    assert capsys.readouterr().err.startswith("error: kernel is 'fused'")
    assert (run_in / "r/config.json").read_bytes() == written


def test_what_changes_nothing_is_told_once(run_in, recwarn):
    settings = ["--config.kernel", "fused", "--config.activation", "elu", "--config.n-steps", "16"]
    assert train(["a2c", "CartPole-v1", *settings, "--steps", "128", "--run", "r"]) == 0
    said = [str(warning.message) for warning in recwarn if "kernel" in str(warning.message)]
    assert len(said) == 1
    assert "with ELU in its networks" in said[0]
