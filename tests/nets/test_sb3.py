"""Our encoders trained by SB3's own algorithms."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from learning import best_of
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.preprocessing import preprocess_obs
from torch import nn

from nets.layers.init import init_
from nets.layers.mlp import MLP
from nets.networks.encoders import ImpalaCNN, NatureCNN, SmallCNN
from nets.sb3 import EncoderExtractor, sb3_extractor


class Lamp(gym.Env):
    """A lit square stands left or right in a noisy picture; name its side. Eight rounds."""

    action_space = spaces.Discrete(2)
    observation_space = spaces.Box(0, 255, (1, 12, 12), np.uint8)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.rounds = 0
        return self._picture(), {}

    def step(self, action):
        reward = float(action == self.side)
        self.rounds += 1
        return self._picture(), reward, self.rounds == 8, False, {}

    def _picture(self):
        self.side = int(self.np_random.integers(2))
        picture = self.np_random.integers(0, 60, (1, 12, 12)).astype(np.uint8)
        row, column = self.np_random.integers(0, 9), self.np_random.integers(0, 3) + 6 * self.side
        picture[0, row : row + 3, column : column + 3] = 255
        return picture


DQN_SETTINGS = {"learning_starts": 100, "train_freq": 4, "learning_rate": 1e-3}
ALGORITHMS = {
    "ppo": (PPO, {"n_steps": 128, "batch_size": 64, "n_epochs": 8, "learning_rate": 1e-3}),
    "dqn": (DQN, {**DQN_SETTINGS, "target_update_interval": 100}),
}
TASKS = {
    "cartpole": ("MlpPolicy", lambda: gym.make("CartPole-v1"), "mlp"),
    "lamp": ("CnnPolicy", Lamp, "small-cnn"),
}


def make(algorithm, task, seed=0, **arguments):
    build, settings = ALGORITHMS[algorithm]
    policy, env, name = TASKS[task]
    policy_kwargs = dict(**sb3_extractor(name, **arguments))
    return build(policy, env(), policy_kwargs=policy_kwargs, seed=seed, device="cpu", **settings)


def encoder_of(model):
    policy = model.policy
    return (policy.q_net if isinstance(model, DQN) else policy).features_extractor.encoder


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_encoders_train_inside_sb3_and_come_back_from_a_file(algorithm, task, tmp_path):
    model = make(algorithm, task)
    encoder = encoder_of(model)
    assert type(encoder) is (MLP if task == "cartpole" else SmallCNN)
    before = {name: p.detach().clone() for name, p in encoder.named_parameters()}
    flowed = dict.fromkeys(before, 0.0)
    for name, parameter in encoder.named_parameters():
        parameter.register_hook(
            lambda grad, name=name: flowed.update({name: flowed[name] + grad.abs().sum().item()})
        )
    model.learn(1_024)
    for name, parameter in encoder.named_parameters():
        assert flowed[name] > 0, name
        assert not torch.equal(parameter, before[name]), name
        assert parameter.isfinite().all()

    model.save(tmp_path / "model")
    loaded = type(model).load(tmp_path / "model", device="cpu")
    for name, value in encoder_of(loaded).state_dict().items():
        assert torch.equal(value, encoder.state_dict()[name])
    batch = np.stack([model.observation_space.sample() for _ in range(64)])
    actions, _ = model.predict(batch, deterministic=True)
    assert np.array_equal(loaded.predict(batch, deterministic=True)[0], actions)
    fresh = make(algorithm, task)
    assert not torch.equal(next(encoder_of(fresh).parameters()), next(encoder.parameters()))


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_encoder_of_images_learns_inside_sb3(algorithm):
    def train(seed):
        model = make(algorithm, "lamp", seed).learn(2_500)
        return evaluate_policy(model, model.get_env(), 20)[0]

    assert best_of(train, 7) >= 7  # chance is 4 of 8


@pytest.mark.slow
def test_ppo_with_our_encoder_learns_cartpole():
    def train(seed):
        env = make_vec_env("CartPole-v1", 8, seed=seed)
        model = PPO(
            "MlpPolicy",
            env,
            policy_kwargs=dict(**sb3_extractor("mlp")),
            n_steps=32,
            batch_size=256,
            n_epochs=20,
            gae_lambda=0.8,
            gamma=0.98,
            learning_rate=lambda remaining: 1e-3 * remaining,
            clip_range=lambda remaining: 0.2 * remaining,
            seed=seed,
            device="cpu",
        )
        return evaluate_policy(model.learn(40_000), env, 20)[0]

    assert best_of(train, 195) >= 195  # one that learns nothing balances for 10 to 100 steps


@pytest.mark.parametrize("algorithm", [A2C, PPO])
@pytest.mark.parametrize("ortho_init", [True, False])
def test_sb3_leaves_the_encoders_initialisation_alone(algorithm, ortho_init):
    def encoder(space):
        return init_(NatureCNN(space.shape, out_features=8), "ones")

    env = gym.wrappers.TransformObservation(
        Lamp(),
        lambda picture: picture.repeat(3, 1).repeat(3, 2),
        spaces.Box(0, 255, (1, 36, 36), np.uint8),
    )
    kwargs = dict(**sb3_extractor(encoder), ortho_init=ortho_init)
    policy = algorithm("CnnPolicy", env, policy_kwargs=kwargs, device="cpu").policy
    for name, parameter in policy.features_extractor.encoder.named_parameters():
        assert (parameter == (1 if name.endswith("weight") else 0)).all(), name
    gain = torch.linalg.matrix_norm(policy.value_net.weight, 2).item()
    assert (gain == pytest.approx(1.0, abs=1e-5)) is ortho_init  # SB3 still sets up its own


def test_other_functions_still_reach_the_encoder():
    extractor = EncoderExtractor(spaces.Box(-1, 1, (3,)), "mlp", {})
    extractor.apply(
        lambda module: nn.init.zeros_(module.weight) if hasattr(module, "weight") else None
    )
    assert all((layer.weight == 0).all() for layer in extractor.encoder if hasattr(layer, "weight"))


def test_images_reach_the_encoder_scaled_once():
    model = make("dqn", "lamp")
    seen = []
    encoder_of(model).register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    picture = np.full((1, 12, 12), 255, np.uint8)
    picture[0, 0, 0] = 51
    values = model.q_net(model.policy.obs_to_tensor(picture)[0])
    assert (seen[0].dtype, seen[0].max().item()) == (torch.float32, 1.0)
    assert seen[0].min().item() == pytest.approx(0.2)
    features = encoder_of(model)(torch.from_numpy(picture)[None])  # uint8, scaled by ours
    torch.testing.assert_close(model.q_net.q_net(features), values)


IMAGE = spaces.Box(0, 255, (4, 40, 40), np.uint8)
FLAT = spaces.Box(-1, 1, (6,))


@pytest.mark.parametrize(
    ("encoder", "arguments", "space", "kind", "out_features"),
    [
        ("nature", {}, IMAGE, NatureCNN, 512),
        ("Impala", {"out_features": 32}, IMAGE, ImpalaCNN, 32),
        ("small", {}, IMAGE, SmallCNN, 128),
        ("mlp", {}, FLAT, MLP, 64),
        ("MLP", {"hidden": (5, 9), "activation": "relu"}, FLAT, MLP, 9),
        ("mlp", {}, IMAGE, MLP, 64),
        ("mlp", {}, spaces.Discrete(7), MLP, 64),
        ("mlp", {}, spaces.Box(-1, 1, (3, 2)), MLP, 64),
        (NatureCNN, {"out_features": 16}, IMAGE, NatureCNN, 16),
        (MLP, {"hidden": (8,), "out_features": 4}, FLAT, MLP, 4),
        (MLP, {"hidden": (8,)}, spaces.MultiDiscrete([3, 2]), MLP, 8),
        (lambda space: MLP(space.shape[0], (3,)), {}, FLAT, MLP, 3),
        (lambda space, size: MLP(space.shape[0], (size,)), {"size": 7}, FLAT, MLP, 7),
    ],
)
def test_encoders_by_name_class_and_function(encoder, arguments, space, kind, out_features):
    kwargs = sb3_extractor(encoder, **arguments)
    extractor = kwargs["features_extractor_class"](space, **kwargs["features_extractor_kwargs"])
    assert type(extractor.encoder) is kind
    samples = torch.as_tensor(np.stack([space.sample() for _ in range(3)]))
    features = extractor(preprocess_obs(samples, space))
    assert features.shape == (3, extractor.features_dim) == (3, out_features)


def test_layers_of_sb3_between_encoder_and_output():
    def ppo(**kwargs):
        return PPO("MlpPolicy", "CartPole-v1", policy_kwargs=kwargs, device="cpu").policy

    policy = ppo(**sb3_extractor("mlp"))
    assert [layer.out_features for layer in policy.mlp_extractor.value_net[::2]] == [64]
    policy = ppo(**sb3_extractor(MLP, hidden=(48,)))
    assert policy.action_net.in_features == policy.value_net.in_features == 48
    policy = ppo(**sb3_extractor("mlp", net_arch={"pi": [16], "vf": [24]}))
    assert (policy.action_net.in_features, policy.value_net.in_features) == (16, 24)
    q_net = DQN("MlpPolicy", "CartPole-v1", policy_kwargs=sb3_extractor("mlp")).q_net.q_net
    assert [tuple(layer.weight.shape) for layer in q_net[::2]] == [(64, 64), (2, 64)]
    assert sb3_extractor("nature")["net_arch"] == []


def test_dictionaries_are_for_functions():
    class Pair(nn.Module):
        out_features = 5

        def forward(self, observations):
            return torch.cat([observations["a"], observations["b"]], 1)

    space = spaces.Dict({"a": spaces.Box(-1, 1, (2,)), "b": spaces.Box(-1, 1, (3,))})
    extractor = EncoderExtractor(space, lambda space: Pair(), {})
    assert extractor({"a": torch.zeros(4, 2), "b": torch.zeros(4, 3)}).shape == (4, 5)
    with pytest.raises(TypeError, match="no one shape: give a function"):
        EncoderExtractor(space, "mlp", {})


def test_errors_say_what_was_expected():
    with pytest.raises(ValueError, match="unknown encoder 'natur'; did you mean 'nature'"):
        sb3_extractor("natur")
    with pytest.raises(TypeError, match="a name, a class or a function of the observation space"):
        sb3_extractor(MLP(4, (8,)))
    with pytest.raises(TypeError, match="Identity has no out_features"):
        EncoderExtractor(FLAT, lambda space: nn.Identity(), {})
    with pytest.raises(ValueError, match=r"\(channels, height, width\), got \(6,\)"):
        EncoderExtractor(FLAT, "nature", {})
    with pytest.raises(ValueError, match="at least 36x36"):
        EncoderExtractor(Lamp.observation_space, "nature", {})
