"""Looking at an agent changes nothing of what it learns afterwards."""

import numpy as np
import pytest
import torch

import agents


def numbers(state):
    for value in state.values():
        if isinstance(value, dict):
            yield from numbers(value)
        elif isinstance(value, torch.Tensor):
            yield value


@pytest.mark.parametrize(
    ("agent", "env_id", "observation"),
    [
        (agents.PPO, "CartPole-v1", np.zeros((3, 4), np.float32)),
        (agents.DQN, "CartPole-v1", np.zeros((3, 4), np.float32)),
        (agents.QLearning, "FrozenLake-v1", np.zeros(3, np.int64)),
    ],
)
def test_predictions_in_between_draw_chance_of_their_own(agent, env_id, observation):
    learned = []
    for looks in (False, True):
        learner = agent(env_id, seed=3)
        learner.learn(2_048, progress=False)
        if looks:
            drawn = [learner.predict(observation)[0].tolist() for _ in range(100)]
            assert len(set(map(str, drawn))) > 1
        learner.learn(2_048, progress=False)
        learned.append(list(numbers(learner.state_dict())))
    assert all(torch.equal(a, b) for a, b in zip(*learned, strict=True))
