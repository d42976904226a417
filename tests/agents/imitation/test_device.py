"""Behaviour cloning where the network is on another device than the demonstrations."""

import numpy as np
import pytest

from agents import BCConfig, BehaviourCloning, ValueIteration, load

WORLD = "dreamgym/Lake-v0"


@pytest.fixture(scope="module")
def expert(tmp_path_factory):
    path = tmp_path_factory.mktemp("expert") / "expert.pt"
    agent = ValueIteration(WORLD)
    agent.solve()
    agent.save(path)
    return str(path)


@pytest.mark.cuda
@pytest.mark.parametrize(
    "settings",
    [{"balance": "weights"}, {"balance": "over", "folds": 3, "label_smoothing": 0.1}],
)
def test_a_clone_learns_and_acts_on_cuda(expert, settings, tmp_path):
    config = BCConfig(expert=expert, hidden=(16,), learning_rate=0.1, **settings)
    clone = BehaviourCloning(WORLD, config, num_envs=4, device="cuda")
    clone.learn(40, progress=False)
    assert all(weight.is_cuda for weight in clone.network.parameters())
    assert clone.metrics["validation_accuracy"] > 0.9
    states = np.arange(clone.observation_space.n)
    clone.save(tmp_path / "clone.pt")
    here = load(tmp_path / "clone.pt", device="cpu")
    actions = clone.predict(states, deterministic=True)[0]
    np.testing.assert_array_equal(actions, here.predict(states, deterministic=True)[0])
