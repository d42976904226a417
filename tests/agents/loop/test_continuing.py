"""Training in memory goes on where it stopped: many short calls are one long one."""

import gc
import signal
import weakref

import numpy as np
import pytest
import torch
from leftovers import leaves

import agents
from agents.algorithms import find_algorithm

LAKE = "FrozenLake-v1"
CUTS = (80, 720, 8, 392)
WORLDS = {
    "ppo": lambda: agents.PPO("CartPole-v1", agents.PPOConfig(n_steps=32)),
    "ppo lstm": lambda: agents.PPO("CartPole-v1", agents.PPOConfig(n_steps=32, encoder="lstm")),
    "a2c": lambda: agents.A2C("CartPole-v1"),
    "reinforce": lambda: agents.Reinforce("CartPole-v1"),
    "dqn": lambda: agents.DQN(
        "CartPole-v1", agents.DQNConfig(noisy=True, n_step=3, learning_starts=200, train_every=8)
    ),
    "dqn lstm": lambda: agents.DQN(
        "CartPole-v1", agents.DQNConfig(encoder="lstm", learning_starts=200, train_every=64)
    ),
    "fused": lambda: agents.QLearning("envs:dreamgym/Cliff-v0"),
    "loop": lambda: agents.Sarsa("envs:dreamgym/Cliff-v0", agents.SarsaConfig(fused=False)),
}


@pytest.mark.parametrize("name", WORLDS)
def test_short_calls_of_learn_are_one_long_one(name):
    whole, pieces, began = (WORLDS[name]() for _ in range(3))
    before = list(leaves(began.state_dict()))
    whole.learn(sum(CUTS), progress=False)
    outside = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    for steps in CUTS:
        pieces.learn(steps, progress=False)
        torch.rand(3)  # what others draw in between is no matter
    assert whole.steps == pieces.steps == sum(CUTS)
    assert list(leaves(pieces.state_dict())) == list(leaves(whole.state_dict())) != before
    torch.set_rng_state(outside[0])
    assert outside[1] == np.random.get_state()[1].tolist()  # noqa: NPY002


def test_short_calls_learn_at_all():
    agent = agents.PPO("CartPole-v1", agents.PPOConfig(n_steps=128))
    for _ in range(4):
        agent.learn(1_000, progress=False)
    assert agent.updates == 3  # rollouts of 1,024 steps


def test_callbacks_see_the_episodes_of_all_calls():
    seen, agent = [], agents.A2C("CartPole-v1", num_envs=1)
    for _ in range(3):
        agent.learn(100, callback=lambda progress: seen.append(progress.episodes), progress=False)
    assert seen == sorted(seen)
    assert seen[-1] > 5


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_after_an_error_or_ctrl_c_the_next_call_begins_with_new_episodes(error):
    agent = agents.DQN("CartPole-v1", agents.DQNConfig(learning_starts=50))

    def fail(progress):
        if progress.steps == 130:
            raise error

    with pytest.raises(error):
        agent.learn(500, callback=fail, progress=False)
    assert (agent.steps, agent.segment) == (130, 1)
    agent.learn(100, progress=False)
    assert (agent.steps, agent.segment) == (230, 2)


@pytest.mark.parametrize(
    ("name", "world"), [("a2c", "CartPole-v1"), ("sb3-a2c", "CartPole-v1"), ("q-learning", LAKE)]
)
def test_ctrl_c_ends_a_loop_over_trainings(name, world):
    begun = []

    def press(progress):
        if progress.steps >= 40:
            signal.raise_signal(signal.SIGINT)

    def learn_thrice():
        for _ in range(3):
            begun.append(find_algorithm(name).agent_type()(world, device="cpu"))
            begun[-1].learn(200, callback=press, progress=False)

    with pytest.raises(KeyboardInterrupt) as told:
        learn_thrice()
    assert [agent.steps for agent in begun] == [40]
    where = f"{name} on {world} was interrupted at step 40; the next call goes on from there"
    assert told.value.__notes__ == [f"{where}, with new episodes"]
    begun[0].learn(80, progress=False)
    assert begun[0].steps >= 120


def test_a_run_in_a_folder_ends_what_was_open(tmp_path):
    from agents.loop.run import RunConfig, RunFolder
    from agents.loop.trainer import Trainer

    agent = agents.DQN("CartPole-v1", agents.DQNConfig(learning_starts=50))
    agent.learn(100, progress=False)
    cut = RunConfig(steps=300, segment_steps=100, log_every=50, eval_every=0)
    Trainer(agent, RunFolder(tmp_path), cut, progress=False).run(300)
    assert agent.segment == 3
    agent.learn(10, progress=False)
    assert agent.segment == 4


def test_a_loaded_dqn_fills_its_replay_again_before_it_learns(tmp_path):
    config = agents.DQNConfig(learning_starts=100, train_every=4)
    agents.DQN("CartPole-v1", config).learn(300, progress=False).save(tmp_path / "agent.pt")
    agent = agents.load(tmp_path / "agent.pt")
    updates = agent.updates
    agent.learn(96, progress=False)
    assert agent.updates == updates
    agent.learn(8, progress=False)
    assert agent.updates > updates


@pytest.mark.parametrize("name", ["DQN", "PPO", "Reinforce", "QLearning", "ValueIteration"])
def test_an_agent_that_nobody_has_any_more_is_freed_at_once(name):
    """Its replay and its processes would else be there until the next sweep for cycles."""
    seen = []
    gc.disable()
    try:
        for _ in range(2):  # what the first imports may still hold it
            agent = getattr(agents, name)("FrozenLake-v1")
            agent.learn(40, progress=False, callback=lambda progress: seen.append(progress.agent))
            seen.clear()
            freed = weakref.ref(agent)
            del agent
        assert freed() is None
    finally:
        gc.enable()


def test_what_a_callback_kept_still_knows_its_agent():
    kept = []
    agent = agents.DQN("CartPole-v1").learn(8, progress=False, callback=kept.append)
    assert kept[0].agent is agent
    assert agent.learn(8, progress=False, callback=kept.append).steps == kept[-1].steps == 16
