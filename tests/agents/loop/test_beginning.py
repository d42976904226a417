"""A training that begins with the networks of another, and with nothing else of it."""

import json
import shutil

import pytest
import torch

import agents
from agents.algorithms import ALGORITHMS
from agents.commands.train import main as train
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from nets.runs.checkpoint import CheckpointError
from nets.runs.integrity import problems

NORMED = {"hidden": (8,), "n_steps": 16, "normalize_observation": True, "normalize_reward": True}
DEEP = {"hidden": (8,), "learning_starts": 16, "batch_size": 8}
SMALL = {
    "ppo": NORMED,
    "a2c": NORMED,
    "reinforce": {"hidden": (8,)},
    "dqn": DEEP | {"n_step": 2},
    "q-learning": {},
    "double-q-learning": {},
    "sb3-ppo": {"hidden": (8,), "n_steps": 16, "batch_size": 16},
    "sb3-dqn": DEEP,
    "sb3-sac": DEEP,
}
CUT = RunConfig(128, segment_steps=64, log_every=32, eval_every=64, eval_episodes=1)


def make(name, seed=0, **settings):
    env = {"q": "dreamgym/Cliff-v0", "double": "dreamgym/Cliff-v0"}.get(name.split("-")[0])
    env = env or ("Pendulum-v1" if name == "sb3-sac" else "CartPole-v1")
    algorithm = ALGORITHMS[name]
    config = algorithm.config_type()(**SMALL[name] | settings)
    return algorithm.agent_type()(env, config, seed=seed, num_envs=1)


def leaves(tree):
    for key in sorted(tree):
        if isinstance(tree[key], dict):
            yield from leaves(tree[key])
        else:
            yield tree[key]


def equal(left, right):
    return all(torch.equal(a, b) for a, b in zip(leaves(left), leaves(right), strict=True))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.pt"
    make("ppo").learn(64, progress=False).save(path)
    return path


@pytest.mark.parametrize("name", SMALL)
def test_networks_and_statistics_are_the_others_and_the_rest_is_new(name, tmp_path):
    old = make(name).learn(96, progress=False)
    old.save(tmp_path / "old.pt")
    fresh, agent = make(name, seed=1), make(name, seed=1).start_from(tmp_path / "old.pt")
    before, state, told = (each.state_dict() for each in (fresh, agent, old))
    assert equal(agent.networks(state), old.networks(told))
    assert not equal(fresh.networks(before), old.networks(told))
    assert (agent.steps, agent.segment, agent.replay.rows) == (0, 0, 0)
    for part in ("updates", "counters", "optimizer"):
        if part in before:
            assert str(state[part]) == str(before[part])
    agent.learn(64, progress=False)


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        (lambda: make("ppo", hidden=(4,)), r"hidden is \[8\], expected \[4\]"),
        (lambda: make("ppo", activation="relu"), "activation is tanh, expected relu"),
        (lambda: make("ppo", normalize_reward=False), "normalize_reward is True, expected False"),
        (lambda: make("a2c"), "saved by 'ppo', not by 'a2c'"),
        (lambda: make("ppo", encoder="gru"), "memory.* is not there, expected of shape"),
        (
            lambda: agents.PPO("Acrobot-v1", agents.PPOConfig(**NORMED)),
            r"network.actor.* is of shape \[8, 4\], expected of shape \[8, 6\]",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_the_first_difference(source, agent, message):
    with pytest.raises(CheckpointError, match=message):
        agent().start_from(source)


def test_who_has_trained_or_has_no_networks_cannot_begin_so(source):
    with pytest.raises(ValueError, match="ppo has 32 steps: only a new agent"):
        make("ppo").learn(32, progress=False).start_from(source)
    with pytest.raises(ValueError, match="value-iteration has nothing that could begin"):
        agents.ValueIteration("FrozenLake-v1").start_from(source)
    with pytest.raises(ValueError, match=r"pretrained is '.*run'"):
        make("ppo", pretrained="run").start_from(source)


def test_a_run_that_began_so_resumes_exactly_and_knows_its_source(source, tmp_path):
    words = "ppo CartPole-v1 --num-envs 1 --steps 256 --eval-every 0 --config.hidden 8"
    words += " --config.n-steps 16 --config.normalize-observation --config.normalize-reward"
    call = [*words.split(), "--init-from", str(source)]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert train([*call, "--run", str(whole)]) == 0
    record = json.loads((whole / "config.json").read_text())
    assert record["init_from"] == record["sources"]["init_from"]["path"] == str(source)
    cut.mkdir()
    shutil.copy(whole / "config.json", cut)  # killed before the first checkpoint
    assert train(["--resume", str(cut)]) == 0
    ends = [agents.load(run, checkpoint="last") for run in (whole, cut)]
    assert torch.equal(ends[0].network.weights, ends[1].network.weights)
    assert list(problems(whole)) == []
    make("ppo", seed=5).learn(64, progress=False).save(source)
    assert train(["--resume", str(cut), "--steps", "512"]) == 2


def test_a_trainer_begins_anew_with_them(source, tmp_path):
    agent = make("ppo", seed=1).start_from(source)
    run = RunFolder(tmp_path / "run")
    run.create(agent, CUT, [])
    Trainer(agent, run, CUT, progress=False).run(64)
    rest = make("ppo", seed=1).start_from(source)
    Trainer(rest, run, CUT, progress=False).run(128)
    whole = RunFolder(tmp_path / "whole")
    other = make("ppo", seed=1).start_from(source)
    whole.create(other, CUT, [])
    Trainer(other, whole, CUT, progress=False).run(128)
    assert torch.equal(rest.network.weights, other.network.weights)
