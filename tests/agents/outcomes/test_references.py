"""What counts as solved, as far as somebody has said it of the very task."""

import pytest

from agents.environments.source import EnvSource
from agents.outcomes.references import solved_from


def test_gymnasium_says_from_where_on_a_task_is_solved():
    assert solved_from(EnvSource.of("CartPole-v1").describe()) == 475.0
    assert solved_from({"id": "CartPole-v1"}) == 475.0  # of records from before recipes


@pytest.mark.parametrize(
    "recipe",
    [
        {"id": "Pendulum-v1"},
        {"id": "nobody:Knows-v0"},
        EnvSource.of("CartPole-v1").adapted({}, {}, 100).describe(),
        {"id": "CartPole-v1", "wrappers": [{"name": "TransformReward"}]},
        {"id": "CartPole-v1", "kwargs": {"sutton_barto_reward": True}},
    ],
)
def test_a_figure_of_another_task_is_no_reference(recipe):
    assert solved_from(recipe) is None
