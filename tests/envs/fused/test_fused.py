"""A compiled step gives what NumPy's does, bit for bit, or is not taken."""

import pickle
import subprocess
import sys
from functools import partial
from itertools import product
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from contract import actions_of, check_no_sharing, check_one_text, equal, same, vectors_agree
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.vector import AutoresetMode

from envs import DynamicsVectorEnv

numba = pytest.importorskip("numba")


@pytest.mark.parametrize("name", ["CartPole", "Pendulum", "Recall", "FourRooms", "Catch"])
def test_compiled_worlds_keep_the_contract(name):
    id = f"dreamgym/{name}-v0"
    make = partial(gym.make_vec, id, 5, "vector_entry_point", kernel="fused")
    assert make().unwrapped._compiled is not None
    for mode in AutoresetMode:
        assert check_one_text(id, 37, mode, limit=13, kernel="fused")
        short = partial(make, max_episode_steps=7, autoreset_mode=mode)
        check_no_sharing(short(), short())
    assert vectors_agree(make(), pickle.loads(pickle.dumps(make())), seed=3)


def test_other_processes_find_what_was_compiled():
    code = """
import gymnasium, envs
vector = gymnasium.make_vec("dreamgym/FourRooms-v0", 3, "vector_entry_point", kernel="fused")
print(sum(vector.unwrapped._compiled.advance.stats.cache_hits.values()))
"""
    run = partial(subprocess.run, [sys.executable, "-W", "error", "-c", code], check=True)
    assert [run(capture_output=True, text=True).stdout for _ in range(2)][1] == "1\n"


@pytest.mark.parametrize("kernel", ["numpy", "fused"])
def test_saved_states_that_are_none_change_nothing(kernel):
    vector = DynamicsVectorEnv("envs.worlds.cartpole:CartPole", 4, kernel=kernel)
    vector.reset(seed=0)
    vector.step(np.zeros(4, int))
    saved, state = vector.state_dict(), vector.state_dict()["state"]
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"finished": np.array([10**9])}, r"finished environments \[1000000000\] are not of 4"),
        ({"finished": [-1]}, r"\[-1\] are not of 4"),
        ({"finished": [0.5]}, r"saved finished is float64 \(1,\), expected int64"),
        ({"counter": np.zeros(9, np.uint64)}, r"counter is uint64 \(9,\), expected uint64 \(4,\)"),
        ({"counter": saved["counter"][:1]}, r"counter is uint64 \(1,\), expected"),
        ({"elapsed": 3}, r"elapsed is int64 \(\), expected int64 \(4,\)"),
        ({"stream": ["a"] * 4}, r"stream is <U1 \(4,\), expected uint64"),
        ({"state": state | {"angle": np.zeros(7)}}, r"angle is float64 \(7,\), expected"),
    ]
    for change, why in wrong:
        with pytest.raises(ValueError, match=why):
            vector.load_state_dict(saved | change)
        assert same(vector.state_dict().pop("state"), state)
        assert np.array_equal(vector.state_dict()["counter"], saved["counter"])
    lists = {k: v.tolist() for k, v in saved.items() if k != "state"}
    lists["state"] = {k: v.tolist() for k, v in state.items()}
    vector.load_state_dict(lists)
    told = vector.step(np.zeros(4, int))
    vector.load_state_dict(saved)
    assert equal(told[:4], vector.step(np.zeros(4, int))[:4])


@pytest.mark.parametrize("mode", AutoresetMode)
def test_states_go_from_one_kernel_to_the_other(mode):
    make = partial(
        gym.make_vec, "dreamgym/CartPole-v0", 9, "vector_entry_point", autoreset_mode=mode
    )
    numpys, fused = make(kernel="numpy").unwrapped, make(kernel="fused").unwrapped
    numpys.reset(seed=4)
    ended = 0
    for turn, (action, _) in enumerate(zip(actions_of(numpys), range(60), strict=False)):
        first, second = (numpys, fused) if turn % 2 else (fused, numpys)
        first.load_state_dict(second.state_dict())
        said, expected = fused.step(action), numpys.step(action)
        assert equal(said[:4], expected[:4])
        assert same(fused.state_dict()["state"], numpys.state_dict()["state"])
        over = said[2] | said[3]
        ended += over.sum()
        if over.any() and mode is AutoresetMode.DISABLED:
            for each in (numpys, fused):
                each.reset(options={"reset_mask": over})
    assert ended > 10


def test_what_is_refused_changes_nothing():
    vector = DynamicsVectorEnv("envs.worlds.cartpole:CartPole", 2, kernel="fused")
    with pytest.raises(ResetNeeded):
        vector.step(np.zeros(2, int))
    vector.reset(seed=0)
    before = vector.state_dict()
    with pytest.raises(InvalidAction, match="environment 1"):
        vector.step(np.array([0, 2]))
    after = vector.state_dict()
    assert same(before.pop("state"), after.pop("state"))
    assert same(before, after)


def test_actions_may_be_of_any_integers_and_lie_anywhere():
    make = partial(DynamicsVectorEnv, "envs.worlds.cartpole:CartPole", 3)
    numpys, fused = make(), make(kernel="fused")
    frozen = np.array([1, 0, 1])
    frozen.setflags(write=False)
    for action in ([0, 1, 1], frozen, np.array([1, 0, 0], np.uint8), np.arange(6)[::2] % 2):
        numpys.reset(seed=1), fused.reset(seed=1)
        assert equal(numpys.step(action)[:4], fused.step(action)[:4])


def test_limits_treat_what_is_no_number_as_numpy_does():
    from envs.fused import numbers
    from envs.numbers import batch

    @numba.njit
    def compute(a, b, c):
        return numbers.minimum(a, b), numbers.maximum(a, b), numbers.clip(a, b, c)

    for triple in product((np.nan, -1.0, 2.0), repeat=3):
        a, b, c = (np.full(1, x) for x in triple)
        expected = batch.minimum(a, b), batch.maximum(a, b), batch.clip(a, b, c)
        assert np.array_equal(compute(*triple), np.concatenate(expected), equal_nan=True)


def test_functions_are_numpys_to_the_last_bit():
    from envs.fused import numbers

    @numba.njit
    def compute(x, sines, cosines, exponentials):
        for i in range(len(x)):
            sines[i], cosines[i] = numbers.sin(x[i]), numbers.cos(x[i])
            exponentials[i] = numbers.exp(x[i])

    x = np.random.default_rng(0).normal(size=20_000) * 10.0 ** np.arange(-2, 3).repeat(4_000)
    found = np.empty((3, len(x)))
    with np.errstate(over="ignore"):
        compute(x, *found)
        assert same(found, np.stack((np.sin(x), np.cos(x), np.exp(x))))


@pytest.mark.parametrize("make", [gym.make, gym.make_vec])
def test_there_are_two_kernels(make):
    for kernel in ("numpy", "fused"):
        make("dreamgym/CartPole-v0", kernel=kernel).reset(seed=0)
    with pytest.raises(ValueError, match="no kernel 'fuse': did you mean 'fused'"):
        make("dreamgym/CartPole-v0", kernel="fuse")
