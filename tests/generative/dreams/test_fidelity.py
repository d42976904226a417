"""The figures of truth: a world that is true has no error, and blind ones fail as they must."""

import numpy as np
import pytest
import torch

from generative.dreams.fidelity import errors, truth
from generative.dreams.tables import best_policy, chain, policy_values, real_table, table_truth
from generative.worlds.experience import collect
from generative.worlds.spaces import WorldSpec, spec_of
from generative.worlds.world import World
from tests.helpers.worlds import lived, small_world


def figures(found):
    return {figure.name: figure.value for figure in found}


def lake():
    return real_table(spec_of("dreamgym/Lake-v0").make())


def test_the_real_world_in_place_of_a_dream_has_no_gap():
    table, initial = lake()
    found = figures(table_truth(table, table, initial))
    assert found["total_variation"] == 0
    assert abs(found["exploitability"]) < 1e-6
    assert abs(found["regret"]) < 1e-6


def test_values_are_those_of_our_planners():
    from agents.tabular.dynamic_programming import policy_evaluation, value_iteration
    from agents.tabular.model import Model

    table, _ = lake()
    model = Model.from_env(spec_of("dreamgym/Lake-v0").make())
    solution = value_iteration(model, 0.99)
    policy, values = best_policy(chain(table))
    np.testing.assert_allclose(values, solution.values, atol=1e-6)
    expected = policy_evaluation(model, policy, 0.99)
    np.testing.assert_allclose(policy_values(chain(table), policy), expected, atol=1e-6)


def test_more_experience_is_nearer_to_the_truth():
    table, initial = lake()
    apart = []
    for steps in (500, 8000):
        spec, episodes = lived("table", steps)
        dream = World.of(spec, episodes).dynamics.model()
        apart.append(figures(table_truth(dream, table, initial))["total_variation"])
    assert apart[1] < 0.1 < 0.2 < apart[0]


def test_a_deterministic_world_that_was_counted_is_true():
    """On the cliff every pair that was seen is foreseen without error; shuffled actions are not."""
    spec = spec_of("dreamgym/Cliff-v0")
    world = World.of(spec, collect(spec, 6000, seed=1))
    found = figures(truth(world, collect(spec, 1000, seed=2)))
    assert found["error_1"] < 0.01 < 0.3 < found["error_1_shuffled"]
    assert found["error_1_copied"] > 0.3
    assert found["reward_1"] < 0.02


def test_an_untrained_world_foresees_nothing():
    world = small_world("pixels")
    found = figures(truth(world, lived("pixels")[1]))
    assert found["error_1"] == 1.0
    assert found["error_1_copied"] > 0.9


@pytest.mark.parametrize("kind", ["ensemble", "board", "memory", "states"])
def test_figures_are_finite_and_the_same_for_a_seed(kind):
    world = small_world(kind)
    first, second = (figures(truth(world, lived(kind)[1], seed=3)) for _ in range(2))
    assert first == second
    assert np.isfinite(list(first.values())).all()


def test_errors_of_each_kind_of_observation():
    spec = {kind: lived(kind)[0] for kind in ("table", "pixels", "ensemble")}
    one = torch.ones(1)
    assert errors(spec["table"], torch.tensor([1, 2]), torch.tensor([1, 3]), one).tolist() == [0, 1]
    dark = torch.zeros(2, 44, 44, 1, dtype=torch.uint8)
    seen = dark.clone()
    seen[0, 3, 3], seen[1, 5, 5] = 100, 200
    assert errors(spec["pixels"], seen, dark, one).tolist() == [0, 1]
    vectors = torch.tensor([[0.0, 0.0, 0.0, 0.0]])
    assert isinstance(spec["ensemble"], WorldSpec)
    scale = torch.tensor([1.0, 2.0, 1.0, 1.0])
    off = errors(spec["ensemble"], vectors + torch.tensor([0, 2.0, 0, 0]), vectors, scale)
    assert off.tolist() == [0.5]
