"""DQN's updates against autograd, and when they happen."""

import copy
from dataclasses import replace

import gymnasium as gym
import pytest
import small_worlds  # noqa: F401  # registers Vectors-v0
import torch
from torch import nn
from torch.nn import functional

from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.dqn.rows import Minibatches
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer

# One update -------------------------------------------------------------------------------------


class PlainNetwork(nn.Module):
    """The same function, written by hand."""

    def __init__(self, dueling):
        super().__init__()
        self.first, self.second = nn.Linear(5, 16), nn.Linear(16, 16)
        self.value = nn.Linear(16, 1) if dueling else None
        self.advantage = nn.Linear(16, 3)

    def forward(self, x):
        x = torch.relu(self.second(torch.relu(self.first(x))))
        if self.value is None:
            return self.advantage(x)
        advantage = self.advantage(x)
        return self.value(x) + advantage - advantage.mean(1, keepdim=True)


def twin(network, dueling):
    """A plain network with the parameters of `network`."""
    plain = PlainNetwork(dueling)
    for parameter, source in zip(plain.parameters(), network.parameters(), strict=True):
        parameter.data = source.detach().clone()
    return plain


def random_batch(generator, picture=False):
    """Three minibatches of eight rows; actions from 4, some rows terminated."""
    shape = (3, 8, 12, 14, 2) if picture else (3, 8, 5)

    def observation():
        noise = torch.randn(shape, generator=generator)
        return (noise.abs() * 90).clamp(max=255).to(torch.uint8) if picture else noise

    return Minibatches(
        observation(),
        torch.randint(4, 7, (3, 8), generator=generator),
        2 * torch.randn(3, 8, generator=generator),
        0.9 * (torch.rand(3, 8, generator=generator) > 0.3),
        observation(),
        torch.full((3, 8), 1 / 8),
    )


def plain_update(online, target, adam, batch, config):
    """DQN's update as in the paper, by autograd."""
    for k in range(len(batch.reward)):
        action = (batch.action[k] - 4).unsqueeze(1)
        with torch.no_grad():
            q_next = target(batch.next_observation[k])
            chooser = online(batch.next_observation[k]) if config.double else q_next
            best = q_next.gather(1, chooser.argmax(1, keepdim=True)).squeeze(1)
            y = batch.reward[k] + batch.discount[k] * best
        q = online(batch.observation[k]).gather(1, action).squeeze(1)
        loss = {"huber": functional.smooth_l1_loss, "mse": functional.mse_loss}[config.loss](q, y)
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(online.parameters(), config.max_grad_norm)
        adam.step()


@pytest.mark.parametrize("max_grad_norm", [100.0, 0.05])
@pytest.mark.parametrize("loss", ["huber", "mse"])
@pytest.mark.parametrize("dueling", [False, True], ids=["plain", "dueling"])
@pytest.mark.parametrize("double", [False, True], ids=["single", "double"])
def test_A_FA_02_A_FA_03_updates_are_those_of_autograd(double, dueling, loss, max_grad_norm):
    config = DQNConfig(
        hidden=(16, 16), double=double, dueling=dueling, loss=loss, max_grad_norm=max_grad_norm
    )
    agent = DQN("Vectors-v0", config, seed=1)
    generator = torch.Generator().manual_seed(0)
    agent.target.weights.data.add_(
        0.3 * torch.randn(agent.target.weights.data.shape, generator=generator)
    )
    online, target = twin(agent.online.module, dueling), twin(agent.target.module, dueling)
    adam = torch.optim.Adam(online.parameters(), lr=config.learning_rate)
    before = agent.online.weights.detach().clone()
    for _ in range(4):
        batch = random_batch(generator)
        agent.update(batch)
        plain_update(online, target, adam, batch, config)
    expected = torch.cat([p.detach().reshape(-1) for p in online.parameters()])
    moved = (agent.online.weights.detach() - before).abs().max()
    assert moved > 5e-3
    torch.testing.assert_close(agent.online.weights.detach(), expected, rtol=0, atol=1e-6)
    assert agent.updates == 12


@pytest.mark.parametrize("double", [False, True], ids=["single", "double"])
def test_A_FA_02_updates_of_a_cnn_are_those_of_autograd(double):
    config = DQNConfig(double=double, encoder="small-cnn", learning_rate=1e-4)
    agent = DQN(gym.make("Vectors-v0", picture=True), config, seed=1)
    generator = torch.Generator().manual_seed(0)
    agent.target.weights.data.mul_(1.1)
    online, target = copy.deepcopy(agent.online.module), copy.deepcopy(agent.target.module)
    adam = torch.optim.Adam(online.parameters(), lr=config.learning_rate)
    for _ in range(2):
        batch = random_batch(generator, picture=True)
        agent.update(batch)
        plain_update(online, target, adam, batch, config)
    expected = torch.cat([p.detach().reshape(-1) for p in online.parameters()])
    torch.testing.assert_close(agent.online.weights.detach(), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("loss", "torchs"), [("huber", functional.smooth_l1_loss), ("mse", functional.mse_loss)]
)
def test_A_FA_02_metrics_describe_the_last_minibatch(loss, torchs):
    config = DQNConfig(hidden=(16, 16), double=False, loss=loss, learning_rate=1e-12)
    agent = DQN("Vectors-v0", config, seed=1)
    batch = random_batch(torch.Generator().manual_seed(0))
    metrics, errors = agent.update(batch)
    plain = twin(agent.online.module, False)
    q = plain(batch.observation[2])
    y = batch.reward[2] + batch.discount[2] * plain(batch.next_observation[2]).amax(1)
    error = q.gather(1, (batch.action[2] - 4).unsqueeze(1)).squeeze(1) - y
    torch.testing.assert_close(metrics["loss"], torchs(error, torch.zeros(8)).detach())
    torch.testing.assert_close(metrics["td_error"], error.detach().abs().mean())
    torch.testing.assert_close(metrics["value"], q.detach().amax(1).mean())
    torch.testing.assert_close(errors[2], error.detach().abs())
    assert errors.shape == (3, 8)
    assert metrics["epsilon"] == 1.0


# When updates happen ----------------------------------------------------------------------------


@pytest.mark.parametrize("num_envs", [None, 3, 8])
@pytest.mark.parametrize(("train_every", "gradient_steps"), [(1, 1), (4, 2), (6, 1), (64, 3)])
def test_updates_per_step_do_not_depend_on_the_number_of_copies(
    num_envs, train_every, gradient_steps
):
    config = DQNConfig(
        hidden=(4,),
        batch_size=2,
        learning_starts=48,
        train_every=train_every,
        gradient_steps=gradient_steps,
    )
    agent = DQN("Vectors-v0", config, num_envs=num_envs)
    agent.learn(240, progress=False)
    begun = 48 if train_every < 48 else 64
    due = 240 // train_every - (begun - (num_envs or 1)) // train_every
    assert agent.updates == due * gradient_steps
    assert agent.steps == agent.replay.rows == 240


def hold_still(agent):
    """Replace learning by one step of +1 on every weight, and record the target's weight."""
    history = []
    agent.online.weights.data.zero_()
    agent.target.weights.data.zero_()

    def update(batch):
        agent.online.weights.data.add_(len(batch.reward))
        agent.updates += len(batch.reward)
        return {}, batch.weight

    agent.update = update
    return history, lambda progress: history.append(agent.target.weights.data[0].item())


@pytest.mark.parametrize(("train_every", "target_every"), [(4, 20), (4, 30), (16, 10), (7, 5)])
def test_A_FA_02_hard_targets_are_copied_when_due_whatever_the_bursts(train_every, target_every):
    config = DQNConfig(
        hidden=(4,),
        batch_size=2,
        learning_starts=1,
        train_every=train_every,
        target_every=target_every,
    )
    agent = DQN("Vectors-v0", config)
    history, callback = hold_still(agent)
    agent.learn(100, callback, progress=False)
    # at each multiple of target_every, the target takes the weights of the updates before it
    expected = [
        float((step // target_every * target_every - 1) // train_every)
        if step >= target_every
        else 0.0
        for step in range(1, 101)
    ]
    assert history == expected


def test_A_FA_02_soft_targets_follow_at_every_update():
    rate = 0.2
    config = DQNConfig(
        hidden=(4,),
        batch_size=2,
        learning_starts=1,
        train_every=5,
        gradient_steps=2,
        target_rate=rate,
        target_every=3,
    )
    agent = DQN("Vectors-v0", config)
    history, callback = hold_still(agent)
    agent.learn(40, callback, progress=False)
    target, expected = 0.0, []
    for step in range(1, 41):
        if step % 5 == 0:
            for online in (2 * step // 5 - 1, 2 * step // 5):
                target = (1 - rate) * target + rate * online
        expected.append(target)
    assert history == pytest.approx(expected, rel=1e-5)


# Precision --------------------------------------------------------------------------------------


def test_S_IO_02_bfloat16_repeats_and_resumes_exactly(tmp_path):
    config = DQNConfig(
        precision="bfloat16", learning_starts=8, train_every=2, batch_size=4, buffer_size=100
    )
    cut = RunConfig(steps=48, segment_steps=16, log_every=16, eval_every=0)

    def train(folder, *ends):
        for end in ends:
            agent = DQN("dreamgym/Bricks-v0", config, seed=3, device="cpu")
            Trainer(agent, RunFolder(tmp_path / folder), cut, progress=False).run(end)
        return agent

    whole, parts = train("whole", 48), train("parts", 16, 48)
    fresh = DQN("dreamgym/Bricks-v0", config, seed=3, device="cpu")
    assert whole.updates == 21
    assert not torch.equal(whole.online.weights, fresh.online.weights)
    assert torch.equal(whole.online.weights, parts.online.weights)
    other = DQN("dreamgym/Bricks-v0", replace(config, precision="float32"), seed=3, device="cpu")
    other.learn(48, progress=False)
    assert not torch.equal(whole.online.weights, other.online.weights)
