"""Returns in dreams beside those outside: nothing apart where the dream is true."""

import numpy as np
import pytest

from generative.dreams.returns import gap
from generative.worlds.experience import collect
from generative.worlds.spaces import spec_of
from generative.worlds.world import World
from tests.helpers.worlds import lived, small_world


class Walker:
    """Acts by a rule, and keeps what it was shown first."""

    def __init__(self, rule):
        self.rule, self.first = rule, []

    def predict(self, observation, state, start, deterministic):
        assert deterministic
        if start.all():
            self.first.append(observation)
        return self.rule(observation), state


def figures(world, actor, **settings):
    return {figure.name: figure.value for figure in gap(world, actor, **settings)}


def first_action(observation):
    return np.zeros(len(observation), np.int64)


def test_a_world_that_was_counted_whole_has_no_gap():
    """On the walk, to the right, all is certain: what is dreamed is what is lived."""
    spec = spec_of("dreamgym/Walk-v0")
    world = World.of(spec, collect(spec, 4000, seed=0))
    found = figures(world, Walker(first_action), episodes=5)
    assert found["agent_real_return"] == 1
    assert found["agent_gap"] == found["agent_gap_error"] == 0


def test_both_begin_with_what_the_real_world_shows_for_the_seeds():
    world, walker = small_world("ensemble"), Walker(first_action)
    found = figures(world, walker, episodes=4, seed=7)
    dreamed, real = walker.first
    assert np.array_equal(dreamed, real)
    env = world.spec.make()
    assert np.array_equal(dreamed, [env.reset(seed=seed)[0] for seed in range(7, 11)])
    assert found["agent_real_return"] < 12  # the pole falls at once
    assert found["agent_dream_return"] - found["agent_real_return"] == found["agent_gap"]


def test_dreams_that_nothing_ends_are_cut_off_with_the_real_world():
    """Up, and against the wall, for 500 steps along the cliff, each of which costs 1."""
    spec = spec_of("dreamgym/Cliff-v0")
    world = World.of(spec, collect(spec, 3000, seed=0))
    found = figures(world, Walker(first_action), episodes=2)
    assert found["agent_real_return"] == found["agent_dream_return"] == -500


def test_who_needs_masks_is_refused():
    actor = Walker(first_action)
    actor.masks = True
    spec, episodes = lived("table")
    with pytest.raises(ValueError, match="dreams do not tell which actions are allowed"):
        figures(World.of(spec, episodes), actor)
