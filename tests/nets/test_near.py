"""Which known name was meant."""

import pytest

from nets.habits import HABITS
from nets.near import hint, is_slip, nearest

KNOWN = (
    "--steps",
    "--config.steps-between",
    "--config.learning-rate",
    "--latent",
    "--config.latent",
    "DQN",
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("--stepps", "--steps"),
        ("--learning_rate", "--config.learning-rate"),
        ("--config.lerning-rate", "--config.learning-rate"),
        ("lr", "--config.learning-rate"),
        ("--config.total-timesteps", "--steps"),
        ("--latents", "--latent"),
        ("--timestep", "--steps"),
        ("z_dims", "--latent"),
        ("--gamma", None),
        ("Rainbow", "DQN"),
    ],
)
def test_the_last_word_counts_and_what_others_call_it(name, meant):
    assert nearest(name, KNOWN) == meant


def test_a_name_of_one_s_own_goes_before_habits():
    assert nearest("gamma", ["gamma", "discount"]) == "gamma"
    assert nearest("gamma", ["discount"]) == "discount"


def test_a_word_of_theirs_may_be_the_one_that_is_known():
    assert nearest("learning_rate", ["lr", "eps"]) == "lr"


def test_what_is_given_elsewhere_is_no_slip_of_what_sounds_alike():
    assert nearest("reset_num_timesteps", ["total_timesteps"]) is None
    assert "a new agent begins at 0" in hint("reset_num_timesteps", ["total_timesteps"])
    assert nearest("beta", ["beta", "betas"]) == "beta"


@pytest.mark.parametrize(
    ("name", "other", "slip"),
    [
        ("normalize_advantage", "normalize_observation", False),
        ("replay_buffer_kwargs", "policy_kwargs", False),
        ("n_steps", "n_envs", False),
        ("n_steps", "n_step", True),
        ("lerning_rate", "learning_rate", True),
        ("learningrate", "learning_rate", True),
        ("buffer", "buffer_size", True),
        ("entropy_coef", "entropy_coefficient", True),
        ("MPL", "MLP", True),
        ("env", "ent", False),
        ("_", "n", False),
    ],
)
def test_a_slip_changes_letters_of_a_word_and_no_word(name, other, slip):
    assert is_slip(name, other) == is_slip(other, name) == slip


def test_one_of_several_is_no_other_word():
    assert nearest("callback", ["callbacks"]) == "callbacks"


def test_where_nothing_is_near_all_is_named():
    assert hint("x", ["b", "a"]) == "expected one of a, b"
    assert hint("x", []) == "there is none"
    assert hint("aa", ["aab", "b"]) == "did you mean 'aab'?"


def test_habits_are_of_others():
    assert not HABITS.keys() & set(HABITS.values())
