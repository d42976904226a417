"""Exact expected returns of policies in worlds without chance beyond their starts."""

from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from envs.numbers import scalar
from envs.random import ScalarRandom


def exact_return(
    world: Any,
    starts: Iterable[Any],
    policy: Callable[[Any], Iterable[tuple[int, Fraction]]],
) -> Fraction:
    """Return the expected return from `starts`, each as likely; `policy(state)` has the chances."""
    random, starts = ScalarRandom(), list(starts)
    states = Counter({state: Fraction(1, len(starts)) for state in starts})
    expected = Fraction(0)
    while states:
        following: Counter[Any] = Counter()
        for state, chance in states.items():
            for action, weight in policy(state):
                after, reward, over = world.step(scalar, state, action, random)
                expected += chance * weight * Fraction(reward)
                if not over:
                    following[after] += chance * weight
        states = following
    return expected
