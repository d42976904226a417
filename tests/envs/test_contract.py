"""The contract sees what it should: worlds that keep it in odd ways, and worlds that break it."""

import warnings
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import pytest
from contract import check_contract

import envs


class One(NamedTuple):
    x: Any


class Logistic:
    """A chaotic map, which makes the last bit visible."""

    observation_space = gym.spaces.Box(0.0, 1.0, (1,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def initial(self, xp: Any, random: Any) -> One:
        return One(random.uniform(0.2, 0.3))

    def step(self, xp: Any, state: One, action: Any, random: Any) -> tuple[One, Any, Any]:
        x = 3.9 * state.x * (1.0 - state.x)
        return One(x), x, False

    def observe(self, xp: Any, state: One) -> Any:
        return xp.stack(state, np.float64)


class Tangled(NamedTuple):
    now: Any
    before: Any
    action: Any
    over: Any
    constant: Any


class Tangle:
    """Returns the same array in many places, and constants: allowed."""

    observation_space = gym.spaces.Discrete(100)
    action_space = gym.spaces.Discrete(3)

    def initial(self, xp: Any, random: Any) -> Tangled:
        start = random.below(5)
        return Tangled(start, start, 0, False, 0)

    def step(self, xp: Any, state: Tangled, action: Any, random: Any) -> tuple[Tangled, Any, Any]:
        now = state.now + action + state.before % 2 + state.action % 2 + state.constant
        now = xp.where(state.over, 99, now)
        over = now > 20
        return Tangled(now, now, action, over, 1), now, over

    def observe(self, xp: Any, state: Tangled) -> Any:
        return state.now


class Inverts(Logistic):  # ~ of Python's True is -2, and as true
    def step(self, xp: Any, state: One, action: Any, random: Any) -> tuple[One, Any, Any]:
        x = state.x
        return One(3.9 * (x - x * x)), x, ~(x < 0.9)


class OwnGenerator(Logistic):
    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def step(self, xp: Any, state: One, action: Any, random: Any) -> tuple[One, Any, Any]:
        return One(state.x * self.rng.random()), 0.0, False


class Remembers(Logistic):
    steps = 0

    def step(self, xp: Any, state: One, action: Any, random: Any) -> tuple[One, Any, Any]:
        self.steps += 1
        return One(state.x), float(self.steps), False


class SharesItsBuffer(Logistic):
    def __init__(self) -> None:
        self.buffers: dict[Any, np.ndarray] = {}

    def observe(self, xp: Any, state: One) -> Any:
        observation = super().observe(xp, state)
        buffer = self.buffers.setdefault(observation.shape, observation)
        buffer[...] = observation
        return buffer


WRONG = [Inverts, OwnGenerator, Remembers, SharesItsBuffer]
for world in [Logistic, Tangle, *WRONG]:
    envs.register_world(f"test/{world.__name__}-v0", f"{__name__}:{world.__name__}")


@pytest.mark.parametrize("name", ["Logistic", "Tangle"])
def test_the_contract_accepts(name: str):
    check_contract(f"test/{name}-v0")


@pytest.mark.parametrize("broken", WRONG)
def test_the_contract_catches(broken: type):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Gymnasium's passive checker sees shared memory too
        with pytest.raises(AssertionError):
            check_contract(f"test/{broken.__name__}-v0")
