"""A compiled step gives what NumPy's does, bit for bit, or is not taken."""

import pickle
import subprocess
import sys
from enum import IntEnum
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import pytest
from contract import actions_of, check_no_sharing, check_one_text, equal, same, vectors_agree
from gymnasium import spaces
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.vector import AutoresetMode

from envs import DynamicsVectorEnv, Table
from envs.fused import fitting
from envs.fused.fingerprint import fingerprint
from envs.numbers import Pictures

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


# Worlds of one's own --------------------------------------------------------------------------


def _halved(x: Any) -> Any:
    return x / 2.0


def _doubled(x: Any) -> Any:
    return x * 2.0


class Way(IntEnum):
    BACK, STAY = -1, 0


_settings = ModuleType("settings")
_settings.bonus, _settings.signed = 0.25, lambda x: _settings.bonus - x


class Cells(NamedTuple):
    cells: Any
    head: Any
    moved: Any


class Board:
    """Marks cells, by everything that text may use."""

    action_space = spaces.Discrete(3, start=-1)
    observation_space = spaces.Box(-np.inf, np.inf, (2, 3), np.float64)

    def __init__(self, size: int = 6, step: float = 1.5) -> None:
        self.size, self.by, self._ways = size, step, Table([5, 1, 2])

    def initial(self, xp: Any, random: Any) -> Any:
        return Cells(xp.image((self.size,), np.int32, random.below(self.size, 1), 0), 0, False)

    def _ahead(self, xp: Any, head: Any, action: Any) -> Any:
        return (head + xp.take(self._ways, action + 1)) % self.size

    def step(self, xp: Any, state: Any, action: Any, random: Any) -> tuple[Any, Any, Any]:
        head = self._ahead(xp, state.head, action)
        free = state.cells < xp.every(2 + 0 * head)
        head = xp.where(xp.at(state.cells, head) > 3, xp.nth(free, random.below(self.size)), head)
        cells = xp.put(state.cells, head, xp.at(state.cells, head) + 1)
        a, b = random.uniforms(2, -self.by, self.by)
        reward = _halved(xp.exp(-abs(a)) * xp.cos(b)) // 0.125 + xp.maximum(a, b)
        reward = xp.where(action == Way.BACK, _settings.signed(reward), reward + _settings.bonus)
        moved = (head == state.head) ^ True
        return Cells(cells, head, moved), reward, (head == 3) & moved

    def observe(self, xp: Any, state: Any) -> Any:
        row = xp.minimum(state.head, 1) * 3
        return xp.image((2, 3), np.float64, row + state.head % 3)


def test_all_that_text_may_use_is_compiled():
    numpys, fused = (DynamicsVectorEnv(Board(), 50, 20, kernel=k) for k in ("numpy", "fused"))
    assert fused._compiled is not None
    assert vectors_agree(numpys, fused, seed=0)
    assert same(numpys.state_dict()["state"], fused.state_dict()["state"])


def printed(dynamics: Any) -> str:
    return fingerprint(dynamics, Cells)


def test_worlds_of_other_numbers_are_other_text():
    assert printed(Board()) == printed(Board())
    others = [Board(size=7), Board(step=2.5), Board()]
    others[2]._ways = Table([5, 1, 3])
    assert len({printed(board) for board in (Board(), *others)}) == 4


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        (sys.modules[__name__], "_halved", lambda x: x / 4.0),
        (_settings, "bonus", 0.5),
        (_settings, "bonus", np.float32(0.25)),
        (_settings, "signed", lambda x: _settings.bonus + x),
        (sys.modules[__name__], "Way", IntEnum("Way", {"BACK": 1, "STAY": 0}, module=__name__)),
        (sys.modules[__name__], "Cells", NamedTuple("Cells", [("head", Any), ("cells", Any)])),
    ],
)
def test_what_text_looks_up_is_part_of_it(place, name, value, monkeypatch):
    before = printed(Board())
    monkeypatch.setattr(place, name, value)
    assert printed(Board()) != before


class Operated(Board):
    """Calls what it is given, and names two functions beside."""

    def __init__(self, by: Any) -> None:
        super().__init__()
        self.by = by

    def observe(self, xp: Any, state: Any) -> Any:
        return self.by(_halved(state.head) + _doubled(state.head))


def test_functions_and_ufuncs_are_told_apart():
    ways = _halved, _doubled, np.negative, np.square, abs, lambda x: x, lambda x: -x
    assert len({printed(Operated(way)) for way in ways}) == len(ways)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({0: 1.0}, "up by, of type builtins.dict, and only"),
        (numba.njit(_halved), "up by, of type numba.*Dispatcher"),
        (numba.vectorize(_halved), "up by, of type numba.*DUFunc"),
        (partial(_halved), "up by, of type functools.partial"),
        (Board()._ahead, "up by, of type builtins.method"),
        (np.array([None]), "up by, of type numpy.ndarray"),
        (object(), "up by, of type builtins.object"),
    ],
)
def test_what_cannot_be_told_from_all_else_is_numpys(value, why):
    with pytest.warns(UserWarning, match=f"changes nothing for Operated, .*looks {why}"):
        DynamicsVectorEnv(Operated(value), 2, kernel="fused")


def test_a_step_of_another_world_is_found_out():
    compiled = DynamicsVectorEnv(Board(), 1, kernel="fused")._compiled
    assert compiled is not None
    assert fitting.difference(Board(), compiled.advance) == ""
    assert "its reward" in fitting.difference(Board(step=1.25), compiled.advance)


class Places(NamedTuple):
    cells: Any
    take: Any
    at: Any
    put: Any
    picture: Any
    image: Any


class Placed(Board):
    """Looks where its state says."""

    action_space = spaces.Discrete(2)
    observation_space = spaces.Box(-np.inf, np.inf, (3,), np.float64)
    table, pictures = Table(np.arange(3)), Pictures(np.eye(3))

    def initial(self, xp: Any, random: Any) -> Any:
        return Places(xp.stack(random.uniforms(3), np.float64), 0, 1, 2, 1, 0)

    def step(self, xp: Any, state: Any, action: Any, random: Any) -> tuple[Any, Any, Any]:
        value = xp.take(self.table, state.take) + xp.at(state.cells, state.at)
        cells = xp.put(state.cells, state.put, value)
        after = Places(cells, state.take, state.at, state.put, state.picture, state.image)
        return after, value, False

    def observe(self, xp: Any, state: Any) -> Any:
        marks = xp.image((3,), np.float64, state.image)
        return xp.picture(self.pictures, state.picture) + marks + state.cells


def test_places_outside_are_errors():
    vectors = [DynamicsVectorEnv(Placed(), 2, kernel=kernel) for kernel in ("numpy", "fused")]
    assert vectors[1]._compiled is not None
    for vector in vectors:
        vector.reset(seed=0)
        saved = vector.state_dict()
        for name in Places._fields[1:]:
            place = saved["state"][name]
            for outside in (3_000_000, -3_000_000):
                vector.load_state_dict({**saved, "state": saved["state"] | {name: place + outside}})
                with pytest.raises(IndexError):
                    vector.step([0, 1])


class Generated(Board):
    """Text that numba does not know."""

    def observe(self, xp: Any, state: Any) -> Any:
        first, second = (xp.minimum(state.head, k) for k in (1, 2))
        return xp.image((2, 3), np.float64, first, second)


class Drifting(Board):
    """Its state's head begins as an integer and becomes a float."""

    def step(self, xp: Any, state: Any, action: Any, random: Any) -> tuple[Any, Any, Any]:
        return Cells(state.cells, state.head * 1.0, False), 0.0, False

    def observe(self, xp: Any, state: Any) -> Any:
        return xp.image((2, 3), np.float64, 0 * state.moved)


class Narrow(Board):
    """Shows other numbers than its space has."""

    observation_space = spaces.Box(-np.inf, np.inf, (2, 3), np.float32)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (Generated, r"numba does not compile it \(.+\)"),
        (Drifting, "its state's head is not what NumPy's is"),
        (Narrow, r"its observations, float64 \(2, 3\), are not of Box"),
    ],
)
def test_what_cannot_be_compiled_is_numpys_and_said_to_be(kind, why):
    with pytest.warns(UserWarning, match=f"changes nothing for {kind.__name__}, .*{why}"):
        vector = DynamicsVectorEnv(kind(), 6, kernel="fused")
    assert vectors_agree(DynamicsVectorEnv(kind(), 6), vector, seed=2)


def test_dicts_are_numpys():
    with pytest.warns(UserWarning, match="changes nothing for Reach, .* a Dict"):
        gym.make_vec("dreamgym/Reach-v0", 2, "vector_entry_point", kernel="fused")


def test_methods_put_in_place_of_the_classs_are_numpys():
    board = Board()
    board.observe = partial(Board.observe, board)  # type: ignore[method-assign]
    with pytest.warns(UserWarning, match="its observe is no method of its class"):
        DynamicsVectorEnv(board, 2, kernel="fused")


def test_without_numba_steps_are_numpys(monkeypatch):
    monkeypatch.setattr(fitting, "find_spec", lambda name: None)
    with pytest.warns(UserWarning, match=r"numba is not installed, pip install 'dreamgym\[fast\]'"):
        vector = DynamicsVectorEnv(Board(), 2, kernel="fused")
    assert vectors_agree(DynamicsVectorEnv(Board(), 2), vector, seed=2)


def test_a_numpy_that_keeps_its_loops_elsewhere_steps_itself(monkeypatch):
    from envs.fused.elementary import loop_of

    with pytest.raises(ImportError, match=r"add'> of numpy .* shows no loop over float64"):
        loop_of(np.add)
    monkeypatch.setattr(fitting, "_known", {})
    monkeypatch.setitem(sys.modules, "envs.fused.advance", None)
    with pytest.warns(UserWarning, match="changes nothing for Board, .* import of envs.fused"):
        vector = DynamicsVectorEnv(Board(), 2, kernel="fused")
    assert vectors_agree(DynamicsVectorEnv(Board(), 2), vector, seed=2)


def test_without_numpys_loops_steps_are_numpys(monkeypatch):
    from envs.fused import elementary

    with pytest.raises(ImportError, match=r"'add'> of numpy .* no loop"):
        elementary.loop_of(np.add)  # of two numbers
    monkeypatch.setattr(fitting, "_known", {})
    monkeypatch.setitem(sys.modules, "envs.fused.advance", None)  # as if its import had failed
    with pytest.warns(UserWarning, match="changes nothing for Board, .*envs.fused.advance"):
        DynamicsVectorEnv(Board(), 2, kernel="fused")


@pytest.mark.parametrize("make", [gym.make, gym.make_vec])
def test_there_are_two_kernels(make):
    for kernel in ("numpy", "fused"):
        make("dreamgym/CartPole-v0", kernel=kernel).reset(seed=0)
    with pytest.raises(ValueError, match="no kernel 'fuse': did you mean 'fused'"):
        make("dreamgym/CartPole-v0", kernel="fuse")
