"""Masks come in through the door, each beside the observation that it belongs to."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from masked_worlds import Asked, Guarded, Plain

from agents.environments.door import InvalidExperience
from agents.environments.masks import as_masks
from agents.environments.source import EnvSource
from agents.environments.stepping import SingleStepper, VectorStepper

MODES = list(AutoresetMode)


def taken(rng, mask, several):
    """Random actions that `mask` `[N, A]` allows."""
    if not several:
        return np.array([2 + rng.choice(row.nonzero()[0]) for row in mask])
    halves = np.split(mask, [3], axis=1)
    return np.array(
        [[rng.choice(part[k].nonzero()[0]) for part in halves] for k in range(len(mask))]
    )


def check(stepper, several=False, waits=False, forgets=False):
    """Step, and compare every mask with the one that its observation holds.

    With `waits`, an episode that has ended waits for a step that only resets; with `forgets`, the
    mask of its last observation is not told.
    """
    rng, size = np.random.default_rng(0), 5 if several else 4
    here, endings = truth(stepper.reset(3), size), set()
    for _ in range(200):
        np.testing.assert_array_equal(stepper.mask, here)
        step = stepper.step(taken(rng, stepper.mask, several))
        after = truth(step.next_observation, size)
        after[step.terminated | (step.truncated & forgets)] = True
        np.testing.assert_array_equal(step.next_mask[step.valid], after[step.valid])
        here = truth(step.observation, size)
        here[(step.terminated | step.truncated) & waits] = True
        endings |= set(zip(step.terminated.tolist(), step.truncated.tolist(), strict=True))
    assert endings == {(False, False), (True, False), (False, True)}


def truth(observation, size):
    return observation[:, :size] > 0


@pytest.mark.parametrize("several", [False, True], ids=["one choice", "two"])
@pytest.mark.parametrize("kind", [Guarded, Asked])
def test_one_environment_tells_the_mask_of_what_it_shows(kind, several):
    check(SingleStepper(kind(several=several), masks=True), several)


@pytest.mark.parametrize("several", [False, True], ids=["one choice", "two"])
@pytest.mark.parametrize("kind", [Guarded, Asked])
def test_environments_of_a_recipe_tell_the_masks_of_what_they_show(kind, several):
    source = EnvSource.of(gym.make(f"{kind.__name__}-v0", several=several), 3)
    check(source.stepper(masks=True), several)


@pytest.mark.parametrize("kind", [Guarded, Asked])
@pytest.mark.parametrize("mode", MODES)
def test_vectors_of_others_tell_the_masks_of_what_they_show(mode, kind):
    env = SyncVectorEnv([kind] * 3, autoreset_mode=mode)
    if (mode, kind) == (AutoresetMode.SAME_STEP, Asked):  # the last mask is gone by then
        with pytest.warns(UserWarning, match="tells no mask where an episode was truncated"):
            check(VectorStepper(env, masks=True), forgets=True)
    else:
        check(VectorStepper(env, masks=True), waits=mode is AutoresetMode.NEXT_STEP)


def test_environments_in_processes_of_their_own_are_asked():
    env = AsyncVectorEnv([Asked] * 2, context="spawn")
    stepper = VectorStepper(env, masks=True)
    observation = stepper.reset(0)
    np.testing.assert_array_equal(stepper.mask, truth(observation, 4))
    env.close()


def test_a_vector_environment_may_have_the_method_itself():
    class Own(SyncVectorEnv):
        def action_masks(self):
            return np.tile([True, False, True, False], (2, 1))

    stepper = VectorStepper(Own([lambda: Guarded("no way")] * 2), masks=True)
    stepper.reset(0)
    assert stepper.mask.tolist() == [[True, False, True, False]] * 2


@pytest.mark.parametrize("kind", [Guarded, Asked])
@pytest.mark.parametrize("several", [False, True], ids=["one choice", "two"])
def test_who_compares_environments_does_nothing_that_is_forbidden(kind, several):
    env = gym.make(f"{kind.__name__}-v0", several=several)
    env.reset(seed=1)  # it has an open episode, so that fresh ones are played to compare
    assert EnvSource.of(env).spec is not None


def test_nor_who_compares_many():
    env = gym.make_vec("Guarded-v0", 2, vectorization_mode="sync")
    env.reset(seed=1)
    assert EnvSource.of(env).spec is not None


def test_nobody_reads_masks_that_are_not_asked_for():
    stepper = SingleStepper(Plain([[0, 0, 0], "nonsense"]))
    stepper.reset(0)
    assert stepper.mask is None
    assert stepper.step(np.array([0])).next_mask is None


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (None, r"told no action mask at step 1: expected info\['action_mask'\] or a method"),
        (np.ones(4), r"an action mask of shape \(4,\) at step 1: expected \(3,\)"),
        ([0, 2, 1], r"the action mask \[0 2 1\] at step 1: expected zeros and ones"),
        ([np.nan, 1.0, 1.0], "expected zeros and ones"),
        (np.zeros(3, np.int8), "the action mask .* at step 1: expected at least one action"),
    ],
)
@pytest.mark.parametrize("many", [False, True], ids=["one", "two"])
def test_what_is_no_mask_is_refused(many, mask, message):
    worlds = [[1, 0, 1], mask], [[1, 0, 1], [1, 1, 1]]
    if many:
        env = SyncVectorEnv([lambda w=w: Plain(w) for w in worlds[::-1]])
        stepper = VectorStepper(env, "Plain", masks=True)
        message = message.replace("step 1", "step 2")
    else:
        stepper = SingleStepper(Plain(worlds[0]), "Plain", masks=True)
    stepper.reset(0)
    with pytest.raises(InvalidExperience, match=f"Plain .*{message}"):
        stepper.step(np.zeros(2 if many else 1, np.int64))


def test_every_choice_needs_an_action():
    class Half(Guarded):
        def _draw(self):
            super()._draw()
            self._mask[3:] = 0

    with pytest.raises(InvalidExperience, match="at least one action"):
        SingleStepper(Half(several=True), masks=True).reset(0)


def test_masks_that_people_give_are_checked():
    one, two = gym.spaces.Discrete(3, start=7), gym.spaces.MultiDiscrete([2, 2])
    assert as_masks(one, [1, 0, 1], 1).tolist() == [[True, False, True]]
    assert as_masks(two, np.ones((2, 4)), 2).all()
    for masks, count in (([1, 0], 1), (np.ones((2, 3)), 3), ([[1, 2, 0]], 1), ([0, 0, 0], 1)):
        with pytest.raises(ValueError, match="action_masks"):
            as_masks(one, masks, count)
    with pytest.raises(ValueError, match="not all of them zeros"):
        as_masks(two, [1, 1, 0, 0], 1)
    with pytest.raises(TypeError, match="only Discrete and MultiDiscrete"):
        as_masks(gym.spaces.MultiBinary(2), [1, 1], 1)


def test_a_last_observation_that_allows_nothing_counts_as_if_it_allowed_all():
    class Ends(Plain):
        def step(self, action):
            observation, reward, _, _, info = super().step(action)
            return observation, reward, False, True, info

    stepper = SingleStepper(Ends([[1, 0, 0], [0, 0, 0]]), masks=True)
    stepper.reset(0)
    with pytest.warns(UserWarning, match="tells no mask where an episode was truncated"):
        assert stepper.step(np.array([0])).next_mask.all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert stepper.mask.tolist() == [[True, False, False]]
