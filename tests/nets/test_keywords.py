"""Constructors name the keyword that was meant: those of settings, and of what takes them."""

import copy
import inspect
import pickle
from dataclasses import fields, replace

import pytest

import agents
import generative
import nets
from agents.algorithms import ALGORITHMS
from generative.catalogue import MODELS
from generative.worlds.config import WorldConfig
from nets.runs.folder import RunConfig
from nets.supervised.fit import FitConfig

CONFIGS = {
    **{name: entry.config_type() for name, entry in {**ALGORITHMS, **MODELS}.items()},
    "world": WorldConfig,
    "fit": FitConfig,
    "run": RunConfig,
}


@pytest.mark.parametrize("name", CONFIGS)
def test_settings_name_the_one_that_was_meant(name):
    kind = CONFIGS[name]
    meant = fields(kind)[-1].name
    with pytest.raises(
        TypeError, match=f"^{kind.__name__} has no setting '{meant}x': did you mean"
    ):
        kind(**{f"{meant}x": 1})


@pytest.mark.parametrize("name", ["lr", "lerning_rate"])
@pytest.mark.parametrize("kind", [agents.PPOConfig, agents.QLearningConfig, generative.VAEConfig])
def test_names_of_other_libraries_are_understood(kind, name):
    message = f"{kind.__name__} has no setting {name!r}: did you mean 'learning_rate'?"
    for make in (lambda: kind(**{name: 1}), lambda: replace(kind(), **{name: 1})):
        with pytest.raises(TypeError) as error:
            make()
        assert str(error.value) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: agents.PPO("CartPole-v1", lr=3e-4),
            "PPO has no argument 'lr': its settings are given as "
            "PPO(..., config=PPOConfig(learning_rate=...))",
        ),
        (
            lambda: agents.PPO("CartPole-v1", n_steps=64),
            "PPO has no argument 'n_steps': its settings are given as "
            "PPO(..., config=PPOConfig(n_steps=...))",
        ),
        (
            lambda: agents.SB3DQN("CartPole-v1", gamma=3),
            "SB3DQN has no argument 'gamma': its settings are given as "
            "SB3DQN(..., config=SB3DQNConfig(discount=...))",
        ),
        (
            lambda: agents.QLearning("FrozenLake-v1", n_envs=3),
            "QLearning has no argument 'n_envs': did you mean 'num_envs'?",
        ),
        (
            lambda: agents.PPO("CartPole-v1", xyzzy=3),
            "PPO has no argument 'xyzzy': expected one of config, device, env, num_envs, seed",
        ),
        (
            lambda: generative.VAE((1, 8, 8), dataset_sise=3),
            "VAE has no argument 'dataset_sise': did you mean 'dataset_size'?",
        ),
        (
            lambda: generative.GAN((2,), latent=3, dataset_size=9),
            "GAN has no argument 'latent': its settings are given as "
            "GAN(..., config=GANConfig(latent=...))",
        ),
        (
            lambda: agents.PPO("CartPole-v1", {"lr": 3}),
            "config is {'lr': 3}: expected PPOConfig(...)",
        ),
        (
            lambda: generative.GAN((2,), generative.VAEConfig, dataset_size=9),
            "config is <class 'generative.autoencoders.config.VAEConfig'>: expected GANConfig(...)",
        ),
        (
            lambda: agents.PPO("CartPole-v1", verbose=1),
            "PPO has no argument 'verbose': learn(..., progress=False) is silent, "
            "and shows a bar otherwise",
        ),
        (
            lambda: agents.PPOConfig(n_envs=4),
            "PPOConfig has no setting 'n_envs': it is given beside the settings, "
            "as in PPO(env, config, num_envs=8, seed=0)",
        ),
        (
            lambda: agents.DQNConfig(target_update=10),
            "DQNConfig has no setting 'target_update': did you mean 'target_every'?",
        ),
        (
            lambda: agents.DQNConfig(replay_size=10),
            "DQNConfig has no setting 'replay_size': did you mean 'buffer_size'?",
        ),
        (
            lambda: generative.VAEConfig(beta=4.0),
            "VAEConfig has no setting 'beta': "
            "a VAE weighs its KL by 1; BetaVAE and BetaTCVAE have a beta",
        ),
        (
            lambda: nets.MLP(4, (3,), 2, hidden_sizes=(3,)),
            "MLP has no argument 'hidden_sizes': did you mean 'hidden'?",
        ),
        (
            lambda: nets.optimizer("adam", nets.MLP(4, (3,), 2), learning_rate=0.1),
            "Adam has no argument 'learning_rate': did you mean 'lr'?",
        ),
    ],
)
def test_what_takes_settings_says_where_they_go(make, message):
    with pytest.raises(TypeError) as error:
        make()
    assert str(error.value) == message


def test_heirs_may_take_keywords_of_their_own():
    class Loud(agents.QLearning):
        def __init__(self, env, *, volume=3, **options):
            super().__init__(env, **options)
            self.volume = volume

    assert Loud("FrozenLake-v1", volume=4, seed=1).volume == 4
    with pytest.raises(TypeError, match="Loud has no argument 'volum': did you mean 'volume'"):
        Loud("FrozenLake-v1", volum=4)


def test_signatures_copies_and_pickles_are_what_they_were():
    assert list(inspect.signature(agents.PPOConfig).parameters) == [
        field.name for field in fields(agents.PPOConfig)
    ]
    assert "env" in inspect.signature(agents.PPO).parameters
    config = agents.PPOConfig(n_steps=7)
    assert copy.deepcopy(config) == pickle.loads(pickle.dumps(config)) == config


PUBLIC = [
    *(nets.CNN, nets.ConvBlock, nets.MLP, nets.NatureCNN, nets.ImpalaCNN, nets.SmallCNN),
    *(nets.LSTM, nets.GRU, nets.RNN, nets.Seq2Seq, nets.RunningNorm, nets.ResBlock, nets.UpBlock),
    *(nets.DenseBlock, nets.Inception, nets.GaussianNoise, nets.ActivityPenalty),
    *(nets.CategoricalHead, nets.DuelingHead, nets.GaussianHead, nets.TanhGaussianHead),
    *(nets.ValueHead, nets.clip_grads, nets.grad_check, nets.init_, nets.penalty),
]


@pytest.mark.parametrize("make", PUBLIC, ids=lambda make: make.__name__)
def test_every_block_names_the_argument_that_was_meant(make):
    meant = list(inspect.signature(make).parameters)[-1]
    with pytest.raises(TypeError, match=f"'{meant}x': did you mean '{meant}'") as error:
        make(**{f"{meant}x": 1})
    assert str(error.value).startswith(f"{make.__name__} has no argument ")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nets.MLP(4, 2), "hidden is 2: expected several values, as in (2,)"),
        (lambda: nets.MLP(4, [2.5]), "hidden is [2.5]: expected a whole number for each"),
        (lambda: nets.MLP(4, [2], "relu"), "out_features is 'relu': expected a whole number or No"),
        (lambda: nets.LSTM(4, [8, 8]), "hidden_size is (8, 8): expected a whole number"),
        (lambda: nets.LSTM(4, 8, batch_first=True), "LSTM has no argument 'batch_first': there is"),
        (lambda: nets.DenseBlock(3), "DenseBlock: missing a required argument: 'layers'"),
        (lambda: nets.NatureCNN(84), "in_shape must be (channels, height, width), got 84"),
        (lambda: nets.CNN((3, 8, 8), [4], 3, 0), "strides is 0: expected at least 1"),
        (lambda: nets.CNN(8, [4], 3, 1), "in_shape is 8: expected several values"),
        (lambda: nets.CNN((8, 8), [4], 3, 1), "in_shape must be (channels, height, width), got (8"),
        (lambda: nets.ConvBlock(3, 8, "same"), "kernel is 'same': expected a whole number or 2 va"),
        (lambda: nets.ConvBlock(3, 8, 3, pool=2), "pool is 2: expected text or a Module"),
        (lambda: nets.ImpalaCNN((3, 8, 8), 2.5), "out_features is 2.5: expected a whole number"),
        (lambda: nets.LSTM(4, 0), "hidden_size is 0: expected at least 1"),
        (lambda: nets.ValueHead(-1), "in_features is -1: expected at least 1"),
        (lambda: nets.ResBlock("3", 8), "channels is '3': expected a whole number"),
        (lambda: nets.optimizer(nets.MLP(1, []), "adam"), "name is MLP(): expected optimizer(name"),
        (lambda: nets.schedule("step", None, T_max=3), "step has no argument 'T_max': expected on"),
    ],
)
def test_a_block_says_which_argument_is_none(make, message):
    with pytest.raises((TypeError, ValueError)) as error:
        make()
    assert str(error.value).startswith(message)
