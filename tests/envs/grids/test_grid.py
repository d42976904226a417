import re
import sys
from pathlib import Path
from types import ModuleType

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.grids.grid import DOWN, LEFT, RIGHT, UP, Cell, Grid, slip, transitions
from envs.pictures.sprites import LAYERS

LEGEND = {
    "S": Cell("floor", reward=-1.0, start=True),
    ".": Cell("floor", reward=-2.0),
    "#": Cell("wall", wall=True),
    "G": Cell("floor flag", reward=5.0, terminal=True),
    "C": Cell("cliff", reward=-9.0, returns=True),
}


def grid(*rows: str, levels: int = 1) -> Grid:
    return Grid(rows, LEGEND, levels)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((), "empty"),
        (("",), "empty"),
        (("S.", "..."), "row 1 of the map, '...', has 3 characters, row 0 has 2"),
        (("Sx",), r"\['x'\], the legend only"),
        (("..",), "no start \\('S'\\)"),
        (("SSC",), "'C' returns to one start"),
    ],
)
def test_a_wrong_map_says_what_is_wrong(rows: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grid(*rows)


def test_levels_must_be_equal() -> None:
    with pytest.raises(ValueError, match="3 rows are no 2 equal levels"):
        grid("S", "S", "S", levels=2)


def test_states_are_the_cells_without_walls_in_reading_order() -> None:
    world = grid("#S#", "G#.")
    assert world.places.tolist() == [1, 3, 5]
    assert world.starts.tolist() == [0]
    assert world.states_where("terminal").tolist() == [False, True, False]


def test_moves_go_up_right_down_left_and_stop_at_walls_and_borders() -> None:
    world = grid("S.", ".#", "..")  # states 0 1 / 2 # / 3 4
    assert (UP, RIGHT, DOWN, LEFT) == (0, 1, 2, 3)
    assert world.neighbours.tolist() == [
        [0, 1, 2, 0],
        [1, 1, 1, 0],
        [0, 2, 3, 2],
        [2, 4, 3, 3],
        [4, 4, 4, 3],
    ]


def test_no_move_leads_to_another_level() -> None:
    world = grid("S.", "..", "S.", "..", levels=2)
    level = np.arange(8) // 4
    assert (level[world.neighbours] == level[:, None]).all()


def test_entering_pays_and_a_bump_enters_the_cell_again() -> None:
    model = transitions(grid("S.G")).model()
    assert model[0] == {
        UP: [(1.0, 0, -1.0, False)],
        RIGHT: [(1.0, 1, -2.0, False)],
        DOWN: [(1.0, 0, -1.0, False)],
        LEFT: [(1.0, 0, -1.0, False)],
    }
    assert model[1][RIGHT] == [(1.0, 2, 5.0, True)]


def test_terminal_states_absorb_with_reward_zero() -> None:
    model = transitions(grid("SG"), slip(1 / 3, (1, 3))).model()
    assert all(model[1][action] == [(1.0, 1, 0.0, True)] for action in range(4))


def test_a_cell_that_returns_pays_and_puts_back_to_the_start() -> None:
    model = transitions(grid("..S", "..C")).model()
    assert model[2][DOWN] == [(1.0, 2, -9.0, False)]
    assert model[4][RIGHT] == [(1.0, 2, -9.0, False)]


def test_moves_may_be_some_of_the_four() -> None:
    model = transitions(grid(".S."), moves=(RIGHT, LEFT)).model()
    assert model[1] == {0: [(1.0, 2, -2.0, False)], 1: [(1.0, 0, -2.0, False)]}


@pytest.mark.parametrize(
    ("rate", "turns", "weights"),
    [
        (1.0, (1, 3), (1, 0, 0, 0)),
        (0.0, (1, 3), (0, 1, 0, 1)),
        (1 / 3, (1, 3), (1, 1, 0, 1)),
        (0.85, (1, 3), (34, 3, 0, 3)),
        (2 / 3, (1, 2, 3), (6, 1, 1, 1)),
        (0.75, (1,), (3, 1, 0, 0)),
    ],
)
def test_slip_gives_whole_number_weights(
    rate: float, turns: tuple[int, ...], weights: tuple[int, ...]
) -> None:
    assert slip(rate, turns) == weights


def test_a_quarter_turn_is_to_the_right() -> None:
    model = transitions(grid("..", "S."), slip(0.75, (1,))).model()
    assert model[2][UP] == [(0.75, 0, -2.0, False), (0.25, 3, -2.0, False)]


@pytest.mark.parametrize("rate", [-0.1, 1.5, 2**-0.5])
def test_slip_refuses_what_is_no_fraction(rate: float) -> None:
    with pytest.raises(ValueError, match=f"got {rate}"):
        slip(rate, (1, 3))


@given(
    rows=st.integers(1, 6).flatmap(
        lambda width: st.lists(
            st.text("S.#G", min_size=width, max_size=width), min_size=1, max_size=6
        )
    ),
    weights=st.tuples(st.integers(1, 4), *[st.integers(0, 4)] * 3),
)
def test_every_model_is_a_distribution_over_neighbours(
    rows: list[str], weights: tuple[int, ...]
) -> None:
    if not any("S" in row for row in rows):
        rows = [*rows, "S" * len(rows[0])]
    world = grid(*rows)
    row, column = np.divmod(world.places, len(rows[0]))
    for state, actions in transitions(world, weights).model().items():
        for outcomes in actions.values():
            assert sum(outcome[0] for outcome in outcomes) == pytest.approx(1.0, abs=1e-12)
            assert len({outcome[1] for outcome in outcomes}) == len(outcomes)
            for _, entered, _, _ in outcomes:
                steps = abs(row[entered] - row[state]) + abs(column[entered] - column[state])
                assert steps <= 1


def test_the_documented_world_is_made_from_its_map(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[3] / "docs" / "grid-worlds.md").read_text(encoding="utf-8")
    module = ModuleType("pond")
    monkeypatch.setitem(sys.modules, "pond", module)
    exec(page.split("```python\n")[1].split("```")[0], module.__dict__)
    env = gym.make("mine/Pond-v0", success_rate=1.0, render_mode="rgb_array")
    try:
        assert env.reset(seed=0)[0] == 0
        steps = [env.step(action)[:3] for action in (1, 1, 2, 2, 1, 1)]
        assert steps[-1] == (16, -1.0, False)
        assert env.step(1)[:3] == (0, -10.0, False)
        assert env.unwrapped.P[12][2] == [(1.0, 19, 20.0, True)]
        assert env.render().shape == (192, 512, 3)
        for layer in re.findall(r"`(\w+)`", page.split("Layers are")[1].split("and those")[0]):
            assert layer in LAYERS
    finally:
        del gym.registry["mine/Pond-v0"]
