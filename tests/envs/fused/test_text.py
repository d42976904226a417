"""Compiled text is known by all that it looks up, and compiled as NumPy runs it."""

from enum import IntEnum
from functools import partial
from typing import Any, NamedTuple

import boards
import numpy as np
import pytest
from boards import Board, Cells, doubled, halved, settings
from contract import same, vectors_agree
from gymnasium import spaces

from envs import DynamicsVectorEnv, Table
from envs.fused import fitting
from envs.fused.fingerprint import fingerprint
from envs.numbers import Pictures

numba = pytest.importorskip("numba")


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
        (boards, "halved", lambda x: x / 4.0),
        (settings, "bonus", 0.5),
        (settings, "bonus", np.float32(0.25)),
        (settings, "signed", lambda x: settings.bonus + x),
        (boards, "Way", IntEnum("Way", {"BACK": 1, "STAY": 0}, module="boards")),
        (boards, "Cells", NamedTuple("Cells", [("head", Any), ("cells", Any)])),
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
        return self.by(halved(state.head) + doubled(state.head))


def test_functions_and_ufuncs_are_told_apart():
    ways = [halved, doubled, np.negative, np.square, abs, lambda x: x, lambda x: -x]
    ways += [lambda x: x in {1, 2}, lambda x: x in {1, 3}]
    assert len({printed(Operated(way)) for way in ways}) == len(ways)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({0: 1.0}, "up by, of type builtins.dict; numbers"),
        (numba.njit(halved), "up by, of type numba.*Dispatcher"),
        (numba.vectorize(halved), "up by, of type numba.*DUFunc"),
        (partial(halved), "up by, of type functools.partial"),
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
        begun = self.initial(xp, random).at
        value = xp.take(self.table, state.take) + xp.at(state.cells, state.at) + begun
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
