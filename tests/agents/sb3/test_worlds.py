"""Worlds and settings that stable-baselines3's algorithms learn from, or refuse."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_agents import make, names
from stable_baselines3.common.vec_env import DummyVecEnv, VecTransposeImage

import agents
from agents.environments.door import InvalidExperience
from agents.loop.evaluation import evaluate
from agents.loop.experience import Episode
from agents.sb3.networks import PictureEncoder
from nets.layers.mlp import MLP
from nets.networks.encoders import NatureCNN, SmallCNN, image_encoder
from nets.process.seeding import seeded

PIXELS = {  # quick to learn from: pictures of 44 by 44
    "sb3-dqn": {"learning_starts": 100, "buffer_size": 500},
    "sb3-ppo": {"n_steps": 64, "epochs": 1},
}


def test_episodes_come_out_as_records(ledger_length):
    agent = make("sb3-dqn", "Ledger-v0", 2, hidden=(8,))
    stream = agent.stream(5)
    stream.advance(40)
    stream.close()
    expected = []
    for place, copy in enumerate((5, 6)):
        step, number = 0, 0
        while (step := step + ledger_length(copy, number)) <= 20:
            base = 100 * copy + 10 * number
            steps = ledger_length(copy, number)
            total = base * steps + sum(range(steps))  # and a quarter of every action
            expected.append((2 * step, place, total, steps))
            number += 1
    assert len(stream.episodes) == len(expected) > 5
    for episode, (step, _, total, steps) in zip(stream.episodes, sorted(expected), strict=True):
        assert type(episode) is Episode
        assert (episode.step, episode.length) == (step, steps)
        assert 0 <= episode.total_reward - total <= steps / 2
        assert (4 * episode.total_reward) % 1 == 0


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("nan reward", "Faulty-v0 returned the reward nan at step 5"),
        ("infinite observation", r"Faulty-v0 returned observation\[0\] inf at step 5"),
    ],
)
def test_numbers_that_nothing_can_be_learned_from_stop_the_training(fault, message):
    agent = make("sb3-a2c", gym.make("Faulty-v0", fault=fault))
    with pytest.raises(InvalidExperience, match=message):
        agent.learn(20, progress=False)


@pytest.mark.parametrize("encoder", ["auto", "small-cnn", "mlp"])
@pytest.mark.parametrize("name", PIXELS)
def test_our_encoders_learn_from_pictures(name, encoder):
    agent = make(name, "dreamgym/Catch-v0", encoder=encoder, **PIXELS[name])
    assert isinstance(agent.model.env, VecTransposeImage)
    assert agent.model.observation_space.shape == (1, 44, 44)
    policy = agent.model.policy
    extractor = (policy.q_net if name == "sb3-dqn" else policy).features_extractor
    kind = {"auto": NatureCNN, "small-cnn": SmallCNN, "mlp": MLP}[encoder]
    net = extractor.encoder if encoder == "mlp" else extractor.encoder.cnn
    assert type(net) is kind
    before = [p.detach().clone() for p in net.parameters()]
    agent.learn(200, progress=False)
    assert all(not torch.equal(p, q) for p, q in zip(before, net.parameters(), strict=True))
    pictures = np.random.default_rng(0).integers(0, 256, (3, 44, 44, 1), np.uint8)
    actions, _ = agent.predict(pictures, deterministic=True)
    turned, _ = agent.model.predict(pictures.transpose(0, 3, 1, 2), deterministic=True)
    np.testing.assert_array_equal(actions, turned)
    result = evaluate(agent, episodes=3)
    assert set(result.returns) <= {-1.0, 1.0}


@pytest.mark.parametrize(
    ("space", "channels_first"),
    [
        (spaces.Box(0, 1, (10, 12, 4), np.bool_), lambda x: x.permute(0, 3, 1, 2).float()),
        (spaces.Box(0, 255, (20, 16), np.uint8), lambda x: x.unsqueeze(1)),
        (spaces.Box(-1, 1, (20, 16, 2), np.float32), lambda x: x.permute(0, 3, 1, 2)),
    ],
)
def test_pictures_that_stable_baselines3_does_not_know_reach_our_encoder_in_order(
    space, channels_first
):
    space.seed(0)
    x = torch.from_numpy(np.stack([space.sample() for _ in range(3)]))
    with seeded(1):
        encoder = PictureEncoder(space)
    with seeded(1):
        reference = image_encoder(tuple(channels_first(x).shape[1:]))
    torch.testing.assert_close(encoder(x.float()), reference(channels_first(x)))


@pytest.mark.parametrize("encoder", ["auto", "mlp"])
def test_states_are_unit_vectors(encoder):
    agent = make("sb3-ppo", "dreamgym/Cliff-v0", encoder=encoder, n_steps=32, batch_size=32)
    agent.learn(64, progress=False)
    first = next(p for p in agent.model.policy.parameters() if p.dim() == 2)
    assert first.shape[1] == agent.observation_space.n
    assert agent.predict(np.array([3, 4]), deterministic=True)[0].shape == (2,)


@pytest.mark.parametrize("name", ["sb3-sac", "sb3-td3"])
def test_critics_join_actions_to_what_a_cnn_saw(name):
    class Seen(gym.Env):
        observation_space = spaces.Box(0, 255, (16, 16, 1), np.uint8)
        action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

        def reset(self, *, seed=None, options=None):
            return np.zeros((16, 16, 1), np.uint8), {}

    with pytest.warns(UserWarning, match="cannot be made anew"):
        agent = make(name, Seen(), hidden=(32,), buffer_size=10)
    first, *rest = (p for p in agent.model.critic.q_networks[0].parameters() if p.dim() == 2)
    assert first.shape == (32, SmallCNN((1, 16, 16)).out_features + 2)
    assert [tuple(p.shape) for p in rest] == [(1, 32)]


@names
def test_worlds_that_do_not_fit_are_refused(name):
    continuous = name in ("sb3-sac", "sb3-td3")
    if name in ("sb3-dqn", "sb3-sac", "sb3-td3"):
        with pytest.raises(TypeError, match=rf"has actions .*: {name} needs"):
            make(name, "CartPole-v1" if continuous else "Pendulum-v1")
    with pytest.raises(TypeError, match=r"Blackjack-v1 has observations Tuple.*needs Box"):
        make(name, "Blackjack-v1")
    vector = gym.wrappers.vector.RecordEpisodeStatistics(gym.make_vec("CartPole-v1", 2))
    if not continuous:
        made = pytest.warns(UserWarning, match="cannot be made anew")
        with made, pytest.raises(TypeError, match="needs an id, or an"):
            make(name, vector)
    vector.close()


def test_a_vector_environment_is_made_again_in_stable_baselines3_s_way():
    vector = gym.make_vec("CartPole-v1", 3)
    agent = make("sb3-a2c", vector)
    assert agent.learn(30, progress=False).steps == 30
    assert isinstance(agent.model.env, DummyVecEnv)
    assert agent.model.env.num_envs == 3
    vector.close()


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("sb3-ppo", {"discount": 1.5}, r"discount is 1.5: expected a number in \[0, 1\]"),
        ("sb3-ppo", {"batch_size": 1}, "batch_size is 1: expected at least 2"),
        ("sb3-ppo", {"clip": 0.0}, "clip is 0.0: expected more than 0"),
        ("sb3-ppo", {"n_steps": 0}, "n_steps is 0: expected at least 1"),
        (
            "sb3-a2c",
            {"encoder": "lstm"},
            "encoder is 'lstm': expected one of 'auto', 'mlp', 'nature'",
        ),
        ("sb3-a2c", {"activation": "rleu"}, "did you mean 'relu'"),
        ("sb3-a2c", {"encoder": "nature"}, "encoder 'nature' needs pictures"),
        ("sb3-dqn", {"epsilon_end": -0.1}, "epsilon_end is -0.1"),
        ("sb3-dqn", {"target_rate": 0.0}, "target_rate is 0.0"),
        ("sb3-dqn", {"encoder": "mlp", "hidden": ()}, r"hidden is \(\): expected at least 1"),
        ("sb3-sac", {"hidden": ()}, r"hidden is \(\): expected at least 1"),
        ("sb3-sac", {"entropy_coefficient": -1.0}, "entropy_coefficient is -1.0"),
        ("sb3-td3", {"encoder": "mlp", "hidden": (8,)}, "expected at least 2 layers"),
        ("sb3-td3", {"policy_delay": 0}, "policy_delay is 0"),
    ],
)
def test_settings_that_cannot_work_are_named(name, settings, message):
    with pytest.raises(ValueError, match=message):
        make(name, **settings)


def test_a_rollout_of_one_row_cannot_be_normalised():
    with pytest.raises(ValueError, match="n_steps is 1 on 1 environment"):
        make("sb3-ppo", num_envs=1, n_steps=1)
    make("sb3-ppo", num_envs=1, n_steps=1, batch_size=1, normalize_advantage=False)


def test_the_entropy_s_weight_is_learned_or_given(tmp_path):
    learned, given = make("sb3-sac"), make("sb3-sac", entropy_coefficient=0.25)
    for agent in (learned, given):
        agent.learn(40, progress=False).save(tmp_path / "agent.pt")
        loaded = agents.load(tmp_path / "agent.pt", device="cpu")
        if agent is learned:
            assert torch.equal(loaded.model.log_ent_coef, agent.model.log_ent_coef)
            assert loaded.model.log_ent_coef.item() != 0.0  # where it began
        else:
            assert loaded.model.ent_coef_tensor.item() == 0.25
            assert loaded.model.log_ent_coef is None
