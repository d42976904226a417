"""A2C's update against the same written with autograd."""

from copy import deepcopy

import gymnasium as gym
import pytest
import torch
from learning import best_of
from rollouts import gathered

from agents.equations.returns import generalized_advantages
from agents.policy_gradient.a2c import A2C, A2CConfig


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
@pytest.mark.parametrize("encoder", ["mlp", "lstm"])
def test_A_PG_05_an_update_is_adam_on_the_published_objective_and_logs_it(env_id, encoder):
    config = A2CConfig(
        n_steps=30,
        gae_lambda=0.9,
        encoder=encoder,
        memory_size=5,
        entropy_coefficient=0.02,
        learning_rate=0.01,
        max_grad_norm=0.1,
    )
    agent = A2C(gym.make(env_id, max_episode_steps=11), config, num_envs=3)
    rollout = gathered(agent)
    network = deepcopy(agent.network.module)
    metrics = agent.update(rollout)

    outputs, value, _ = network(rollout.observation, None, rollout.start)
    distribution, old = network.actions.distribution(outputs), value.detach()
    after = rollout.bootstrap.clone()
    for t in range(29):  # the next row's value where the episode goes on
        on = rollout.goes_on[t].bool()
        after[t, on] = old[t + 1, on]
    lambda_t = 0.9 * rollout.goes_on
    advantage = generalized_advantages(rollout.reward, rollout.discount, old, after, lambda_t)
    valid = rollout.weight > 0
    policy = (-distribution.log_prob(rollout.choice) * advantage)[valid].mean()
    error = ((value - (advantage + old))[valid] ** 2 / 2).mean()
    entropy = distribution.entropy()[valid].mean()
    loss = policy + 0.5 * error - 0.02 * entropy
    for name, term in (("policy_loss", policy), ("value_loss", error), ("entropy", entropy)):
        assert metrics[name].item() == pytest.approx(term.item(), rel=1e-4, abs=1e-5)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 0.1)
    torch.optim.Adam(network.parameters(), lr=0.01, eps=1e-5).step()
    for mine, theirs in zip(agent.network.module.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=2e-4)


@pytest.mark.slow
def test_learns_to_balance_cartpole():
    from agents.loop.evaluation import evaluate
    from agents.presets import find_preset

    preset = find_preset("a2c", "CartPole-v1")
    config = preset.apply(A2CConfig())

    def train(seed):
        agent = A2C("CartPole-v1", config, seed=seed, num_envs=preset.num_envs)
        agent.learn(preset.steps, progress=False)
        return evaluate(agent, episodes=20).mean_return

    assert best_of(train, 475) >= 475
