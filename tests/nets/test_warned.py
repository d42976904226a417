"""Warnings are told of the line of whoever called us."""

import warnings

import pytest
import torch
from gymnasium.envs.toy_text import FrozenLakeEnv

import agents
from nets.supervised.splits import k_fold
from nets.warned import warn


def test_a_warning_is_told_of_the_first_line_that_is_not_ours():
    with pytest.warns(UserWarning, match="here") as told:
        warn("here")
    assert told[0].filename == __file__


@pytest.mark.parametrize(
    "call",
    [
        lambda: k_fold(4, 2, labels=torch.tensor([0, 0, 0, 1])),
        lambda: agents.QLearning(FrozenLakeEnv()),
    ],
)
def test_however_deep_it_was_found(call):
    with pytest.warns(UserWarning, match="single row|made anew") as told:
        call()
    assert {warning.filename for warning in told} == {__file__}


def test_a_category_may_be_said():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warn("old", DeprecationWarning)
