"""What the compiled update reads and writes: records of numbers and arrays, as numba takes them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...loop.experience import Array
from .chain import BLOCK, Chain

# Columns of a block, each where it begins: what is known of a row, and what is found of it. As they
# lie in one array, at distances that the compiler knows, loops over all of them are vectorised.
COLUMNS = 14
(
    WEIGHT,
    OLD_LOG_PROB,
    OLD_VALUE,
    ADVANTAGE,
    TARGET,
    LOG_PROB,
    ENTROPY,
    VALUE,
    RATIO,
    POLICY_LOSS,
    VALUE_LOSS,
    LOG_PROB_SLOPE,
    ENTROPY_SLOPE,
    VALUE_SLOPE,
) = range(0, COLUMNS * BLOCK, BLOCK)


class Rows(NamedTuple):
    """What is learned from: T steps of B environments, one after the other, R = T · B."""

    observation: Array  # [R, D]
    choice: Array  # [R, C]
    reward: Array  # [T, B]
    discount: Array  # [T, B]
    goes_on: Array  # [T, B]
    bootstrap: Array  # [T, B]
    weight: Array  # [R]
    log_prob: Array  # [R] of the policy that gathered them: found first, as all that follows
    value: Array  # [R] at that time
    advantage: Array  # [R]
    target: Array  # [R]


class Networks(NamedTuple):
    """A policy and a value over one vector of weights, and what Adam remembers of them."""

    actor: Chain
    critic: Chain
    gaussian: bool
    log_std: int  # where it begins in the weights
    weights: Array  # [P]
    gradient: Array  # [P]
    mean: Array  # [P] Adam's m
    square: Array  # [P] Adam's v
    memory: Array
    columns: Array  # [COLUMNS · BLOCK]
    choice: Array  # [C, BLOCK]
    probability: Array  # [A, BLOCK]
    sizes: Array


class Descent(NamedTuple):
    """The optimiser's settings, in single precision where weights are."""

    max_grad_norm: np.float32
    learning_rate: float
    beta1: float
    beta2: float
    epsilon: np.float32
    steps: int  # of Adam, before


class Program(NamedTuple):
    """The compiled update of an algorithm, and what it is told and tells."""

    update: Callable[..., int]  # returns how many steps were taken
    settings: type  # a record of the algorithm's
    metrics: tuple[str, ...]  # means over the last minibatch
