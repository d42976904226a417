"""What REINFORCE, A2C and PPO have in common, tested on all three."""

from contextlib import closing
from dataclasses import replace
from itertools import product

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents.loop.evaluation import evaluate
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from agents.policy_gradient.a2c import A2C, A2CConfig
from agents.policy_gradient.ppo import PPO, PPOConfig
from agents.policy_gradient.reinforce import Reinforce, ReinforceConfig

SMALL = {"hidden": (8,), "memory_size": 6}
AGENTS = {
    "ppo": (PPO, PPOConfig(n_steps=16, batch_size=32, epochs=2, **SMALL)),
    "a2c": (A2C, A2CConfig(n_steps=5, **SMALL)),
    "reinforce": (Reinforce, ReinforceConfig(episodes=3, **SMALL)),
    "reinforce running": (Reinforce, ReinforceConfig(episodes=3, baseline="running", **SMALL)),
}
VARIANTS = {
    "plain": ("CartPole-v1", {}),
    "lstm": ("CartPole-v1", {"encoder": "lstm"}),
    "box normalised": (
        "Pendulum-v1",
        {"normalize_observation": True, "normalize_reward": True, "entropy_coefficient": 0.01},
    ),
}
CASES = list(product(AGENTS, VARIANTS))


def build(name, variant="plain", seed=0, **settings):
    agent_type, config = AGENTS[name]
    env, more = VARIANTS[variant]
    return agent_type(env, replace(config, **more), seed=seed, num_envs=2, **settings)


def weights(agent):
    return agent.network.weights.detach().clone()


@pytest.mark.parametrize(("name", "variant"), CASES, ids=" ".join)
def test_one_seed_one_result(name, variant):
    one, same, other = (build(name, variant, seed) for seed in (1, 1, 2))
    for agent in (one, same, other):
        agent.learn(900, progress=False)
        assert agent.updates > 0
    assert torch.equal(weights(one), weights(same))
    assert not torch.equal(weights(one), weights(other))


@pytest.mark.parametrize(("name", "variant"), CASES, ids=" ".join)
def test_a_run_cut_short_and_resumed_ends_in_the_same_bits(tmp_path, name, variant):
    config = RunConfig(
        steps=1200, segment_steps=600, log_every=100, eval_every=400, eval_episodes=2
    )
    whole = build(name, variant)
    Trainer(whole, RunFolder(tmp_path / "whole"), config, progress=False).run(1200)
    cut = RunFolder(tmp_path / "cut")
    first = build(name, variant)

    def interrupt(progress):
        if progress.steps >= 900:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Trainer(first, cut, config, callbacks=[interrupt], progress=False).run(1200)
    assert first.steps == 900
    again = build(name, variant)
    Trainer(again, cut, config, progress=False).run(1200)
    assert again.updates == whole.updates > 1
    for mine, theirs in zip(flat(again.state_dict()), flat(whole.state_dict()), strict=True):
        assert torch.equal(torch.as_tensor(mine), torch.as_tensor(theirs))


def flat(state):
    if isinstance(state, dict):
        return [leaf for key in state for leaf in flat(state[key])]
    if isinstance(state, list | tuple):
        return [leaf for value in state for leaf in flat(value)]
    return [] if state is None else [state]


@pytest.mark.parametrize(("name", "variant"), CASES, ids=" ".join)
def test_a_saved_agent_acts_the_same(tmp_path, name, variant):
    agent = build(name, variant)
    agent.learn(600, progress=False)
    agent.save(tmp_path / "agent.pt")
    again = type(agent).load(tmp_path / "agent.pt")
    mine, theirs = (evaluate(a, episodes=3, seed=5) for a in (agent, again))
    assert mine.returns == theirs.returns


@pytest.mark.parametrize(("name", "variant"), CASES, ids=" ".join)
def test_evaluation_changes_nothing(name, variant):
    agent = build(name, variant)
    agent.learn(600, progress=False)
    before = [torch.as_tensor(x).clone() for x in flat(agent.state_dict())]
    evaluate(agent, episodes=3, seed=5, deterministic=False)
    for then, now in zip(before, flat(agent.state_dict()), strict=True):
        assert torch.equal(then, torch.as_tensor(now))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", ["ppo", "a2c", "reinforce"])
def test_learning_stays_on_its_device(name, variant):
    """A tensor left on the CPU, or a number fetched from the device, fails on the meta device."""
    agent, away = build(name, variant), build(name, variant, device="meta")
    rollouts = []
    agent.update = lambda rollout: rollouts.append(rollout) or {}
    with closing(agent.stream(0)) as stream:
        while not rollouts:
            stream.advance(2)
    moved = [None if field is None else field.to("meta") for field in rollouts[0]]
    metrics = away.update(type(rollouts[0])(*moved))
    assert all(value.device.type == "meta" for value in metrics.values())


@pytest.mark.cuda
@pytest.mark.parametrize(("name", "variant"), CASES, ids=" ".join)
def test_learning_on_cuda_is_learning_on_the_cpu(name, variant):
    here, there = build(name, variant, device="cpu"), build(name, variant, device="cuda")
    start = weights(here)
    whole_episodes = 1_000 if variant == "box normalised" else 250
    for agent in (here, there):
        agent.learn(40 if name in ("ppo", "a2c") else whole_episodes, progress=False)
    assert not torch.equal(start, weights(here))
    if name in ("ppo", "a2c"):
        torch.testing.assert_close(weights(there).cpu(), weights(here), rtol=1e-3, atol=1e-4)


class Clock(gym.Env):
    """Pays 1 for every step, and shows nothing; a time limit cuts it."""

    metadata = {"render_modes": []}

    def __init__(self, render_mode=None):
        self.observation_space = gym.spaces.Box(0.0, 1.0, (1,), np.float32)
        self.action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.ones(1, np.float32), {}

    def step(self, action):
        return np.ones(1, np.float32), 1.0, False, False, {}


gym.register("Clock-v0", entry_point=Clock, max_episode_steps=7, disable_env_checker=True)


@pytest.mark.parametrize("name", ["ppo", "a2c", "reinforce", "reinforce running"])
@pytest.mark.parametrize("bootstrap", [True, False])
def test_a_time_limit_is_no_end(name, bootstrap):
    """With γ = 0.9 a reward of 1 for ever is worth 10; taken for an end, the limit makes it less.

    The second is the negative control.
    """
    agent_type, config = AGENTS[name]
    config = replace(config, discount=0.9, learning_rate=0.02, value_coefficient=5.0)
    agent = agent_type("Clock-v0", config, num_envs=2)
    if not bootstrap:
        observe = agent.observe
        agent.observe = lambda t: observe(
            t._replace(terminated=t.truncated, truncated=np.zeros_like(t.truncated))
        )
    agent.learn(6000, progress=False)
    value = float(agent.values(np.ones((1, 1), np.float32))[0])
    if bootstrap:
        assert value == pytest.approx(10.0, abs=0.5)
    else:  # the mean of 1 + 0.9 + ... over the steps that are left
        assert value < 5.0


@pytest.mark.parametrize("name", AGENTS)
def test_rows_that_only_reset_are_not_learned_from(name):
    """Gymnasium's CartPole resets in the next step; those rows weigh nothing."""
    agent, seen = build(name), []
    update = agent.update

    def spy(rollout):
        valid = agent.buffer.column("valid")
        seen.append((~valid).sum())
        assert (rollout.weight.numpy() > 0).tolist() == valid.tolist()
        assert rollout.weight.sum().item() == pytest.approx(1.0)
        return update(rollout)

    agent.update = spy
    agent.learn(600, progress=False)
    assert sum(seen) > 0


@pytest.mark.parametrize(("name", "variant"), CASES, ids=" ".join)
def test_what_is_learned_from_is_what_was_acted_on(name, variant):
    """The network says of a rollout what it said step by step, memory and statistics included."""
    agent, acted, checked = build(name, variant), [], []
    policy, update = agent.policy, agent.update

    def spy(*arguments):
        acted.append(policy(*arguments))
        return acted[-1]

    def check(rollout):
        outputs, _, _ = agent.network.module(rollout.observation, rollout.state, rollout.start)
        said = np.stack([outputs for outputs, _ in acted[-len(outputs) :]])
        np.testing.assert_allclose(outputs.detach().numpy(), said, rtol=1e-4, atol=1e-5)
        checked.append(rollout.state is not None and float(rollout.state.abs().max()) > 0)
        return update(rollout)

    agent.policy, agent.update = spy, check
    agent.learn(1700, progress=False)
    assert len(checked) > 1
    assert any(checked) == (variant == "lstm")


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", ["ppo", "a2c", "reinforce"])
def test_what_is_cut_off_is_worth_the_networks_value_of_it(name, variant):
    """After a truncated row, and after the last one of a rollout amid a segment.

    The reference runs the network one step further than the rollout, from its state.
    """
    agent_type, config = AGENTS[name]
    env_id, more = VARIANTS[variant]
    env = gym.make(env_id, max_episode_steps=6)
    agent, moments = agent_type(env, replace(config, **more), num_envs=2), []
    update = agent.update

    def check(rollout):
        column, valid = agent.buffer.column, agent.buffer.column("valid")
        cut = column("truncated") & valid & ~column("terminated")
        if name != "reinforce":  # whose last row ends an episode
            cut[-1] |= valid[-1] & ~column("terminated")[-1]
        norm = agent.observation_norm or torch.from_numpy
        after = torch.as_tensor(norm(column("next_observation")))
        with torch.no_grad():
            found = rollout.values_after(
                agent.network.module(rollout.observation, rollout.state, rollout.start)[1]
            )
            for t, k in zip(*cut.nonzero(), strict=True):
                state = None if rollout.state is None else rollout.state[:, :, k : k + 1]
                seen = torch.cat([rollout.observation[: t + 1, k], after[t, k][None]])
                starts = torch.cat([rollout.start[: t + 1, k], torch.tensor([False])])
                _, value, _ = agent.network.module(seen[:, None], state, starts[:, None])
                torch.testing.assert_close(found[t, k], value[-1, 0], rtol=1e-4, atol=1e-5)
                moments.append((t == len(cut) - 1, state is not None and bool(state.any())))
        return update(rollout)

    agent.update = check
    with closing(agent.stream(0)) as stream:
        stream.advance(140)
    last, remembered = zip(*moments, strict=True)
    assert any(remembered) == (variant == "lstm")
    assert not all(last)
    assert any(last)


@pytest.mark.parametrize("name", AGENTS)
def test_statistics_are_those_of_what_was_learned_from(name):
    agent, rows = build(name, "box normalised"), []
    assert agent.observation_norm is not None
    update = agent.update

    def spy(rollout):
        rows.append(agent.buffer.column("observation")[agent.buffer.column("valid")])
        return update(rollout)

    agent.update = spy
    agent.learn(1400, progress=False)
    everything = np.concatenate(rows).astype(np.float64)
    norm = agent.observation_norm.statistics
    np.testing.assert_allclose(norm.mean, everything.mean(0), atol=1e-6)
    np.testing.assert_allclose(norm.squares / norm.count, everything.var(0), rtol=1e-6)
    probe = everything[:5].astype(np.float32)
    expected = (probe - everything.mean(0)) / everything.std(0)
    np.testing.assert_allclose(agent.observation_norm(probe), expected, rtol=1e-4, atol=1e-5)


def test_settings_that_cannot_work_are_named():
    for config_type, settings, message in (
        (PPOConfig, {"n_steps": 0}, "n_steps is 0: expected at least 1"),
        (PPOConfig, {"discount": 1.5}, r"discount is 1.5: expected a number in \[0, 1\]"),
        (PPOConfig, {"gae_lambda": -0.1}, "gae_lambda is -0.1"),
        (PPOConfig, {"clip": -0.2}, "clip is -0.2: expected more than 0"),
        (A2CConfig, {"anneal_steps": -1}, "anneal_steps is -1"),
        (ReinforceConfig, {"baseline": "none"}, "baseline is 'none': expected one of 'learned'"),
        (ReinforceConfig, {"episodes": 0}, "episodes is 0"),
    ):
        with pytest.raises(ValueError, match=message):
            config_type(**settings)
    with pytest.raises(TypeError, match="normalize_observation needs vectors, but FrozenLake-v1"):
        PPO("FrozenLake-v1", PPOConfig(normalize_observation=True))


def test_copies_of_the_environment():
    assert PPO("CartPole-v1").num_envs == A2C("CartPole-v1").num_envs == 8
    assert Reinforce("CartPole-v1").num_envs == 1
    assert PPO("CartPole-v1", num_envs=3).num_envs == 3
    assert PPO(gym.make_vec("CartPole-v1", num_envs=2)).num_envs == 2
