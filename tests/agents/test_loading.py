import gymnasium as gym
import numpy as np
import pytest
import torch

import agents
import generative
from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.loading import load
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from agents.tabular.temporal_difference import QLearning, QLearningConfig
from nets.runs.checkpoint import CheckpointError, load_checkpoint, save_checkpoint

SMALL = DQNConfig(hidden=(8,), learning_starts=20, batch_size=8, dueling=True)


@pytest.fixture
def run(tmp_path):
    """A run folder of an agent that got worse after its best evaluation, or was equal."""
    agent = DQN("CartPole-v1", SMALL, seed=1)
    cut = RunConfig(steps=240, segment_steps=80, log_every=80, eval_every=80, eval_episodes=2)
    Trainer(agent, RunFolder(tmp_path), cut, progress=False).run(240)
    return tmp_path, agent


def test_a_folder_gives_its_best_or_the_checkpoint_asked_for(run):
    folder, agent = run
    best = load(folder)
    assert isinstance(best, DQN)
    assert best.steps == load_checkpoint(folder / "best" / "checkpoint.pt")["steps"]
    last = load(folder, checkpoint="last")
    assert last.steps == 240
    assert torch.equal(last.online.weights, agent.online.weights)
    assert load(folder, checkpoint="0000000160").steps == 160
    with pytest.raises(FileNotFoundError, match="no checkpoint 'frist'; it has: best, 0000000080"):
        load(folder, checkpoint="frist")


def test_a_file_gives_whichever_agent_wrote_it(tmp_path):
    for agent in (
        DQN("CartPole-v1", SMALL),
        QLearning("dreamgym/Cliff-v0", QLearningConfig(discount=0.7)),
    ):
        agent.save(tmp_path / "agent.pt")
        loaded = load(tmp_path / "agent.pt")
        assert type(loaded) is type(agent)
        assert (loaded.config, loaded.source.describe()) == (agent.config, agent.source.describe())
    assert agents.load is load


def test_the_world_comes_back_with_the_agent(tmp_path):
    env = gym.wrappers.FrameStackObservation(gym.make("CartPole-v1", max_episode_steps=9), 2)
    DQN(env, SMALL, num_envs=3).save(tmp_path / "agent.pt")
    loaded = load(tmp_path / "agent.pt")
    assert loaded.observation_space.shape == (2, 4)
    assert loaded.num_envs == 3
    assert loaded.source.make().spec.max_episode_steps == 9
    loaded.learn(60, progress=False)


def test_another_world_may_be_given(tmp_path, ledger):
    DQN("CartPole-v1", SMALL).save(tmp_path / "agent.pt")
    loaded = load(tmp_path / "agent.pt", gym.make("CartPole-v1", sutton_barto_reward=True))
    assert loaded.source.spec.kwargs["sutton_barto_reward"] is True
    with pytest.raises(CheckpointError, match=r"(?s)agent\.pt does not fit: .*size mismatch"):
        load(tmp_path / "agent.pt", "Acrobot-v1")
    with pytest.raises(TypeError, match="Pendulum-v1 has actions"):
        load(tmp_path / "agent.pt", "Pendulum-v1")
    with pytest.warns(UserWarning, match="cannot be made anew"):
        agent = DQN(ledger(), SMALL)
    agent.save(tmp_path / "nameless.pt")
    with pytest.raises(ValueError, match="pass env="):
        load(tmp_path / "nameless.pt")
    assert load(tmp_path / "nameless.pt", "Ledger-v0").q_values(np.zeros((1, 4))).shape == (1, 3)


def test_files_of_other_kinds_are_named(tmp_path, run):
    folder, agent = run
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at .*gone"):
        load(tmp_path / "gone.pt")
    shard = next((folder / "checkpoints" / "replay").glob("*.pt"))
    with pytest.raises(CheckpointError, match=f"{shard.name} does not fit: it has no 'algorithm'"):
        load(shard)
    save_checkpoint(tmp_path / "later.pt", agent.manifest() | {"algorithm": "dqn-2"})
    with pytest.raises(CheckpointError, match=r"later\.pt does not fit: unknown algorithm 'dqn-2'"):
        load(tmp_path / "later.pt")
    agent.save(tmp_path / "agent.pt")
    with pytest.raises(CheckpointError, match=r"agent\.pt was saved by 'dqn', not by 'q-learning'"):
        QLearning.load(tmp_path / "agent.pt")
    state = load_checkpoint(tmp_path / "agent.pt")
    save_checkpoint(tmp_path / "new.pt", state | {"config": state["config"] | {"warmth": 3}})
    with pytest.raises(CheckpointError, match=r"configuration does not fit: .*'warmth'"):
        load(tmp_path / "new.pt")
    del state["agent"]["target"]
    save_checkpoint(tmp_path / "part.pt", state)
    with pytest.raises(CheckpointError, match=r"part\.pt does not fit: it has no 'target'"):
        load(tmp_path / "part.pt")


def test_a_world_that_is_gone_is_named(tmp_path):
    gym.register("Gone-v0", entry_point="gymnasium.envs.classic_control:CartPoleEnv")
    DQN("Gone-v0", SMALL).save(tmp_path / "agent.pt")
    del gym.registry["Gone-v0"]
    with pytest.raises(gym.error.Error, match="Gone"):
        load(tmp_path / "agent.pt")


def test_lazy_names_are_found_and_unknown_ones_named():
    assert agents.DQN is DQN
    assert agents.DQNConfig is DQNConfig
    assert {"DQN", "DQNConfig", "QLearning", "load", "evaluate"} <= set(dir(agents))
    with pytest.raises(AttributeError, match="has no attribute 'DNQ'"):
        agents.DNQ  # noqa: B018


def test_a_generative_model_is_no_agent(tmp_path):
    save_checkpoint(tmp_path / "model.pt", {"kind": "generative", "model": "vae"})
    with pytest.raises(CheckpointError, match=r"model\.pt holds a generative model, vae, and no a"):
        load(tmp_path / "model.pt")


@pytest.mark.parametrize(("path", "kind"), [(None, TypeError), (3, TypeError), ("", ValueError)])
def test_what_is_no_path_is_refused_in_our_words(path, kind):
    agent = agents.PPO("CartPole-v1")
    for use in (agents.load, agents.PPO.load, agent.save, agent.start_from, generative.load):
        with pytest.raises(kind, match=r"^the path is .*: expected "):
            use(path)
