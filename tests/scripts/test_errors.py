"""What a person gets wrong is told in one line, with exit code 2."""

import re
import sys
from pathlib import Path

import gymnasium as gym
import pytest

import agents
from agents.commands.compare import main as compare
from agents.commands.evaluate import main as evaluate
from agents.commands.export import main as export
from agents.commands.options import parse_train
from agents.commands.play import main as play
from agents.commands.render import main as render
from agents.commands.train import main as train
from agents.commands.tune import main as tune
from agents.environments.source import EnvSource
from generative.commands.train import main as imagine
from nets.benchmarks.command import main as benchmark
from nets.shell.main import main as dreamgym
from nets.shell.pull import main as pull

REFUSED = [
    (dreamgym, "trian dqn", "unknown command 'trian': did you mean 'train'?"),
    (
        train,
        "dqnn CartPole-v1 --config.x 1",
        "unknown algorithm 'dqnn'; did you mean 'dqn', 'sb3-dqn'?",
    ),
    (dreamgym, "version", "unknown command 'version': did you mean '--version'?"),
    (train, "rainbow CartPole-v1", "unknown algorithm 'rainbow'; did you mean 'dqn'?"),
    (train, "double-dqn CartPole-v1", "unknown algorithm 'double-dqn'; did you mean 'dqn'?"),
    (imagine, "vae mnist", "unknown data set 'mnist'; did you mean 'digits'?"),
    (train, "q_learning dreamgym/Cliff-v0", "did you mean 'q-learning', 'double-q-learning'?"),
    (train, "CartPole-v1", "unknown algorithm 'CartPole-v1'; choose one of 'dqn', "),
    (train, "dqn CartPol-v1", "Did you mean: `CartPole`?"),
    (train, "dqn CartPole", "did you mean 'CartPole-v1'?"),
    (train, "sarsa dreamgym/Clif-v0", "Did you mean: `Cliff`?"),
    (train, "sarsa dreamgim/Cliff-v0", "Did you mean: `dreamgym`?"),
    (train, "dqn nowhere:Thing-v0", "or put the folder that it lies in on PYTHONPATH"),
    (train, "dqn highway-fast-v0", "is written behind its module, as package:Name-v0"),
    (train, "dqn Pendulum-v1", "Pendulum-v1 has actions Box("),
    (train, "dqn CartPole-v1 --preset rainbw", "unknown preset of dqn 'rainbw'; did you mean 'r"),
    (train, "dqn CartPole-v1 --preset=", "preset of dqn is '': expected the name of a variant, or"),
    (train, "ppo CartPole-v1 --preset rainbow", "ppo has no named presets, and none called 'rai"),
    (train, "value-iteration CartPole-v1", "a table needs Discrete"),
    (train, "value-iteration dreamgym/Catch-v0", "dreamgym/Catch-v0"),
    (train, "--resume nothing", "nothing is not a run folder"),
    (train, "--resume nothing --num-envs 3", "--num-envs is settled when a run begins: l"),
    (imagine, "--resume nothing --limit=3", "--limit is settled when a run begins: later "),
    (imagine, "--resume nothing --config.beta 3", "--config.beta is settled when a run begins"),
    (train, "--run dqn q-learning dreamgym/Cliff-v0", "write ALGO and ENV_ID first"),
    (train, "--seed 3 dqnn CartPole-v1", "write ALGO and ENV_ID first"),
    (evaluate, "nothing", "there is no nothing"),
    (evaluate, ".", "no checkpoint"),
    (render, "nothing --out a.gif", "there is no nothing"),
    (export, "nothing --out a.onnx", "ends in .pt2; .onnx is for generative models"),
    (pull, "me/", "repo is 'me/': expected NAME/REPOSITORY"),
    (play, "CartPol-v1", "Did you mean: `CartPole`?"),
    (play, "Pendulum-v1", "cannot be played by hand: its actions are Box("),
]
OPTIONS = [
    (train, "ppo C --steps 1.5", "--steps is '1.5': expected a whole number"),
    (train, "ppo C --steps 1e400", "--steps is '1e400': expected a whole number"),
    (train, "ppo C --steps=fast", "--steps is 'fast': expected a whole number"),
    (train, "ppo C --steps", "--steps is given nothing: expected a whole number"),
    (train, "ppo C --steps 5 6", "'6' is too much behind --steps: expected a whole number"),
    (train, "ppo C --steps 0", "steps is 0: expected at least 1"),
    (
        *(train, "ppo C --config.squash false"),
        "--config.squash takes no value, and is given 'false': expected --config.squash or "
        "--config.no-squash",
    ),
    (
        *(train, "ppo C --config.learning-rate fast"),
        "--config.learning-rate is 'fast': expected a number, or MODULE:NAME of a function",
    ),
    (
        *(train, "ppo C --config.hidden a b"),
        "--config.hidden is 'a b': expected a whole number for each",
    ),
    (
        *(train, "dqn C --config.value-range 1"),
        "--config.value-range is '1': expected 2 values, a number for each",
    ),
    (
        *(train, "dqn C --config.value-range 1 2 3"),
        "'3' is too much behind --config.value-range: expected 2 values, a number for each",
    ),
    (train, "dqn C --config.loss mse2", "--config.loss is 'mse2': expected one of 'huber', 'mse'"),
    (train, "dqn C --device tpu", "--device is 'tpu': expected one of 'auto', 'cpu', 'cuda'"),
    (train, "dqn C --config.discount 3", "discount is 3.0: expected a number in [0, 1]"),
    (render, "DIR --episodes 0", "episodes is 0: expected at least 1"),
    (imagine, "vae digits --held-out 3", "held_out is 3.0: expected a share in [0, 1)"),
    (
        *(imagine, "vae digits --size 9x9x9"),
        "--size is '9x9x9': expected a number of pixels, or HEIGHTxWIDTH such as 48x64",
    ),
    (
        compare,
        "ppo:clip=x CartPole-v1",
        "ppo:clip=x: clip is 'x': expected a number, or MODULE:NAME of a ",
    ),
    (compare, "ppo:lr=3 CartPole-v1", "ppo:lr=3: no setting 'lr': did you mean 'learning_rate'?"),
    (train, "ppo C --wandb-entity me", "there is no option --wandb-entity: the variable WANDB_ENT"),
    (train, "ppo C --hf-entity me", "there is no option --hf-entity: push RUN HF_ENTITY/NAME says"),
    (train, "ppo C --upload-model", "there is no option --upload-model: push RUN REPOSITORY does"),
    (train, "ppo C --capture-video", "there is no option --capture-video: an episode of the best"),
    (train, "ppo C --no-torch-deterministic", "there is no option --no-torch-deterministic: one s"),
    (train, "ppo C --no-cuda", "there is no option --no-cuda: did you mean --device?"),
    (train, "ppo C --policy-kwargs 3", "there is no option --policy-kwargs: networks are built of"),
    (benchmark, "fast", "KIND is 'fast': expected one of 'speed', 'quality'"),
    (train, "dqn", "ENV_ID is missing; see "),
    (train, "", "ALGO and ENV_ID are missing; see "),
    (train, "ppo C extra", "'extra' is one word too many; see "),
    (train, "CartPole-v1 ppo", "ALGO comes before ENV_ID: ppo CartPole-v1"),
    (imagine, "ring gan --seed 3", "MODEL comes before DATA: gan ring"),
    (compare, "ppo dqn CartPole-v1", "algorithms come first, with commas between: ppo,dqn Cart"),
    (
        compare,
        "ppo, dqn CartPole-v1 --seeds 2",
        "algorithms come first, with commas between: ppo,dqn",
    ),
    (tune, "CartPole-v1 ppo", "algorithms come first, with commas between: ppo CartPole-v1"),
    (train, "ppo C --unheard-of 3", "there is no option --unheard-of; see "),
    (train, "ppo C --verbose", "there is no option --verbose: a bar shows how far it is, and "),
    (train, "ppo C --capture_video", "there is no option --capture_video: an episode of the best"),
    (imagine, "vae digits --epochs 3", "there is no option --epochs: --steps counts batches, "),
    (train, "--algo ppo C", "there is no option --algo: ALGO is written without one; see "),
]
MEANT = [
    (train, "dqn C --config.lerning-rate 1", "--config.learning-rate"),
    (train, "dqn C --learning_rate=1", "--config.learning-rate"),
    (train, "dqn C --stepps 1", "--steps"),
    (train, "dqn --stepps 1", "--steps"),
    (train, "ppo C --no-squash", "--config.no-squash"),
    (train, "ppo C --lr 1", "--config.learning-rate"),
    (train, "ppo C --gamma 1", "--config.discount"),
    (train, "ppo C --total-timesteps 1", "--steps"),
    (train, "ppo C --n-envs 1", "--num-envs"),
    (train, "ppo C --ent_coef 1", "--config.entropy-coefficient"),
    (train, "dqn C --config.tau 1", "--config.target-rate"),
    (train, "bc C --fro 1", "--from"),
    (train, "--resume DIR --stepps 3", "--steps"),
    (imagine, "beta-tcvae digits --gama 3", "--config.gamma"),
    (imagine, "world CartPole-v1 --lr 3", "--config.learning-rate"),
    (evaluate, "DIR --episode 3", "--episodes"),
    (compare, "ppo,dqn C --seed 3", "--seeds"),
    (train, "ppo C --epoch 3", "--config.epochs"),
    (train, "dqn C --prioritised", "--config.replay"),
]


@pytest.mark.parametrize(("command", "line", "message"), REFUSED, ids=[r[1] for r in REFUSED])
def test_refusal_is_one_line(command, line, message, run_in, capsys):
    assert command(line.split()) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not out
    assert not list(run_in.iterdir())  # nothing is left behind


@pytest.mark.parametrize(("command", "line", "message"), OPTIONS, ids=[o[1] for o in OPTIONS])
def test_what_an_option_cannot_be_is_told_in_one_sentence(command, line, message, run_in, capsys):
    assert command(line.split()) == 2
    out, err = capsys.readouterr()
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1
    assert not out


@pytest.mark.parametrize(("command", "line", "meant"), MEANT, ids=[m[1] for m in MEANT])
def test_options_are_named_that_were_meant(command, line, meant, run_in, capsys):
    """Also by the names that other libraries have for them."""
    assert command(line.split()) == 2
    err = capsys.readouterr().err
    option = next(word for word in line.split() if word.startswith("--") and word != "--resume")
    assert err == f"error: there is no option {option.partition('=')[0]}: did you mean {meant}?\n"


def test_counts_may_be_written_as_powers_of_ten():
    options, _ = parse_train(
        ["ppo", "C", "--steps", "1e5", "--config.hidden", "1e2", "64", "--eval-every", "1_000"]
    )
    assert (options.steps, options.config.hidden, options.eval_every) == (10**5, (100, 64), 1000)
    assert all(type(each) is int for each in (options.steps, *options.config.hidden))


def test_scripts_exit_with_2_and_without_a_traceback(call, tmp_path):
    result = call("train", "dqnn", "CartPole-v1", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "error: unknown algorithm 'dqnn'; did you mean 'dqn', 'sb3-dqn'?\n"


def test_folder_that_holds_a_run_is_refused(learned, capsys):
    assert train(["dqn", "CartPole-v1", "--run", str(learned.folder)]) == 2
    assert "already holds a run: resume it, or choose another folder" in capsys.readouterr().err


def test_a_run_of_a_generative_model_is_no_agent_s(tmp_path, capsys):
    (tmp_path / "config.json").write_text('{"model": "vae"}')
    assert train(["--resume", str(tmp_path)]) == 2
    assert "is a run of a generative model, and of no agent" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["evaluate torn.pt", "render torn.pt --out a.gif"])
def test_damaged_checkpoint_is_refused(line, learned, run_in, capsys):
    whole = (learned.folder / "best" / "checkpoint.pt").read_bytes()
    (run_in / "torn.pt").write_bytes(whole[:500])
    name, *rest = line.split()
    assert {"evaluate": evaluate, "render": render}[name](rest) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert "torn.pt is torn or no checkpoint" in err
    assert err.count("\n") == 1
    assert not (run_in / "a.gif").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"algorithm": "dqn", ', "is not valid JSON"),
        ("{}", "config.json does not fit: it has no 'algorithm'"),
        ("[]", "config.json does not fit"),
        ('{"algorithm": "dqnn"}', "did you mean 'dqn', 'sb3-dqn'?"),
    ],
)
def test_damaged_config_is_refused(text, message, run_in, capsys):
    (run_in / "config.json").write_text(text)
    assert train(["--resume", str(run_in)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: config.json ")
    assert message in err
    assert err.count("\n") == 1


def test_unknown_checkpoint_names_those_that_exist(learned, capsys):
    assert evaluate([str(learned.folder), "--checkpoint", "12"]) == 2
    assert "no checkpoint '12'; it has: best, 0000001500" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["play CartPole-v1", "render RUN", "render RUN --live"])
def test_without_a_screen_windows_are_refused(command, learned, run_in, monkeypatch, capsys):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    name, *rest = command.replace("RUN", str(learned.folder)).split()
    assert {"play": play, "render": render}[name](rest) == 2
    assert "there is no screen to open a window on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tabular/Blackjack-v0", "cannot be made: .*jax.*; pip install jax"),
        ("phys2d/CartPole-v0", "cannot be made: .*jax.*; pip install jax"),
        ("HalfCheetah-v2", "cannot be made: .*moved to the gymnasium-robotics project"),
        ("GymV21Environment-v0", "cannot be made: .*pip install"),
    ],
)
def test_worlds_of_gymnasium_that_are_not_here_say_what_they_lack(
    name, said, monkeypatch, run_in, capsys
):
    for module in ("jax", "shimmy"):
        monkeypatch.setitem(sys.modules, module, None)
    for command, *line in ((train, "ppo"), (play,), (play, "--env.x", "1")):
        words = [*line, name] if command is train else [name, *line]
        assert command(words) == 2
        told = capsys.readouterr().err
        assert re.fullmatch(rf"error: .*{said}.*\n", told) or "has no argument 'x'" in told, told


def test_a_missing_extra_is_named(monkeypatch, run_in, capsys):
    monkeypatch.setitem(sys.modules, "ale_py", None)
    assert train(["ppo", "ALE/Pong-v5"]) == 2
    err = capsys.readouterr().err
    assert 'pip install "dreamgym[atari]"' in err
    assert len(err) < 200


WORLD = """
import gymnasium as gym
import numpy as np
from gymnasium.envs.classic_control import CartPoleEnv


class Blind(CartPoleEnv):
    def render(self):
        raise RuntimeError("no OpenGL here")


class Empty(CartPoleEnv):
    def render(self):
        return None


gym.register("Blind-v0", entry_point=Blind, max_episode_steps=20, disable_env_checker=True)
gym.register("Empty-v0", entry_point=Empty, max_episode_steps=20, disable_env_checker=True)
"""


@pytest.mark.parametrize(
    ("name", "told"), [("Blind", "RuntimeError: no OpenGL here"), ("Empty", "drew NoneType")]
)
def test_a_module_beside_is_found_and_a_picture_that_fails_costs_the_picture(
    name, told, run_in, capsys, monkeypatch
):
    """The folder comes last on the path, and only for a module that was typed."""
    Path("world_beside.py").write_text(WORLD)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    line = f"a2c world_beside:{name}-v0 --steps 100 --eval-every 0 --run r"
    assert train(line.split()) == 0
    out = capsys.readouterr().out
    assert "no episode.gif: " in out
    assert told in out
    assert "next:" in out
    assert sys.path[-1] == str(Path.cwd())
    for _ in range(2):  # as in a process of its own, what training says to type next
        del sys.modules["world_beside"], gym.registry["Blind-v0"], gym.registry["Empty-v0"]
        sys.path[:] = [entry for entry in sys.path if entry != str(Path.cwd())]
        assert evaluate(["r", "--trust", "--episodes", "1"]) == 0


def test_what_a_run_names_is_not_looked_for_beside(run_in, capsys, monkeypatch):
    Path("gift_beside.py").write_text("raise SystemExit('it ran')")
    path = [entry for entry in sys.path if entry]
    monkeypatch.setattr(sys, "path", list(path))
    record = agents.DQN("CartPole-v1").manifest()
    record["env"]["id"] = "gift_beside:Gift-v0"
    with pytest.raises(gym.error.Error, match="cannot import 'gift_beside'"):
        agents.DQN.from_manifest(record, EnvSource.restore(record["env"], trust=True))
    assert sys.path == path


@pytest.mark.parametrize(
    ("command", "words"),
    [(train, "ppo CartPole-v1 --steps 600"), (imagine, "vae digits --steps 9")],
)
def test_a_function_that_gives_no_setting_is_named_in_one_line(command, words, run_in, capsys):
    Path("rates_beside.py").write_text("def bad(left):\n    return -left\n")
    rate = "--config.learning-rate rates_beside:bad --run r"
    assert command(f"{words} {rate}".split()) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(
        r"error: learning_rate is -[\d.]+ when [\d.]+ of the training is left, by "
        r"rates_beside:bad: expected a number, at least 0",
        told,
    )
