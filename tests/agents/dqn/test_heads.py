"""DQN with distributions of returns: updates against autograd, and what they learn."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.dqn.rows import Minibatches

ATOMS = 5


class Lottery(gym.Env):
    """One draw: action 3 pays 1 or 5, one to three; action 4 pays 3.5 for sure."""

    metadata = {"render_modes": []}

    def __init__(self, render_mode=None):
        self.observation_space = gym.spaces.Box(1.0, 1.0, (1,), np.float32)
        self.action_space = gym.spaces.Discrete(2, start=3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.ones(1, np.float32), {}

    def step(self, action):
        lucky = self.np_random.random() < 0.75
        reward = 3.5 if action == 4 else 5.0 if lucky else 1.0
        return np.ones(1, np.float32), reward, True, False, {}


class Chain(gym.Env):
    """Three states in a row; the second action skips one. The end pays 1, a step 0.2 or 0.1."""

    metadata = {"render_modes": []}
    OPTIMUM = np.array([[0.2 + 0.5, 0.1 + 0.5], [0.2 + 0.5, 1.0], [1.0, 1.0]])  # discount 0.5

    def __init__(self, render_mode=None):
        self.observation_space = gym.spaces.Discrete(3)
        self.action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = 0
        return 0, {}

    def step(self, action):
        self.state += 1 + int(action)
        over = self.state >= 3
        return min(self.state, 2), 1.0 if over else 0.2 - 0.1 * float(action), over, False, {}


gym.register("Lottery-v0", entry_point=Lottery, disable_env_checker=True)
gym.register("Chain-v0", entry_point=Chain, disable_env_checker=True)


# One update -------------------------------------------------------------------------------------


class PlainNetwork(nn.Module):
    """The same function, written by hand: outputs `[B, 3, ATOMS]`."""

    def __init__(self, dueling):
        super().__init__()
        self.hidden = nn.Linear(6, 16)
        self.value = nn.Linear(16, ATOMS) if dueling else None
        self.advantage = nn.Linear(16, 3 * ATOMS)

    def forward(self, x):
        x = torch.relu(self.hidden(x))
        advantage = self.advantage(x).view(-1, 3, ATOMS)
        if self.value is None:
            return advantage
        return self.value(x).view(-1, 1, ATOMS) + advantage - advantage.mean(1, keepdim=True)


def twin(network, dueling):
    plain = PlainNetwork(dueling)
    for parameter, source in zip(plain.parameters(), network.parameters(), strict=True):
        parameter.data = source.detach().clone()
    return plain


def random_batch(generator):
    weight = torch.rand(3, 8, generator=generator) / 8
    return Minibatches(
        torch.randn(3, 8, 6, generator=generator),
        torch.randint(3, (3, 8), generator=generator),
        2 * torch.randn(3, 8, generator=generator),
        0.9 * (torch.rand(3, 8, generator=generator) > 0.3),
        torch.randn(3, 8, 6, generator=generator),
        weight,
    )


SUPPORT = torch.linspace(-2, 3, ATOMS)


def categorical_loss(outputs, action, reward, discount, after, best):
    """Cross-entropy with the target's triangular projection (equation 7)."""
    logits = outputs[torch.arange(8), action]
    probability = after[torch.arange(8), best].softmax(-1)
    moved = (reward[:, None] + discount[:, None] * SUPPORT).clamp(-2, 3)
    spacing = 5 / (ATOMS - 1)
    share = (1 - (moved[:, None, :] - SUPPORT[:, None]).abs() / spacing).clamp(min=0)
    target = (share * probability[:, None, :]).sum(-1)
    cross = functional.cross_entropy(logits, target, reduction="none")
    return cross, cross + (target * target.clamp(min=1e-30).log()).sum(-1)


def quantile_loss(outputs, action, reward, discount, after, best):
    theta = outputs[torch.arange(8), action]
    target = reward[:, None] + discount[:, None] * after[torch.arange(8), best]
    loss = torch.zeros(8)
    for i in range(ATOMS):
        tau = (i + 0.5) / ATOMS
        for j in range(ATOMS):
            huber = functional.huber_loss(theta[:, i], target[:, j], reduction="none")
            above = target[:, j] < theta[:, i]
            loss = loss + torch.where(above, 1 - tau, tau) * huber / ATOMS
    return loss, loss


REFERENCE = {
    "categorical": (categorical_loss, lambda outputs: outputs.softmax(-1) @ SUPPORT),
    "quantile": (quantile_loss, lambda outputs: outputs.mean(-1)),
}


@pytest.mark.parametrize("double", [False, True], ids=["single", "double"])
@pytest.mark.parametrize("dueling", [False, True], ids=["plain", "dueling"])
@pytest.mark.parametrize("head", REFERENCE)
def test_updates_are_those_of_autograd(head, dueling, double):
    config = DQNConfig(
        hidden=(16,),
        head=head,
        atoms=ATOMS,
        value_range=(-2.0, 3.0),
        dueling=dueling,
        double=double,
    )
    agent = DQN("Acrobot-v1", config, seed=1)  # six numbers, three actions
    generator = torch.Generator().manual_seed(0)
    agent.target.weights.data.add_(
        0.3 * torch.randn(agent.target.weights.data.shape, generator=generator)
    )
    before = agent.online.weights.detach().clone()
    online, target = twin(agent.online.module, dueling), twin(agent.target.module, dueling)
    adam = torch.optim.Adam(online.parameters(), lr=config.learning_rate)
    loss_of, values = REFERENCE[head]
    for _ in range(3):
        batch = random_batch(generator)
        metrics, errors = agent.update(batch)
        for k in range(3):
            with torch.no_grad():
                after = target(batch.next_observation[k])
                chooser = online(batch.next_observation[k]) if double else after
                best = values(chooser).argmax(1)
            outputs = online(batch.observation[k])
            rows = batch.action[k], batch.reward[k], batch.discount[k]
            loss, error = loss_of(outputs, *rows, after, best)
            torch.testing.assert_close(errors[k], error.detach(), rtol=1e-3, atol=1e-5)
            adam.zero_grad()
            (loss * batch.weight[k]).sum().backward()
            minimised = (error.detach() * batch.weight[k]).sum()  # less the entropy of the target
            nn.utils.clip_grad_norm_(online.parameters(), config.max_grad_norm)
            adam.step()
        torch.testing.assert_close(metrics["loss"], minimised, rtol=1e-3, atol=1e-5)
    expected = torch.cat([p.detach().reshape(-1) for p in online.parameters()])
    assert (agent.online.weights.detach() - before).abs().max() > 5e-3
    torch.testing.assert_close(agent.online.weights.detach(), expected, rtol=0, atol=2e-6)


# What is learned --------------------------------------------------------------------------------


def learned(env, steps, **settings):
    config = DQNConfig(
        hidden=(),
        learning_rate=2e-2,
        discount=0.5,
        epsilon_end=1.0,
        learning_starts=100,
        gradient_steps=4,
        target_every=40,
        buffer_size=4000,
        **settings,
    )
    return DQN(env, config, seed=0).learn(steps, progress=False)


@pytest.mark.parametrize("dueling", [False, True], ids=["plain", "dueling"])
@pytest.mark.parametrize("double", [False, True], ids=["single", "double"])
@pytest.mark.parametrize("head", ["categorical", "quantile"])
def test_the_values_of_a_small_world_are_found(head, double, dueling):
    settings = {"atoms": 21, "value_range": (0.0, 2.0), "double": double, "dueling": dueling}
    agent = learned("Chain-v0", 800, head=head, **settings)
    np.testing.assert_allclose(agent.q_values(np.arange(3)), Chain.OPTIMUM, atol=0.03)


def test_probabilities_of_a_lottery_are_learned():
    agent = learned("Lottery-v0", 1000, head="categorical", atoms=9, value_range=(0.0, 8.0))
    with torch.no_grad():
        outputs = agent.online.module(torch.ones(1, 1)).view(2, 9)
    risky, sure = outputs.softmax(-1).numpy()
    seen = agent.replay._fields.reward[: agent.replay.rows]
    lucky = (seen == 5).sum() / (seen != 3.5).sum()
    np.testing.assert_allclose(risky[[1, 5]], [1 - lucky, lucky], atol=0.06)
    np.testing.assert_allclose(sure[[3, 4]], [0.5, 0.5], atol=0.03)  # 3.5 is between two atoms
    assert agent.q_values(np.ones((1, 1), np.float32))[0] == pytest.approx([4.0, 3.5], abs=0.2)


def test_quantiles_of_a_lottery_are_learned():
    agent = learned("Lottery-v0", 1000, head="quantile", atoms=8)
    with torch.no_grad():
        risky, sure = agent.online.module(torch.ones(1, 1)).view(2, 8).numpy()
    np.testing.assert_allclose(sure, 3.5, atol=0.1)
    assert (risky[:1] < 2).all()  # a quarter of the mass at 1, the rest at 5
    assert (risky[3:] > 4).all()
    assert risky[0] < risky[-1]


@pytest.mark.parametrize("head", ["categorical", "quantile"])
def test_acting_on_arrays_is_acting_on_tensors(head):
    """The fast path of small networks gives the same values as the network."""
    agent = DQN("CartPole-v1", DQNConfig(hidden=(8,), head=head, atoms=6))
    assert agent.online._numpy is not None
    observation = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
    fast = agent.q_values(observation)
    agent.online._numpy = None
    np.testing.assert_allclose(agent.q_values(observation), fast, rtol=0, atol=1e-6)
    assert fast.shape == (7, 2)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"head": "c51"}, "head is 'c51': expected one of 'expected', 'categorical', 'quantile'"),
        ({"atoms": 1}, "atoms is 1: expected at least 2"),
        ({"value_range": (1.0, 1.0)}, r"value_range is \(1.0, 1.0\): expected the smaller"),
    ],
)
def test_impossible_settings_are_named(setting, message):
    with pytest.raises(ValueError, match=message):
        DQNConfig(**setting)
