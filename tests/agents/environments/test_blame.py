"""Errors of an environment's own code name it, the moment, and keep their traceback."""

import re
import sys

import gymnasium as gym
import pytest
from gymnasium.envs.classic_control import CartPoleEnv

from agents.commands.train import main as train
from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.environments.source import EnvSource
from agents.loop.evaluation import evaluate
from generative.data.playing import make_vec
from generative.worlds.spaces import spec_of
from nets.foreign import is_foreign


class Failing(CartPoleEnv):
    """Fails in one of its methods, in `step` after ten steps."""

    def __init__(self, render_mode=None, where="step", error=FileNotFoundError):
        self.where, self.error, self.taken = where, error, 0
        self._fail("made")
        super().__init__(render_mode=render_mode)

    def _fail(self, where):
        if where == self.where:
            raise self.error(2, "No such file or directory", "level7.dat")

    def reset(self, *, seed=None, options=None):
        self._fail("reset")
        return super().reset(seed=seed, options=options)

    def step(self, action):
        self.taken += 1
        if self.taken > 10:
            self._fail("step")
        return super().step(action)

    def close(self):
        self._fail("close")
        super().close()


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(sys.modules, "failing", sys.modules[__name__])
    for error in (FileNotFoundError, SystemExit):
        for where in ("made", "reset", "step", "close", "nowhere"):
            name = f"{where.capitalize()}{error.__name__}-v0"
            settings = {"where": where, "error": error}
            gym.register(name, Failing, max_episode_steps=50, kwargs=settings)
    yield
    for name in [name for name in gym.registry if name.endswith(("Error-v0", "Exit-v0"))]:
        del gym.registry[name]


@pytest.mark.parametrize("error", [FileNotFoundError, SystemExit])
@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("made", "when it was made"),
        ("reset", "in its reset after 0 steps"),
        ("step", "in its step after 10 steps"),
        ("close", "in its close"),
    ],
)
def test_training_from_the_shell_says_whose_it_was(
    where, said, error, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    name = f"{where.capitalize()}{error.__name__}-v0"
    line = ["dqn", f"failing:{name}", "--steps", "200", "--eval-every", "0", "--run", "r"]
    kind = RuntimeError if error is SystemExit else error
    with pytest.raises(kind) as failed:
        train(line)
    assert is_foreign(failed.value)
    (note,) = failed.value.__notes__
    assert note.startswith(f"raised by the environment {name}, {said}")
    assert "error:" not in capsys.readouterr().err
    frames = [entry.name for entry in failed.traceback]
    assert "_fail" in frames or error is SystemExit


@pytest.mark.parametrize("copies", [1, 2])
def test_one_environment_and_several_are_blamed_alike(copies):
    agent = DQN("failing:StepFileNotFoundError-v0", DQNConfig(hidden=(8,)), num_envs=copies)
    said = f"in its step after {10 * copies} steps"
    with pytest.raises(FileNotFoundError) as failed:
        agent.learn(200, progress=False)
    assert said in failed.value.__notes__[0]
    with pytest.raises(FileNotFoundError) as failed:
        evaluate(agent, episodes=1)
    assert "in its step after" in failed.value.__notes__[0]


@pytest.mark.parametrize("text", ["import sys\nsys.exit(0)", "open('level7.dat')", "1 +"])
def test_a_module_that_cannot_be_imported_is_named(text, tmp_path, monkeypatch):
    (tmp_path / "worlds_of_mine.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises((RuntimeError, FileNotFoundError, SyntaxError)) as failed:
        EnvSource.of("worlds_of_mine:Mine-v0")
    assert "raised by the module worlds_of_mine" in failed.value.__notes__[0]


def test_a_number_of_environments_that_makes_no_sense_is_refused_in_python_too():
    for count in (0, -1, 10**9, 1.5, "2", True):
        with pytest.raises(ValueError, match=r"num_envs is .*: expected "):
            DQN("CartPole-v1", num_envs=count)


def falls_on_its_face(left):
    raise ZeroDivisionError("of mine")


def test_a_schedule_of_one_s_own_that_fails_is_blamed():
    config = DQNConfig(hidden=(8,), learning_starts=8, learning_rate=falls_on_its_face)
    agent = DQN("CartPole-v1", config)
    with pytest.raises(ZeroDivisionError, match="of mine") as failed:
        agent.learn(32, progress=False)
    whose = rf"raised by the learning_rate \S+:{falls_on_its_face.__name__}, whose code is not ours"
    assert re.fullmatch(whose, failed.value.__notes__[0])


@pytest.mark.parametrize("given", [False, True])
def test_generative_models_say_whose_it_was_too(given):
    """Who typed an argument is told of it in one line; else their code is shown."""
    options = {"where": "made"} if given else {}
    kind, said = (ValueError, "cannot be made with where='made': its own code raised FileNotFound")
    for name, make in (
        ("MadeFileNotFoundError-v0", lambda name: spec_of(name, **options)),
        ("MadeFileNotFoundError-v0", lambda name: make_vec(name, 2, draw=True, **options)),
        ("MadeSystemExit-v0", lambda name: make_vec(name, 2, draw=False, **options)),
    ):
        exits = "Exit" in name
        error = RuntimeError if exits else (kind if given else FileNotFoundError)
        with pytest.raises(error) as failed:
            make(f"failing:{name}")
        assert is_foreign(failed.value) == (exits or not given)
        assert exits or not given or said in str(failed.value)


def test_what_our_own_worlds_refuse_is_ours_to_tell(tmp_path):
    with pytest.raises(FileNotFoundError, match="no checkpoint at") as failed:
        EnvSource.of("generative.dreams:dreamgym/Dream-v0").adapted({"run": "gone"}, {}).make()
    assert not is_foreign(failed.value)
    with pytest.raises(ValueError, match="a maze needs size") as failed:
        spec_of("dreamgym/Maze-v0", size=-3)
    assert not is_foreign(failed.value)


def test_the_extra_of_gymnasiums_worlds_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "Box2D", None)
    for name in [name for name in sys.modules if name.startswith("gymnasium.envs.box2d")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(gym.error.DependencyNotInstalled, match=r'pip install "dreamgym\[box2d\]"'):
        DQN("LunarLander-v3")
