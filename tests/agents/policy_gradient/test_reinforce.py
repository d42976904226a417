"""REINFORCE: which episodes count, what their returns are, and the update by autograd."""

from copy import deepcopy

import gymnasium as gym
import numpy as np
import pytest
import torch
from learning import best_of

from agents.policy_gradient.reinforce import Reinforce, ReinforceConfig


class Counter(gym.Env):
    """Shows [copy, episode, step]; episode e of copy c lasts 2 + 3c + e mod 2 steps, r = step."""

    metadata = {"render_modes": []}

    def __init__(self, render_mode=None):
        self.observation_space = gym.spaces.Box(0.0, 1e4, (3,), np.float32)
        self.action_space = gym.spaces.Discrete(2)
        self.copy = self.episode = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self.copy, self.episode = seed % 100, 0
        else:
            self.episode += 1
        self.now = 0
        return self._seen(), {}

    def step(self, action):
        self.now += 1
        over = self.now == 2 + 3 * self.copy + self.episode % 2
        return self._seen(), float(self.now), over, False, {}

    def _seen(self):
        return np.array([self.copy, self.episode, self.now], np.float32)


gym.register("Counter-v0", entry_point=Counter, disable_env_checker=True)


def spied(agent):
    """Collect the rollouts that the agent learns from, and what it logs of them."""
    rollouts, logged, update = [], [], agent.update

    def spy(rollout):
        rollouts.append(rollout)
        logged.append(update(rollout))
        return logged[-1]

    agent.update = spy
    return rollouts, logged


@pytest.mark.parametrize(("copies", "episodes"), [(1, 3), (3, 3), (3, 7)])
def test_only_whole_episodes_that_were_dealt_count(copies, episodes):
    agent = Reinforce("Counter-v0", ReinforceConfig(episodes=episodes), num_envs=copies)
    rollouts, _ = spied(agent)
    stream = agent.stream(seed=100)
    stream.advance(200 * copies)
    stream.close()
    assert len(rollouts) > 3
    for rollout in rollouts:
        counted = [[] for _ in range(copies)]
        for t, k in (rollout.weight > 0).nonzero().tolist():
            copy, episode, now = map(int, rollout.observation[t, k])
            assert copy == k
            counted[k].append((episode, now))
        shares = [len({episode for episode, _ in steps}) for steps in counted]
        assert sum(shares) == episodes
        assert max(shares) - min(shares) <= 1
        for k, steps in enumerate(counted):
            first = min(episode for episode, _ in steps)
            whole = [
                (episode, now)
                for episode in range(first, first + shares[k])
                for now in range(2 + 3 * k + episode % 2)
            ]
            assert steps == whole  # from their first step to their last, under one policy


@pytest.mark.parametrize("limit", [None, 4])
@pytest.mark.parametrize("baseline", ["learned", "running"])
def test_A_PG_02_04_an_update_is_adam_on_score_times_reward_to_go(baseline, limit):
    """A time limit cuts the episodes of the second copy: what follows is worth the baseline."""
    config = ReinforceConfig(
        episodes=5, baseline=baseline, discount=0.9, learning_rate=0.01, max_grad_norm=0.1
    )
    agent = Reinforce(gym.make("Counter-v0", max_episode_steps=limit), config, num_envs=2)
    agent.baseline = 3.0
    with torch.no_grad():
        agent.network.module.critic[-1].bias.fill_(2.0)
    rollouts, logged = spied(agent)
    network = deepcopy(agent.network.module)
    stream = agent.stream(seed=100)
    while not rollouts:
        stream.advance(2)
    stream.close()
    (rollout,), (metrics,) = rollouts, logged
    policy, errors, returns = [], [], []
    for t, k in (rollout.weight > 0).nonzero().tolist():
        copy, episode, now = map(int, rollout.observation[t, k])
        length = 2 + 3 * copy + episode % 2
        end = min(length, limit or length)
        to_go = sum(0.9 ** (s - now) * (s + 1) for s in range(now, end))
        if end < length:
            _, after, _ = network(torch.tensor([[[copy, episode, end]]]).float())
            to_go += 0.9 ** (end - now) * (after.item() if baseline == "learned" else 3.0)
        outputs, value, _ = network(rollout.observation[t : t + 1, k : k + 1])
        log_prob = outputs.log_softmax(-1)[0, 0, rollout.choice[t, k]]
        value = value.squeeze()
        expected = value.detach() if baseline == "learned" else 3.0
        policy.append(-log_prob * (to_go - expected))
        errors.append(0.5 * (value - to_go) ** 2 if baseline == "learned" else 0.0 * value)
        returns.append(to_go)
    policy_loss, value_loss = torch.stack(policy).mean(), torch.stack(errors).mean()
    (policy_loss + 0.5 * value_loss).backward()
    assert metrics["policy_loss"].item() == pytest.approx(policy_loss.item(), rel=1e-5)
    assert metrics["value_loss"].item() == pytest.approx(value_loss.item(), rel=1e-5)
    parameters = [p for p in network.parameters() if p.grad is not None]
    torch.nn.utils.clip_grad_norm_(parameters, 0.1)
    torch.optim.Adam(parameters, lr=0.01, eps=1e-5).step()
    for mine, theirs in zip(agent.network.module.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=2e-4)
    moved = 3.0 + 0.1 * (np.mean(returns) - 3.0) if baseline == "running" else 3.0
    assert agent.baseline == pytest.approx(moved, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("baseline", ["learned", "running"])
def test_learns_to_balance_cartpole(baseline):
    from agents.loop.evaluation import evaluate
    from agents.presets import find_preset

    preset = find_preset("reinforce", "CartPole-v1")
    config = preset.apply(ReinforceConfig(baseline=baseline))

    def train(seed):
        agent = Reinforce("CartPole-v1", config, seed=seed)
        agent.learn(preset.steps, progress=False)
        return evaluate(agent, episodes=20).mean_return

    assert best_of(train, 450) >= 450
