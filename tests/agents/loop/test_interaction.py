import threading
from itertools import pairwise

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.envs.classic_control import CartPoleEnv
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.environments.door import InvalidExperience
from agents.loop.evaluation import evaluate
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer

WAYS = {
    "single": None,
    "same step": AutoresetMode.SAME_STEP,
    "next step": AutoresetMode.NEXT_STEP,
}


def make_scribe(scribe, mode, copies=3, seed=0, **kwargs):
    """An agent on Ledger-v0, stepped in one of the three ways."""
    if mode is None:
        return scribe("Ledger-v0", seed=seed)
    if mode is AutoresetMode.SAME_STEP:
        return scribe("Ledger-v0", num_envs=copies, seed=seed)
    env = SyncVectorEnv([lambda: gym.make("Ledger-v0")] * copies, autoreset_mode=mode)
    with pytest.warns(UserWarning, match="cannot be made anew"):
        return scribe(env, seed=seed)


def experience(agent):
    """Yield (observation, action, reward, next_observation, terminated, truncated) per copy."""
    for k in range(agent.num_envs):
        yield [tuple(field[k] for field in t[:6]) for t in agent.transitions if t.valid[k]]


@pytest.mark.parametrize("mode", WAYS.values(), ids=WAYS.keys())
def test_A_CORE_01_every_transition_is_one_step_of_the_world(scribe, ledger_length, mode):
    agent = make_scribe(scribe, mode)
    stream = agent.stream(seed=16)
    stream.advance(60 * agent.num_envs)
    for k, steps in enumerate(experience(agent)):
        episodes, copy = [], k if mode else 0
        for observation, action, reward, after, terminated, truncated in steps:
            c, episode, now, _ = observation
            assert c == copy
            assert reward == 100 * c + 10 * episode + now + action / 4
            assert after.tolist() == [c, episode, now + 1, action]
            over = now + 1 == ledger_length(int(c), int(episode))
            odd = (c + episode) % 2 == 1
            assert (terminated, truncated) == (over and not odd, over and odd)
            episodes.append(int(episode))
        # nothing is left out: within an episode steps follow each other, episodes are whole
        assert {e for e in episodes if e < max(episodes)} == set(range(max(episodes)))
        for (before, *_), (here, *_) in pairwise(steps):
            if here[2] > 0:
                assert before[2] == here[2] - 1
            else:
                assert (before[1] + 1, before[2] + 1) == (here[1], ledger_length(copy, before[1]))
    stream.close()


@pytest.mark.parametrize("mode", WAYS.values(), ids=WAYS.keys())
def test_agents_act_on_what_they_see_and_are_told_of_new_episodes(scribe, mode):
    agent = make_scribe(scribe, mode)
    stream = agent.stream(seed=16)
    stream.advance(50 * agent.num_envs)
    for seen, start, transition in zip(agent.seen, agent.starts, agent.transitions, strict=True):
        np.testing.assert_array_equal(seen, transition.observation)
        real = transition.valid
        first = seen[:, 2] == 0
        np.testing.assert_array_equal(start[real], first[real])
        np.testing.assert_array_equal(transition.extras["mark"], np.arange(agent.num_envs))
    stream.close()


@pytest.mark.parametrize("mode", WAYS.values(), ids=WAYS.keys())
def test_episode_statistics_are_the_sums_of_the_rewards(scribe, ledger_length, mode):
    agent = make_scribe(scribe, mode)
    stream = agent.stream(seed=16)
    stream.advance(70 * agent.num_envs)
    expected = []
    for k, steps in enumerate(experience(agent)):
        total = 0.0
        for observation, _, reward, _, terminated, truncated in steps:
            total += reward
            if terminated or truncated:
                expected.append((total, ledger_length(k, int(observation[1]))))
                total = 0.0
    assert len(expected) > 12 * agent.num_envs
    assert sorted((e.total_reward, e.length) for e in stream.episodes) == sorted(expected)
    ends = [e.step for e in stream.episodes]
    assert ends == sorted(ends)
    assert agent.steps == 70 * agent.num_envs
    stream.close()


@pytest.mark.parametrize("mode", WAYS.values(), ids=WAYS.keys())
def test_the_end_of_a_segment_truncates_open_episodes_and_no_statistics(
    scribe, ledger_length, mode
):
    agent = make_scribe(scribe, mode)
    stream = agent.stream(seed=16)
    stream.advance(8 * agent.num_envs)
    stream.advance(2 * agent.num_envs, last=True)
    whole = cut = 0
    for k, steps in enumerate(experience(agent)):
        for observation, _, _, after, terminated, truncated in steps:
            over = after[2] == ledger_length(k, int(observation[1]))
            whole += over
            cut += truncated and not over
            assert not (terminated and truncated)
        assert terminated or truncated  # the last step of every copy
    assert len(stream.episodes) == whole
    assert 1 <= cut <= agent.num_envs
    stream.close()


def replay_cartpole(observation, action):
    """One step of Gymnasium's CartPole from `observation`, in double precision."""
    env = CartPoleEnv()
    env.reset(seed=0)
    env.state = observation.astype(np.float64)
    after, reward, terminated, _, _ = env.step(int(action))
    return after, reward, terminated


@pytest.mark.parametrize("num_envs", [None, 1, 4])
def test_A_CORE_01_native_vector_cartpole_gives_genuine_physics(scribe, num_envs):
    """Gymnasium's own vector CartPole resets in the next step, on rows that are no transitions."""
    agent = scribe("CartPole-v1", num_envs=num_envs)
    stream = agent.stream(seed=3)
    stream.advance(120 * agent.num_envs)
    masked = 0
    for t in agent.transitions:
        valid = t.valid
        masked += (~valid).sum()
        for k in valid.nonzero()[0]:
            after, reward, terminated = replay_cartpole(t.observation[k], t.action[k])
            np.testing.assert_allclose(t.next_observation[k], after, rtol=1e-5, atol=1e-6)
            assert (t.reward[k], t.terminated[k]) == (reward, terminated)
    assert len(stream.episodes) > 3 * agent.num_envs
    single = num_envs in (None, 1)
    assert masked == (0 if single else pytest.approx(len(stream.episodes), abs=num_envs))
    for episode in stream.episodes:
        assert episode.total_reward == episode.length  # one point per step, none for resets
    stream.close()


def test_worlds_that_reuse_their_arrays_are_copied(scribe):
    agent = scribe(gym.make("Ledger-v0", reuse_arrays=True))
    stream = agent.stream(seed=0)
    stream.advance(20)
    for t in agent.transitions:
        assert t.next_observation[0, 2] == t.observation[0, 2] + 1
    stream.close()


def test_flags_that_are_integers_become_booleans(scribe):
    agent = scribe("Reliable-v0")
    stream = agent.stream(seed=0)
    stream.advance(25)
    for t in agent.transitions:
        assert t.terminated.dtype == t.truncated.dtype == bool
    assert [t.truncated[0] for t in agent.transitions].index(True) == 19
    stream.close()


# Validity ---------------------------------------------------------------------------------------

FAULTS = {
    "nan reward": "the reward nan at step 35: expected a finite number",
    "infinite reward": "the reward -inf at step 35: expected a finite number",
    "nan observation": r"observation\[1\] nan at step 35: expected a finite number of 32 bits",
    "infinite observation": r"observation\[0\] inf at step 35: expected a finite number of 32 bits",
    "outside": r"observation\[1\] 10.5 at step 35: expected a member of Box",
    "shape": r"an observation of shape \(1,\) at step 35: expected \(2,\)",
}


@pytest.mark.parametrize(
    ("fault", "num_envs"),
    [(fault, None) for fault in FAULTS]  # a wrong shape, Gymnasium's vectors refuse themselves
    + [(fault, 2) for fault in FAULTS if fault != "shape"],
)
def test_bad_numbers_stop_training_and_leave_the_last_checkpoint(tmp_path, fault, num_envs):
    """The fault strikes in step 15 of an episode: not in segments of 10 steps, but after them."""
    env = gym.make("Faulty-v0", fault=fault, when=15, limit=100)
    settings = DQNConfig(hidden=(4,), learning_starts=8, batch_size=4, epsilon_end=0.5)
    agent = DQN(env, settings, num_envs=num_envs)
    n, run = agent.num_envs, RunFolder(tmp_path)
    short = RunConfig(steps=20 * n, segment_steps=10 * n, log_every=5, eval_every=0)
    Trainer(agent, run, short, progress=False).run(20 * n)
    files = {file: file.read_bytes() for file in run.files.list()}
    weights = agent.target.weights.data.clone()
    whole = RunConfig(steps=60 * n, segment_steps=60 * n, log_every=5, eval_every=0)
    expected = FAULTS[fault].replace("step 35", f"step {35 * n}")
    with pytest.raises(InvalidExperience, match=f"Faulty-v0 returned {expected}"):
        Trainer(agent, run, whole, progress=False).run(60 * n)
    assert {file: file.read_bytes() for file in run.files.list()} == files
    assert len(files) == 2
    again = DQN(env, settings, num_envs=num_envs)
    run.restore(again)
    assert (again.steps, again.replay.rows) == (20 * n, 20 * n)
    assert torch.equal(again.target.weights.data, weights)


def test_a_bad_first_observation_is_named(scribe):
    agent = scribe(gym.make("Faulty-v0", fault="reset"))
    with pytest.raises(InvalidExperience, match=r"Faulty-v0 .* observation\[0\] nan at step 0"):
        agent.stream(seed=0)


def test_a_bad_first_observation_of_a_later_episode_is_named(scribe):
    class LateFault(gym.Wrapper):
        def reset(self, **kwargs):
            observation, info = self.env.reset(**kwargs)
            return (observation if kwargs.get("seed") is not None else observation - 9), info

    with pytest.warns(UserWarning, match="cannot be made anew"):
        agent = scribe(LateFault(gym.make("Faulty-v0", limit=4)))
    stream = agent.stream(seed=0)
    with pytest.raises(InvalidExperience, match=r"observation\[0\] -9.0 at step 4"):
        stream.advance(10)


def test_evaluation_is_as_strict_as_training(scribe):
    agent = scribe(gym.make("Faulty-v0", fault="nan reward", when=3))
    with pytest.raises(InvalidExperience, match="Faulty-v0 returned the reward nan at step 6"):
        evaluate(agent, episodes=2)


def test_a_lander_that_leaves_its_own_box_is_no_fault(scribe):
    pytest.importorskip("Box2D")
    agent = scribe("LunarLander-v3")
    stream = agent.stream(seed=0)
    agent.act = lambda observation, start: (np.full(1, 2), {})  # the main engine, for ever
    stream.advance(400)
    highest = max(t.next_observation[0, 1] for t in agent.transitions)
    assert highest > agent.observation_space.high[1]
    stream.close()


def test_trainings_in_two_threads_end_as_they_would_alone():
    found = {}

    def train(key):
        config = DQNConfig(noisy=True, hidden=(8,), learning_starts=20, batch_size=8)
        found[key] = DQN("CartPole-v1", config).learn(700, progress=False).online.state_dict()

    train("alone")
    threads = [threading.Thread(target=train, args=(key,)) for key in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for key in (0, 1):
        assert all(torch.equal(w, found["alone"][name]) for name, w in found[key].items())
