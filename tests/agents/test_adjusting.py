"""Going on with other settings: what may change is in force, the rest is refused by name."""

from functools import cache

import gymnasium as gym
import pytest
import torch

import agents
from agents.algorithms import ALGORITHMS

DEEP = {"hidden": (8,), "learning_starts": 20, "batch_size": 8, "exploration_steps": 200}
TABLE = {"epsilon_start": 1.0, "epsilon_end": 0.2, "exploration_steps": 400}
DEEP_SB3 = {"hidden": (8,), "learning_starts": 20, "batch_size": 8, "train_every": 8}
POLICY = {"hidden": (8,), "learning_rate": 1e-2}
ROLLOUTS = POLICY | {"n_steps": 16, "batch_size": 16, "epochs": 2}
SMALL = {
    "dqn": DEEP | {"replay": "prioritized", "learning_rate": 0.05, "target_every": 50},
    "reinforce": POLICY,
    "a2c": POLICY,
    "ppo": ROLLOUTS,
    "sarsa": TABLE,
    "expected-sarsa": TABLE,
    "q-learning": TABLE,
    "double-q-learning": TABLE | {"fused": False},
    "bc": {"hidden": (8,), "epochs": 3},
    "sb3-ppo": ROLLOUTS,
    "sb3-a2c": {"hidden": (8,)},
    "sb3-dqn": DEEP | {"target_every": 24},
    "sb3-sac": DEEP_SB3,
    "sb3-td3": DEEP_SB3,
}
OTHER = {
    "discount": 0.5,
    "learning_rate": 3e-3,
    "schedule": "cosine",
    "anneal_steps": 150,
    "max_grad_norm": 0.01,
    "value_coefficient": 0.1,
    "entropy_coefficient": 0.2,
    "gae_lambda": 0.3,
    "epochs": 1,
    "batch_size": 4,
    "clip": 1e-4,
    "value_clip": 1e-4,
    "target_kl": 1e-9,
    "kernel": "fused",
    "baseline_rate": 0.9,
    "double": False,
    "learning_starts": 150,
    "train_every": 1,
    "gradient_steps": 3,
    "target_every": 5,
    "target_rate": 0.3,
    "epsilon_start": 0.0,
    "epsilon_end": 0.9,
    "exploration_steps": 150,
    "importance_exponent": 0.9,
    "importance_steps": 150,
    "learning_rate_decay": 0.9,
    "epsilon_schedule": "glie",
    "weight_decay": 0.5,
    "patience": 1,
    "validation_share": 0.5,
    "label_smoothing": 0.5,
    "folds": 2,
    "policy_delay": 1,
    "target_noise": 2.0,
    "target_noise_clip": 0.01,
}
NEEDED = {
    "baseline_rate": {"baseline": "running"},
    "target_noise": {"target_noise_clip": 9.0},
    "patience": {"epochs": 40, "learning_rate": 0.3},
}
"""Without which the first would change nothing."""
STEPS = 128
CASES = [
    (name, field)
    for name, algorithm in ALGORITHMS.items()
    for field in algorithm.config_type().adjustable
]


def world(name):
    if name.removeprefix("double-").removeprefix("expected-") in ("sarsa", "q-learning"):
        return "dreamgym/Cliff-v0"
    return "Pendulum-v1" if name in ("sb3-sac", "sb3-td3") else "CartPole-v1"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Files of agents that have trained a little, one for each algorithm and its settings."""
    folder = tmp_path_factory.mktemp("saved")

    def save(name, **settings):
        path = folder / f"{name}-{'-'.join(settings)}.pt"
        if not path.exists():
            algorithm = ALGORITHMS[name]
            if name == "bc":
                settings = {"expert": str(save("dqn"))} | settings
            config = algorithm.config_type()(**SMALL[name] | settings)
            agent = algorithm.agent_type()(world(name), config, seed=1, num_envs=1)
            agent.learn(64, progress=False).save(path)
        return path

    return save


def learned(agent):
    """All that was learned, as a list of tensors and numbers."""
    found = []

    def walk(node):
        if isinstance(node, dict):
            for key in sorted(node, key=str):
                walk(node[key])
        elif isinstance(node, list | tuple):
            for each in node:
                walk(each)
        else:
            found.append(node)

    state = agent.state_dict()
    for part in ("optimizer", "sampler"):
        state.pop(part, None)
    if "parameters" in state:
        state["parameters"] = state["parameters"]["policy"]
    walk(state)
    return found


def same(left, right):
    return all(
        torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b
        for a, b in zip(left, right, strict=True)
    )


@cache
def unchanged(path):
    return learned(agents.load(path).learn(STEPS, progress=False))


@pytest.mark.parametrize(("name", "field"), CASES)
def test_what_may_change_is_in_force_as_if_it_had_been_so_at_construction(saved, name, field):
    if field == "kernel":
        pytest.importorskip("numba")
    path, change = saved(name, **NEEDED.get(field, {})), {field: OTHER[field]}
    adjusted = agents.load(path).learn(STEPS, progress=False, **change)
    constructed = agents.load(path, **change).learn(STEPS, progress=False)
    assert getattr(adjusted.config, field) == change[field]
    assert same(learned(adjusted), learned(constructed))
    assert not same(learned(adjusted), unchanged(path))


def test_what_may_change_are_settings():
    for algorithm in ALGORITHMS.values():
        kind = algorithm.config_type()
        assert set(kind.adjustable) <= set(kind.__dataclass_fields__)


@pytest.mark.parametrize("name", ["q-learning", "ppo", "dqn", "sb3-dqn"])
def test_it_is_in_force_in_the_midst_of_an_episode(saved, name):
    """And calls without a change remain one call: a rollout that is open goes on."""
    first, second = (agents.load(saved(name)) for _ in range(2))
    first.learn(40, progress=False).learn(STEPS, progress=False)
    second.learn(40, progress=False).learn(STEPS, progress=False, learning_rate=0.5)
    assert not same(learned(first), learned(second))
    assert second.config.learning_rate == 0.5


def test_a_table_follows_a_function_from_here_on_and_back():
    agent = agents.QLearning("dreamgym/Cliff-v0", seed=1).learn(100, progress=False)
    before = agent.q.copy()
    agent.learn(100, progress=False, learning_rate=lambda left: 0.0)
    assert (agent.q == before).all()
    agent.learn(100, progress=False, learning_rate=0.5)
    assert (agent.q != before).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": (4,)}, "^hidden of ppo cannot change in a training: begin a new one"),
        ({"normalize_observation": True}, "^normalize_observation of ppo cannot change"),
        ({"lerning_rate": 1.0}, "no setting 'lerning_rate': did you mean 'learning_rate'"),
        ({"calback": None}, "no setting 'calback': did you mean 'callback'"),
        ({"learning_rate": -1.0}, "^learning_rate is -1.0: expected more than 0"),
        ({"learning_rate": "nowhere:rate"}, "nowhere"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_nothing_changes(change, message):
    agent = agents.PPO("CartPole-v1")
    before = agent.config
    with pytest.raises(ValueError, match=message):
        agent.learn(8, progress=False, **change, clip=0.1)
    assert (agent.config, agent.steps) == (before, 0)


def test_what_is_said_again_is_no_change():
    agent = agents.PPO("CartPole-v1", agents.PPOConfig(hidden=(8,), n_steps=8), num_envs=1)
    assert agent.learn(8, progress=False, hidden=[8], n_steps=8).steps == 8


@pytest.mark.parametrize("kind", [agents.ValueIteration, agents.PolicyIteration])
def test_what_plans_at_once_has_nothing_to_change(kind):
    agent = kind(gym.make("FrozenLake-v1"))
    with pytest.raises(ValueError, match=f"discount of {kind.name} cannot change"):
        agent.learn(3, progress=False, discount=0.5)
