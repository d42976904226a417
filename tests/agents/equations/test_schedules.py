"""Learning rates and clips that change: by name or by a function of what is left; in pieces."""

import math
from functools import partial
from itertools import pairwise

import pytest
from leftovers import leaves
from own_networks import halved

import agents
from agents import PPO, PPOConfig
from agents.equations.schedules import scheduled, share_left
from nets.runs.configurations import require_found

KINDS = {
    "ppo": (agents.PPO, partial(agents.PPOConfig, n_steps=16, epochs=1)),
    "a2c": (agents.A2C, partial(agents.A2CConfig, n_steps=16)),
    "reinforce": (agents.Reinforce, agents.ReinforceConfig),
    "dqn": (agents.DQN, partial(agents.DQNConfig, learning_starts=0, train_every=1)),
    "q-learning": (agents.QLearning, agents.QLearningConfig),
    "sb3-ppo": (agents.SB3PPO, partial(agents.SB3PPOConfig, n_steps=16, epochs=1, batch_size=16)),
    "sb3-dqn": (agents.SB3DQN, partial(agents.SB3DQNConfig, learning_starts=0)),
}


def make(name, **settings):
    kind, config = KINDS[name]
    return kind("CliffWalking-v1" if name == "q-learning" else "CartPole-v1", config(**settings))


def asked_for(name, **settings):
    """At which shares of a training of 400 steps its function was asked."""
    shares = []

    def rate(left):
        shares.append(left)
        return 1e-3 * left + 1e-4

    agent = make(name, learning_rate=rate, **settings).learn(400, progress=False)
    assert shares[:2] == [1.0, 0.0]  # before it began
    del shares[:2]
    return agent, shares


@pytest.mark.parametrize("name", KINDS)
def test_a_function_is_asked_with_what_is_left_of_the_training(name):
    agent, shares = asked_for(name)
    assert all(a >= b for a, b in pairwise(shares))
    assert all(0.0 <= share <= 1.0 for share in shares)
    assert shares[0] > 0.4
    assert shares[-1] < 0.4
    before = len(shares)
    agent.learn(400, progress=False)  # of 800 steps now, 400 are left
    assert 0.2 < shares[before] < 0.55


@pytest.mark.parametrize("name", [name for name in KINDS if name != "q-learning"])
def test_with_steps_of_its_own_many_calls_are_one(name):
    one = make(name, learning_rate=halved, anneal_steps=800).learn(400, progress=False)
    many = make(name, learning_rate=halved, anneal_steps=800)
    for _ in range(4):
        many.learn(100, progress=False)
    if not name.startswith("sb3"):  # whose own loop begins anew with every call
        assert list(leaves(many.state_dict())) == list(leaves(one.state_dict()))


@pytest.mark.parametrize(
    ("schedule", "anneal_steps", "expected"),
    [
        ("auto", 0, 2.0),
        ("auto", 400, 1.5),
        ("constant", 400, 2.0),
        ("linear", 0, 1.8),
        ("linear", 400, 1.5),
        ("cosine", 400, 1.0 + math.cos(math.pi / 4)),
        ("cosine", 0, 1.0 + math.cos(math.pi / 10)),
    ],
)
def test_numbers_fall_as_the_name_says(schedule, anneal_steps, expected):
    settings = {"schedule": schedule, "anneal_steps": anneal_steps}
    c = agents.PPOConfig(learning_rate=2.0, clip=2.0, **settings)
    left = share_left(c, 100, 1000)
    assert scheduled(c, "learning_rate", left) == pytest.approx(expected)
    assert scheduled(c, "clip", left) == pytest.approx(expected)
    assert share_left(c, 10_000, 1000) == 0.0


def test_beside_a_function_numbers_stay():
    c = agents.PPOConfig(learning_rate=halved, clip=0.2, anneal_steps=100)
    assert scheduled(c, "clip", 0.5) == 0.2
    assert scheduled(c, "learning_rate", 0.5) == 5e-4
    c = agents.PPOConfig(clip=lambda left: 0.1 + 0.1 * left)
    assert scheduled(c, "clip", 0.5) == pytest.approx(0.15)
    assert scheduled(c, "learning_rate", 0.5) == 3e-4


@pytest.mark.parametrize("wrong", [math.nan, -1.0, math.inf, None, "fast"])
@pytest.mark.parametrize("name", ["ppo", "dqn", "q-learning"])
def test_a_function_has_to_give_numbers(name, wrong):
    with pytest.raises(ValueError, match=r"learning_rate is .* expected a number, at least 0"):
        make(name, learning_rate=lambda left: wrong).learn(200, progress=False)


@pytest.mark.parametrize("wrong", [-1.0, 0.0, "fast", None, True])
def test_what_is_neither_number_nor_function_is_refused(wrong):
    with pytest.raises(ValueError, match="learning_rate is"):
        agents.PPOConfig(learning_rate=wrong)


@pytest.mark.parametrize("name", KINDS)
def test_a_lost_function_lets_act_and_keeps_from_learning(name, tmp_path):
    make(name, learning_rate=lambda left: 1e-3).save(tmp_path / "agent.pt")
    agent = agents.load(tmp_path / "agent.pt")
    agent.predict(agent.observation_space.sample())
    with pytest.raises(ValueError, match=r"learning_rate was .*load\(path, learning_rate=\.\.\.\)"):
        agent.learn(100, progress=False)
    agent.save(tmp_path / "again.pt")  # which still knows what it was
    loaded = agents.load(tmp_path / "again.pt", learning_rate=1e-3)
    loaded.learn(100, progress=False)
    make(name, learning_rate=halved).save(tmp_path / "agent.pt")
    assert agents.load(tmp_path / "agent.pt").config.learning_rate is halved


def test_a_path_is_a_function():
    c = agents.PPOConfig(learning_rate="own_networks:halved")
    assert scheduled(c, "learning_rate", 0.5) == 5e-4
    with pytest.raises(ValueError, match="did you mean 'halved'"):
        require_found(agents.PPOConfig(learning_rate="own_networks:halve"))


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (lambda left: -left, r"learning_rate is -1\.0 when 1 of the training is left, by"),
        (len, "has no len"),
    ],
)
def test_a_function_is_asked_before_a_training_begins(rate, message):
    agent = PPO("CartPole-v1", PPOConfig(n_steps=64, learning_rate=rate))
    with pytest.raises((ValueError, TypeError), match=message) as failure:
        agent.learn(1, progress=False)
    assert agent.steps == 0
    if rate is len:
        assert "raised by the learning_rate" in failure.value.__notes__[0]
