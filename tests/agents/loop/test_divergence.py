"""Agents that diverge: training stops, says of what, and leaves what was good."""

import math
import re
from dataclasses import dataclass, replace

import gymnasium as gym
import numpy as np
import pytest
import torch

import agents
from agents.agent import Agent
from agents.loop.divergence import Diverged, answerable, require_finite_action
from agents.loop.evaluation import evaluate
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from nets.runs.checkpoint import load_checkpoint, save_checkpoint
from nets.settings import Settings


class Steep(gym.Env):
    """Five steps an episode; its actions are what was asked for, and it sees what they are."""

    metadata = {"render_modes": []}

    def __init__(self, actions=None, render_mode=None):
        self.observation_space = gym.spaces.Discrete(3)
        self.action_space = gym.spaces.Box(-1.0, 1.0, (2,)) if actions == "box" else (
            gym.spaces.Discrete(2)
        )  # fmt: skip

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.now = 0
        return 0, {}

    def step(self, action):
        assert self.action_space.contains(action), f"the world saw {action}"
        self.now += 1
        return self.now % 3, 1.0, False, self.now == 5, {}


gym.register("Steep-v0", entry_point=Steep, disable_env_checker=True)


@dataclass(frozen=True)
class FragileConfig(Settings):
    learning_rate: float = 0.1


class Fragile(Agent):
    """Breaks, at a step of choice, in a place of choice."""

    name = "fragile"
    config_type = FragileConfig

    def __init__(self, env, config=None, *, place="weight", at=10**9, value=math.nan, **settings):
        super().__init__(env, config, **settings)
        self.place, self.at, self.value = place, at, value
        self.weight, self.moment = torch.ones(3), torch.zeros(3)

    def act(self, observation, episode_start):
        return self.choose(observation, None, episode_start, False)[0], {}

    def observe(self, transition):
        if self.steps >= self.at and self.place in ("weight", "moment"):
            getattr(self, self.place)[1] = self.value
        broken = self.place == "loss" and self.steps >= self.at
        return {"loss": self.value if broken else 1.0, "ratio": math.inf}

    def choose(self, observation, state, episode_start, deterministic):
        count = len(observation)
        if isinstance(self.action_space, gym.spaces.Discrete):
            return np.zeros(count, np.int64), state
        broken = self.place == "action" and self.steps + 1 >= self.at
        action = np.zeros((count, 2), np.float32)
        action[-1, 1] = self.value if broken else self.weight[1]
        return action, state

    def state_dict(self):
        return {"network": {"weight": self.weight}, "moment": self.moment}

    def load_state_dict(self, state):
        self.weight, self.moment = state["network"]["weight"].clone(), state["moment"].clone()


def train(agent, folder=None, steps=100, **settings):
    cut = {"segment_steps": 50, "log_every": 10, "eval_every": 0, "eval_episodes": 2}
    run = None if folder is None else RunFolder(folder)
    config = RunConfig(steps=steps, **cut | settings)
    Trainer(agent, run, config, progress=False).run(steps)
    return run


CASES = {  # what is broken in step 75, and when it is noticed
    "weight": ("network.weight is not finite", 100),
    "moment": ("moment is not finite", 100),
    "loss": ("loss is (nan|-?inf)", 80),
}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", CASES)
def test_training_stops_and_the_last_checkpoint_stays(tmp_path, place, value):
    what, noticed = CASES[place]
    agent = Fragile("Steep-v0", place=place, at=75, value=value)
    found = f"^fragile on Steep-v0 diverged at step {noticed}: {what}; "
    with pytest.raises(Diverged, match=f"{found}try a smaller learning_rate or smaller rewards$"):
        train(agent, tmp_path)
    files = RunFolder(tmp_path).files.list()
    assert [int(file.stem) for file in files] == [50]
    assert load_checkpoint(files[0])["agent"]["network"]["weight"].isfinite().all()
    assert "nan" not in (tmp_path / "metrics.csv").read_text()


def test_what_is_not_finite_is_not_saved_to_look_at_either(tmp_path):
    agent, run = Fragile("Steep-v0", place="weight", at=75), RunFolder(tmp_path)

    def stop(progress):
        if progress.steps == 76:
            raise KeyboardInterrupt

    trainer = Trainer(agent, run, RunConfig(100, 50, 10, 0), callbacks=[stop], progress=False)
    said = pytest.warns(UserWarning, match=r"at step 76: network\.weight is not finite")
    with said, pytest.raises(KeyboardInterrupt):
        trainer.run(100)
    assert not run.files.interrupted.exists()


def test_it_is_noticed_without_a_run_folder_too():
    agent = Fragile("Steep-v0", place="weight", at=75)
    with pytest.raises(agents.Diverged, match=r"network\.weight is not finite"):
        agent.learn(100, progress=False)


def test_what_is_not_finite_is_never_evaluated_nor_the_best(tmp_path):
    agent = Fragile("Steep-v0", place="weight", at=45)
    with pytest.raises(Diverged, match="at step 50: network"):
        train(agent, tmp_path, segment_steps=100, eval_every=25)
    best = load_checkpoint(tmp_path / "best" / "checkpoint.pt")
    assert (best["steps"], best["agent"]["network"]["weight"].tolist()) == (25, [1.0] * 3)
    with pytest.raises(Diverged, match="fragile on Steep-v0 diverged"):
        evaluate(agent, episodes=1)


def test_other_metrics_may_have_no_value(tmp_path):
    run = train(Fragile("Steep-v0"), tmp_path)
    assert [int(file.stem) for file in run.files.list()] == [50, 100]
    assert "inf" in (tmp_path / "metrics.csv").read_text()


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize(
    ("place", "what"), [("action", "its action is nan"), ("weight", "network")]
)
def test_actions_that_are_not_finite_never_reach_the_world(place, what, num_envs):
    source = gym.make("Steep-v0", actions="box")
    agent = Fragile(source, place=place, at=75, num_envs=num_envs)
    with pytest.raises(Diverged, match=rf"^fragile on Steep-v0 diverged at step 7\d: {what}"):
        train(agent, steps=300, segment_steps=300)


def test_actions_that_are_not_finite_are_not_evaluated():
    agent = Fragile(gym.make("Steep-v0", actions="box"), place="action", at=0, value=math.inf)
    with pytest.raises(Diverged, match="its action is inf"):
        evaluate(agent, episodes=3)


@pytest.mark.parametrize("value", [3e38, -3e38])
def test_actions_may_be_large(value):
    """Their squares, by which all are checked at once, are not finite."""
    agent = Fragile(gym.make("Steep-v0", actions="box"))
    require_finite_action(agent, np.full((4, 2), value, np.float32))


def test_whatever_fails_of_an_agent_that_is_not_finite_is_told_as_that():
    agent = Fragile("Steep-v0", place="weight", at=75)
    act = agent.act

    def stumble(observation, start):
        if agent.steps > 80:
            raise ZeroDivisionError("the square root of nothing")
        return act(observation, start)

    agent.act = stumble
    with pytest.raises(Diverged, match=r"at step 81: network\.weight") as caught:
        train(agent)
    assert isinstance(caught.value.__context__, ZeroDivisionError)
    agent.place, agent.weight = "nothing", torch.ones(3)
    with pytest.raises(ZeroDivisionError):
        train(agent, steps=200)


def test_actions_without_a_distribution_are_a_divergence():
    """Observations of 3e38 do it to stable-baselines3's SAC, whose weights are still finite."""
    agent = Fragile("Steep-v0")
    with (
        pytest.raises(Diverged, match="the distribution of its actions is not finite"),
        answerable(agent),
    ):
        torch.distributions.Normal(torch.tensor(math.nan), 1.0, validate_args=True)
    with pytest.raises(ValueError, match="of the world"), answerable(agent):
        raise ValueError("of the world")


def test_a_checkpoint_that_is_not_finite_is_not_gone_on_from(tmp_path):
    """As a program left it that did not look."""
    run = train(Fragile("Steep-v0"), tmp_path)
    last = run.files.list()[-1]
    state = load_checkpoint(last)
    state["agent"]["moment"][0] = math.inf
    save_checkpoint(last, state)
    text = re.escape(f"{last} was saved after training had diverged: its moment is not finite; ")
    with pytest.warns(UserWarning, match=text + "going on from .*0000000050.pt"):
        train(Fragile("Steep-v0"), tmp_path, steps=150)
    assert [int(file.stem) for file in run.files.list()] == [50, 100, 150]
    assert load_checkpoint(last)["agent"]["moment"].isfinite().all()


# Real ones --------------------------------------------------------------------------------------

RATES = {
    "DQN": ("CartPole-v1", {"learning_starts": 50, "target_every": 50}),
    "PPO": ("Pendulum-v1", {"n_steps": 8}),
    "A2C": ("dreamgym/Pendulum-v0", {}),
    "Reinforce": ("CartPole-v1", {"episodes": 1}),
    "SB3PPO": ("CartPole-v1", {"n_steps": 64}),
    "SB3DQN": ("CartPole-v1", {"learning_starts": 50}),
    "SB3SAC": ("Pendulum-v1", {"learning_starts": 50}),
    "SB3TD3": ("Pendulum-v1", {"learning_starts": 50}),
}


@pytest.mark.filterwarnings("ignore:.*encountered in")
@pytest.mark.parametrize("name", RATES)
def test_a_rate_that_nothing_survives_is_blamed_on_the_agent(name):
    """Not on the world, whose answer to actions that are not finite is not finite either."""
    env, settings = RATES[name]
    kind = getattr(agents, name)
    config = replace(kind.config_type(), learning_rate=1e30, **settings)
    agent = kind(env, config, device="cpu")
    with pytest.raises(Diverged, match=rf"^{agent.name} on .* diverged at step \d+: .* try a"):
        agent.learn(2000, progress=False)


@pytest.mark.parametrize("fused", [True, False])
def test_a_table_that_overflows_is_noticed(fused):
    config = agents.ExpectedSarsaConfig(initial_value=1.7e308, fused=fused)
    agent = agents.ExpectedSarsa("FrozenLake-v1", config)  # the sum of four values is infinite
    with pytest.raises(Diverged, match=r"^expected-sarsa on FrozenLake-v1 diverged .*: q is not"):
        agent.learn(500, progress=False)
