"""Encoders that people write: classes, functions, objects, import paths; everywhere, and saved."""

from functools import partial
from pathlib import Path

import gymnasium as gym
import numpy as np
import own_networks
import pytest
import torch
from command_runs import nursery
from gymnasium.spaces import Box, Dict, Discrete, Tuple
from own_networks import Dense, Dropping, Forgetful, Normalised, Parts, dense
from torch import nn

import agents
from agents.networks import build_encoder
from agents.networks.encoders import place
from nets import MLP
from nets.runs.checkpoint import MissingCode, UntrustedError

SHORT = {
    "ppo": (agents.PPO, partial(agents.PPOConfig, n_steps=16, epochs=1)),
    "a2c": (agents.A2C, agents.A2CConfig),
    "reinforce": (agents.Reinforce, agents.ReinforceConfig),
    "dqn": (agents.DQN, partial(agents.DQNConfig, learning_starts=32, sequence_length=8)),
}
SPACE = Box(-1.0, 1.0, (4,))
DICT = Dict(
    vector=Box(-1.0, 1.0, (5,)), picture=Box(0, 255, (6, 6, 3), np.uint8), state=Discrete(3)
)


def make(name, encoder, **settings):
    kind, config = SHORT[name]
    return kind("CartPole-v1", config(encoder=encoder, **settings))


def own_parts(agent):
    network = agent.online.module if isinstance(agent, agents.DQN) else agent.network.module
    return [module for module in network.modules() if isinstance(module, Dense | Normalised)]


@pytest.mark.parametrize("memory", ["none", "lstm"])
@pytest.mark.parametrize("name", SHORT)
@pytest.mark.parametrize("given", [Dense, dense, "own_networks:Dense"])
def test_every_algorithm_learns_with_an_own_encoder_and_finds_it_again(
    given, name, memory, tmp_path
):
    agent = make(name, given, memory=memory)
    before = own_parts(agent)[0].layer.weight.detach().clone()
    agent.learn(200, progress=False)
    assert not torch.equal(own_parts(agent)[0].layer.weight, before)
    agent.save(tmp_path / "agent.pt")
    loaded = agents.load(tmp_path / "agent.pt")
    assert type(own_parts(loaded)[0]) is Dense
    seen = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    actions = [each.predict(seen, deterministic=True)[0] for each in (agent, loaded)]
    assert np.array_equal(*actions)
    assert loaded.manifest()["config"]["encoder"] == "own_networks:" + (
        "dense" if given is dense else "Dense"
    )


@pytest.mark.parametrize("name", SHORT)
@pytest.mark.parametrize("given", [lambda space: Dense(space), nn.Linear(4, 7)])
def test_what_has_no_place_is_saved_and_has_to_be_given_again(given, name, tmp_path):
    agent = make(name, given).learn(100, progress=False)
    agent.save(tmp_path / "agent.pt")
    with pytest.raises(MissingCode, match=r"agent.pt .*load\(path, encoder=\.\.\.\)"):
        agents.load(tmp_path / "agent.pt")
    loaded = agents.load(tmp_path / "agent.pt", encoder=given)
    seen = np.ones((3, 4), np.float32)
    actions = [each.predict(seen, deterministic=True)[0] for each in (agent, loaded)]
    assert np.array_equal(*actions)
    with pytest.raises(ValueError, match="did you mean 'encoder'"):
        agents.load(tmp_path / "agent.pt", encoders=given)


def test_an_object_is_copied_for_every_network_and_stays_as_it_is():
    given = nn.Linear(4, 7)
    before = given.weight.detach().clone()
    config = agents.DQNConfig(encoder=given, learning_starts=32)
    first, second = (agents.DQN("CartPole-v1", config).learn(200, progress=False) for _ in "ab")
    nn.init.zeros_(given.weight)
    third = agents.DQN("CartPole-v1", config)
    bodies = [a.online.module.body[0].encoder.weight for a in (first, second, third)]
    assert torch.equal(bodies[0], bodies[1])
    assert not torch.equal(bodies[0], before)
    assert torch.equal(bodies[2], before)
    target = third.target.module.body[0].encoder.weight
    assert torch.equal(target, before)
    assert target.data_ptr() != bodies[2].data_ptr()


def test_parts_come_as_a_dict_with_the_numbers_of_their_spaces():
    body, features = build_encoder(DICT, encoder=Parts, hidden=())
    assert features == 9
    assert body.encoder.seen == {
        "vector": (torch.float32, (3, 5)),
        "picture": (torch.uint8, (3, 6, 6, 3)),
        "state": (torch.int64, (3,)),
    }


@pytest.mark.parametrize(
    ("space", "kind", "shape"),
    [
        (Box(-1.0, 1.0, (4,), np.float64), torch.float32, (3, 4)),
        (Box(0, 255, (6, 6, 3), np.uint8), torch.uint8, (3, 6, 6, 3)),
        (Discrete(5, start=2), torch.int64, (3,)),
    ],
)
def test_observations_come_as_their_space_has_them(space, kind, shape):
    seen = []

    class Sees(nn.Module):
        def forward(self, x):
            seen.append((x.dtype, tuple(x.shape)))
            return x.reshape(len(x), -1).float()

    build_encoder(space, encoder=lambda _: Sees(), hidden=())
    assert seen == [(kind, shape)]


def test_tuples_come_as_tuples():
    def build(space):
        class First(nn.Module):
            def forward(self, x):
                return x[0] + x[1].float()[:, None]

        return First()

    _, features = build_encoder(
        Tuple((Box(-1.0, 1.0, (2,)), Discrete(3))), encoder=build, hidden=()
    )
    assert features == 2


def test_blocks_of_ours_are_called_with_what_they_ask_for():
    body, features = build_encoder(SPACE, encoder=partial(MLP, hidden=(16,)), hidden=(5,))
    assert features == 5
    assert body[0].out_features == 16
    pictures = Box(0, 255, (36, 40, 3), np.uint8)
    from nets import NatureCNN

    body, features = build_encoder(pictures, encoder=NatureCNN, hidden=())
    assert (features, body.encoder.in_shape) == (512, (3, 36, 40))


def test_extractors_of_stable_baselines3_see_what_they_see_there():
    pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.torch_layers import CombinedExtractor, NatureCNN

    space = Box(0, 255, (40, 40, 3), np.uint8)
    body, features = build_encoder(space, encoder=NatureCNN, hidden=())
    rows = torch.randint(0, 256, (2, 40, 40, 3), dtype=torch.uint8)
    expected = body.encoder(rows.movedim(-1, 1).float() / 255.0)
    assert features == 512
    assert torch.allclose(body(rows), expected)
    combined = Dict(image=space, vector=Box(-1.0, 1.0, (5,)), state=Discrete(3))
    _, features = build_encoder(combined, encoder=CombinedExtractor, hidden=())
    assert features == 256 + 5 + 3


@pytest.mark.parametrize(
    ("encoder", "kind", "message"),
    [
        (lambda s: nn.Linear(3, 5), ValueError, "fails on float32 .3, 4.*cannot be multiplied"),
        (lambda s: 3, TypeError, "gives a int: expected a torch module"),
        (lambda s: nn.Flatten(0), ValueError, r"gives float32 \[12\] .*expected float32 \[3, F\]"),
        (lambda s: nn.Linear(4, 2, dtype=torch.float64), ValueError, "fails on float32"),
        (nn.GRU(4, 3), ValueError, r"gives \(float32 \[3, 3\]"),
        (nn.Linear, TypeError, "missing a required argument: 'out_features'"),
        ("own_networks:Dens", ValueError, "did you mean 'Dense'"),
        ("nowhere:Dense", ValueError, "cannot import 'nowhere'"),
        ("own_networks:Dense+lstn", ValueError, "did you mean 'lstm'"),
        ("own_networks:number", TypeError, "is a int: expected a network"),
        ("nothing", ValueError, "unknown encoder"),
        (5, ValueError, "encoder is 5"),
    ],
)
@pytest.mark.parametrize("name", ["ppo", "dqn"])
def test_what_is_no_encoder_is_refused_before_training(name, encoder, kind, message):
    with pytest.raises(kind, match=message):
        make(name, encoder)


def test_a_path_may_name_an_object_which_is_copied():
    agent = make("ppo", "own_networks:ready").learn(200, progress=False)
    assert not torch.equal(agent.network.module.body.encoder.weight, own_networks.ready.weight)


def test_tensors_that_stay_on_another_device_are_found_out():
    network, _ = build_encoder(SPACE, encoder=Forgetful, hidden=())
    with pytest.raises(ValueError, match=r"Forgetful fails on float32 \[3, 4\] on meta"):
        place(network, SPACE, torch.device("meta"))


def test_one_memory_is_enough():
    with pytest.raises(ValueError, match="has the memory 'gru'"):
        make("ppo", "own_networks:Dense+gru", memory="lstm")
    assert make("ppo", "own_networks:Dense+gru", memory="gru").network.module.memory is not None


def test_dropout_drops_where_it_learns_only():
    body, _ = build_encoder(SPACE, encoder=Dropping, hidden=())
    rows = torch.ones(5, 4)
    with torch.no_grad():
        assert torch.equal(body(rows), body(rows))
    assert not torch.equal(body(rows), body(rows))
    assert body.encoder.training
    body.requires_grad_(False)  # frozen
    assert torch.equal(body(rows), body(rows))


@pytest.mark.parametrize("name", ["ppo", "dqn"])
def test_what_does_not_learn_runs_in_evaluation_mode(name):
    agent = make(name, Normalised).learn(400, progress=False)
    seen = np.random.default_rng(0).normal(size=(1, 4)).astype(np.float32)
    mean = own_parts(agent)[0].layers[1].running_mean
    assert mean.any()
    kept = mean.clone()
    actions = {int(agent.predict(seen[0], deterministic=True)[0]) for _ in range(20)}
    assert len(actions) == 1
    assert torch.equal(mean, kept)
    if name == "dqn":
        agent.target.follow(agent.online)
        states = [each.module.state_dict() for each in (agent.online, agent.target)]
        assert all(torch.equal(a, b) for a, b in zip(*(s.values() for s in states), strict=True))


def test_a_fresh_process_imports_nothing_that_it_was_not_told_to(tmp_path):
    make("ppo", Dense).save(tmp_path / "agent.pt")
    code = f"""
import sys, agents
from nets.runs.checkpoint import UntrustedError
file = {str(tmp_path / "agent.pt")!r}
try:
    agents.load(file)
except UntrustedError as error:
    assert "own_networks:Dense" in str(error), error
else:
    raise SystemExit("it was loaded")
assert "own_networks" not in sys.modules
{{more}}
assert type(agents.load(file{{how}}).network.module.body.encoder).__name__ == "Dense"
"""
    code = f"import sys; sys.path.insert(0, {str(Path(own_networks.__file__).parent)!r})\n{code}"
    for more, how in (("", ", trust=True"), ("import own_networks", "")):
        done = nursery().run(code.format(more=more, how=how), tmp_path)
        assert done.returncode == 0, done.stderr


def test_a_file_calls_no_functions_of_python_or_of_what_is_installed(tmp_path):
    agent = make("ppo", Dense)
    state = agent.manifest() | {"agent": agent.state_dict()}
    from nets.runs.checkpoint import save_checkpoint

    for path in ("os:system", "shutil:rmtree", "torch.hub:load", "own_networks:nn.Linear"):
        state["config"]["encoder"] = path
        save_checkpoint(tmp_path / "agent.pt", state)
        with pytest.raises(UntrustedError, match=path):
            agents.load(tmp_path / "agent.pt")


def test_a_wrapped_world_of_parts_is_learned():
    class Parted(gym.Env):
        observation_space, action_space = DICT, Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.observation_space.seed(0)
            return self.observation_space.sample(), {}

        def step(self, action):
            return self.observation_space.sample(), float(action), False, True, {}

    with pytest.warns(UserWarning, match="cannot be made anew"):
        agent = agents.PPO(Parted(), agents.PPOConfig(encoder=Parts, n_steps=16))
    agent.learn(64, progress=False)
    assert agent.updates == 4
