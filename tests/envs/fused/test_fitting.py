"""What is not compiled is NumPy's, with the reason."""

import sys
from functools import partial
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import pytest
from boards import Board, Cells
from contract import vectors_agree
from gymnasium import spaces

from envs import DynamicsVectorEnv, Table
from envs.fused import fitting

numba = pytest.importorskip("numba")


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


class Halved(Board):
    """Divides what is no number, before there is an action that is none."""

    def step(self, xp: Any, state: Any, action: Any, random: Any) -> tuple[Any, Any, Any]:
        return state, 0.0 if action is not None else state // 2, False


class Misspelt(Board):
    """Looks where nothing is, before there is an action that is none."""

    def step(self, xp: Any, state: Any, action: Any, random: Any) -> tuple[Any, Any, Any]:
        return state, self.hed if action is None else 0.0, False  # type: ignore[attr-defined]


class Named(Board):
    """Takes an argument in a way that numba does not."""

    def _ahead(self, xp: Any, head: Any, action: Any, *, by: Any = 1) -> Any:
        return (head + by) % self.size


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (Generated, r"numba does not compile it \(.+\)"),
        (Drifting, "its state's head is not what NumPy's is"),
        (Narrow, r"its observations, float64 \(2, 3\), are not of Box"),
        (Halved, r"numba does not compile it \(it knows no floordiv\(.+\)\)"),
        (Misspelt, r"numba does not compile it \(self has no attribute 'hed'\)"),
        (Named, "its _ahead takes arguments by keyword only"),
    ],
)
def test_what_cannot_be_compiled_is_numpys_and_said_to_be(kind, why):
    with pytest.warns(UserWarning, match=f"changes nothing for {kind.__name__}, .*{why}"):
        vector = DynamicsVectorEnv(kind(), 6, kernel="fused")
    assert vectors_agree(DynamicsVectorEnv(kind(), 6), vector, seed=2)


class Single(NamedTuple):
    x: Any


class Broken:
    """Does in arrays what only a number can, or looks where no table is."""

    action_space, observation_space = spaces.Discrete(2), spaces.Box(-9, 9, (1,), np.float64)

    def __init__(self, table: Any = ()) -> None:
        self.table = Table(table)

    def initial(self, xp: Any, random: Any) -> Any:
        return Single(0)

    def step(self, xp: Any, state: Any, action: Any, random: Any) -> tuple[Any, Any, Any]:
        reward = 1.0 if action else 0.0
        return Single(state.x + 1), reward, False

    def observe(self, xp: Any, state: Any) -> Any:
        return xp.stack((state.x % 8,), np.float64)


class Ended(Broken):
    """Leaves its table."""

    def step(self, xp: Any, state: Any, action: Any, random: Any) -> tuple[Any, Any, Any]:
        return Single(state.x + 1), xp.take(self.table, state.x), False


@pytest.mark.parametrize(
    ("world", "why", "error"),
    [
        (Broken(), "its text raises ValueError: The truth value", ValueError),
        (Ended(range(5)), "compiled, it raises IndexError: index is out", IndexError),
    ],
)
def test_what_raises_is_made_and_raises_as_numpys(world, why, error):
    with pytest.warns(UserWarning, match=f"changes nothing for .*{why}"):
        vector = DynamicsVectorEnv(world, 2, kernel="fused")
    vector.reset(seed=0)
    for _ in range(5 if error is IndexError else 0):
        vector.step([0, 1])
    with pytest.raises(error):
        vector.step([0, 1])


def test_broken_files_are_written_anew(monkeypatch, tmp_path):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))

    def found() -> int:
        monkeypatch.setattr(fitting, "_known", {})
        compiled = DynamicsVectorEnv(Ended(range(99)), 2, kernel="fused")._compiled
        assert compiled is not None
        return sum(compiled.advance.stats.cache_hits.values())

    assert found() == 0
    for kind in ("nbi", "nbc"):
        for file in tmp_path.rglob(f"*.{kind}"):
            file.write_bytes(file.read_bytes()[:99])
        assert (found(), found()) == (0, 1)


def test_numba_may_be_told_to_compile_nothing(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    monkeypatch.setattr(fitting, "_known", {})
    with pytest.warns(UserWarning, match="nothing for Board, .* by NUMBA_DISABLE_JIT"):
        DynamicsVectorEnv(Board(), 2, kernel="fused")


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
