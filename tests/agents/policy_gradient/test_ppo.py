"""PPO's update against the same written with autograd and torch's Adam; its settings."""

from copy import deepcopy
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from learning import best_of
from rollouts import gathered

from agents.equations.losses import importance_ratio
from agents.loop.evaluation import evaluate
from agents.loop.run import RunConfig
from agents.policy_gradient.ppo import PPO, PPOConfig
from agents.presets import find_preset


def advantages(rollout, value, lambda_):
    """Generalised advantages, one environment at a time, in double precision."""
    r, d, on = (x.double().numpy() for x in (rollout.reward, rollout.discount, rollout.goes_on))
    after = rollout.bootstrap.double().numpy()
    v = value.double().numpy()
    found = np.zeros_like(r)
    for b in range(r.shape[1]):
        following = 0.0
        for t in reversed(range(len(r))):
            v_t = v[t + 1, b] if on[t, b] else after[t, b]
            following = r[t, b] + d[t, b] * v_t - v[t, b] + d[t, b] * lambda_ * on[t, b] * following
            found[t, b] = following
    return torch.from_numpy(found)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
@pytest.mark.parametrize(
    ("encoder", "kernel"), [("mlp", "torch"), ("gru", "torch"), ("mlp", "fused")]
)
@pytest.mark.parametrize("value_clip", [None, 0.01])
def test_A_PG_05_an_update_is_adam_on_the_published_objective_and_logs_it(
    env_id, encoder, kernel, value_clip
):
    """Two epochs of a rollout with terminated, truncated and open episodes, in double precision."""
    if kernel == "fused":
        pytest.importorskip("numba")
    config = PPOConfig(
        n_steps=30,
        batch_size=1000,
        epochs=2,
        encoder=encoder,
        hidden=(8,),
        memory_size=5,
        entropy_coefficient=0.02,
        value_clip=value_clip,
        learning_rate=0.01,
        log_std=-0.5 if env_id == "Pendulum-v1" else 0.0,
        kernel=kernel,
    )
    agent = PPO(gym.make(env_id, max_episode_steps=11), config, num_envs=3)
    rollout = gathered(agent)
    assert 0 < ((rollout.goes_on == 0) & (rollout.discount > 0)).sum() < 30
    network = deepcopy(agent.network.module).double()
    metrics = agent.update(rollout)

    observation, starts = rollout.observation.double(), rollout.start
    choice = rollout.choice.double() if rollout.choice.is_floating_point() else rollout.choice
    valid = rollout.weight > 0
    adam = torch.optim.Adam(network.parameters(), lr=0.01, eps=1e-5)
    old = None
    for _ in range(2):
        outputs, value, _ = network(observation, None, starts)
        distribution = network.actions.distribution(outputs)
        log_prob = distribution.log_prob(choice)
        if old is None:
            old = log_prob.detach(), value.detach()
            raw = advantages(rollout, old[1], config.gae_lambda)
            target = raw + old[1]
            advantage = (raw - raw[valid].mean()) / raw[valid].std(correction=0)
        ratio = (log_prob - old[0]).exp()
        policy = -torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage)
        error = (value - target) ** 2 / 2
        if value_clip is not None:
            near = value.clamp(old[1] - value_clip, old[1] + value_clip)
            error = torch.maximum(error, (near - target) ** 2 / 2)
        terms = {"policy_loss": policy, "value_loss": error, "entropy": distribution.entropy()}
        means = {name: term[valid].mean() for name, term in terms.items()}
        loss = means["policy_loss"] + 0.5 * means["value_loss"] - 0.02 * means["entropy"]
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        adam.step()
    for name, mean in means.items():
        assert float(metrics[name]) == pytest.approx(mean.item(), rel=1e-4, abs=1e-4)
    for (name, mine), theirs in zip(
        agent.network.module.named_parameters(), network.parameters(), strict=True
    ):
        torch.testing.assert_close(
            mine.double(), theirs, rtol=1e-3, atol=2e-4, msg=lambda m, name=name: f"{name}: {m}"
        )


@pytest.mark.parametrize("encoder", ["mlp", "lstm"])
def test_every_epoch_visits_every_column_once(encoder):
    agent = PPO(
        "CartPole-v1", PPOConfig(n_steps=6, batch_size=12, epochs=3, encoder=encoder), num_envs=5
    )
    batch = agent._prepare(gathered(agent))
    state = torch.arange(5.0).expand(2, 1, 5).unsqueeze(-1) if encoder == "lstm" else None
    parts = list(agent._minibatches(batch, state))
    per_epoch = 3  # 5 sequences by 2, or 30 rows by 12
    assert len(parts) == 3 * per_epoch
    orders = []
    for epoch in range(3):
        some = parts[epoch * per_epoch : (epoch + 1) * per_epoch]
        columns = torch.cat([part.value for part, _ in some], 1)
        orders.append(columns)
        torch.testing.assert_close(columns.sort(1).values, batch.value.sort(1).values)
        for part, _ in some:
            assert part.weight.sum().item() == pytest.approx(1.0)
        if state is not None:  # the memory's state travels with its sequence
            index = torch.cat([s for _, s in some], 2)[0, 0, :, 0].long()
            torch.testing.assert_close(columns, batch.value[:, index])
    assert not torch.equal(orders[0], orders[1])


@pytest.mark.parametrize("encoder", ["mlp", "lstm"])
@pytest.mark.parametrize("over", ["rollout", "minibatch"])
def test_advantages_have_mean_0_and_variance_1_over_what_they_are_normalized_over(over, encoder):
    config = PPOConfig(n_steps=12, batch_size=24, encoder=encoder, normalize_over=over)
    agent = PPO(gym.make("CartPole-v1", max_episode_steps=7), config, num_envs=5)
    rollout = gathered(agent)
    batch = agent._prepare(rollout)
    parts = [part for part, _ in agent._minibatches(batch, rollout.state)]
    moments = np.array(
        [
            (a.mean(), a.std())
            for a in [batch.advantage[batch.weight > 0].double().numpy()]
            + [part.advantage[part.weight > 0].double().numpy() for part in parts]
        ]
    )
    assert (rollout.weight == 0).any()
    is_standard = np.isclose(moments, (0.0, 1.0), atol=1e-5).all(axis=1)
    assert is_standard.tolist() == [over == "rollout"] + [over == "minibatch"] * len(parts)


def test_target_kl_ends_the_epochs():
    steps = {}
    for target in (None, 1e-4):
        config = PPOConfig(
            n_steps=32, batch_size=64, epochs=5, learning_rate=0.01, target_kl=target
        )
        agent = PPO("CartPole-v1", config, num_envs=4)
        agent.learn(128, progress=False)
        steps[target] = agent.optimizer.state_dict()["state"][0]["step"].item()
    assert steps[None] == 10
    assert 1 <= steps[1e-4] < 5


def test_rate_and_clip_anneal_to_zero():
    """A slope −ρA is cut to 0 where ρ has gone further than the clip that is left, on A's side."""
    config = PPOConfig(n_steps=10, batch_size=1000, anneal_steps=400, learning_rate=0.03)
    agent, rates, slopes = PPO("CartPole-v1", config, num_envs=4), [], []
    descend = agent.descend

    def spy(outputs, distribution, choice, *, policy, **rest):
        rates.append(agent.optimizer.param_groups[0]["lr"])
        slopes.append((distribution.log_prob(choice), policy.slope))
        descend(outputs, distribution, choice, policy=policy, **rest)

    agent.descend = spy
    agent.learn(480, progress=False)
    left = np.maximum(1 - np.arange(40, 481, 40) / 400, 0)
    np.testing.assert_allclose(rates, 0.03 * left.repeat(config.epochs), atol=1e-12)
    annealed = 0
    for update, share in enumerate(left):
        (old, whole), *later = slopes[update * config.epochs : (update + 1) * config.epochs]
        for log_prob, slope in later:
            ratio = importance_ratio(log_prob, old)
            gone = (1 - ratio) * whole.sign()  # how far ρ has moved to where the advantage is
            expected = ratio * whole * (gone < 0.2 * share)
            sure = (gone - 0.2 * share).abs() > 1e-5  # ρ is known to rounding
            torch.testing.assert_close(slope[sure], expected[sure])
            annealed += int((sure & (gone > 0.2 * share) & (gone < 0.2)).sum())
    assert annealed > 0
    weights = agent.network.weights.detach().clone()
    agent.learn(80, progress=False)
    assert torch.equal(weights, agent.network.weights)


def test_segments_hold_whole_rollouts():
    agent = PPO("CartPole-v1", PPOConfig(n_steps=300), num_envs=8)
    assert RunConfig.default(agent, 1_000_000).segment_steps == 50_400  # 21 times 2,400


class Answer(gym.Env):
    """Shows one of four states and pays 1 for the action that belongs to it, for twenty steps.

    The best constant action earns 10 at most.
    """

    metadata = {"render_modes": []}
    KINDS = {
        "multi-discrete": (gym.spaces.MultiDiscrete([4, 3]), lambda s: (s, s % 3)),
        "multi-binary": (gym.spaces.MultiBinary(2), lambda s: (s // 2, s % 2)),
        "box": (gym.spaces.Box(-2.0, 2.0, (1,)), lambda s: (0.9 * s - 1.35,)),
    }

    def __init__(self, kind, render_mode=None):
        self.observation_space = gym.spaces.Discrete(4)
        self.action_space, self.answer = self.KINDS[kind]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self._next(), {}

    def step(self, action):
        wrong = np.abs(action - np.array(self.answer(self.state))).clip(0, 1)
        return self._next(), float(1 - wrong.mean()), False, False, {}

    def _next(self):
        self.state = int(self.np_random.integers(4))
        return self.state


gym.register("Answer-v0", entry_point=Answer, max_episode_steps=20, disable_env_checker=True)


@pytest.mark.parametrize(
    ("kind", "squash"),
    [("multi-discrete", False), ("multi-binary", False), ("box", False), ("box", True)],
)
def test_every_kind_of_action_is_learned(kind, squash):
    often = {"n_steps": 64, "epochs": 4, "batch_size": 256}
    config = PPOConfig(learning_rate=5e-3, discount=0.0, squash=squash, **often)

    def train(seed):
        agent = PPO(gym.make("Answer-v0", kind=kind), config, seed=seed)
        agent.learn(12_000, progress=False)
        return evaluate(agent, episodes=10).mean_return

    assert best_of(train, 16.5) >= 16.5


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["torch", "fused"])
def test_learns_to_balance_cartpole(kernel):
    if kernel == "fused":
        pytest.importorskip("numba")
    preset = find_preset("ppo", "CartPole-v1")
    config = replace(preset.apply(PPOConfig()), kernel=kernel)

    def train(seed):
        agent = PPO("CartPole-v1", config, seed=seed, num_envs=preset.num_envs)
        agent.learn(preset.steps, progress=False)
        return evaluate(agent, episodes=20).mean_return

    assert best_of(train, 475) >= 475


@pytest.mark.slow
def test_pushes_a_mass_within_two_percent_of_the_riccati_optimum():
    preset = find_preset("ppo", "dreamgym/PointMass-v0")
    config = preset.apply(PPOConfig())
    world = gym.make("envs:dreamgym/PointMass-v0").unwrapped
    optimum = world.dynamics.optimal_return(config.discount)
    assert optimum == pytest.approx(-11.3759, abs=1e-4)

    def train(seed):
        agent = PPO("dreamgym/PointMass-v0", config, seed=seed, num_envs=preset.num_envs)
        agent.learn(preset.steps, progress=False)
        return evaluate(agent, episodes=1).discounted_return

    assert 1.02 * optimum <= best_of(train, 1.02 * optimum) <= optimum + 1e-3
