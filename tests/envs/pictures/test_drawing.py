"""Pictures and texts of grid worlds, and what an agent thinks drawn on them."""

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401  registers the worlds
from envs.grids.grid import Cell, Grid
from envs.grids.tiles import draw
from envs.grids.worlds import Cliff, FourRooms, GridState, GridWorld, Lake, Walk


def frames(world: GridWorld, *cells: int) -> np.ndarray:
    return world.frames(GridState(np.array(cells)))


def tiles(world: GridWorld, frame: np.ndarray) -> np.ndarray:
    """Return a frame's tiles `[places, t, t, 3]`."""
    rows, columns = world.grid.shape
    side = frame.shape[0] // rows
    split = frame.reshape(rows, side, columns, side, 3)
    return split.swapaxes(1, 2).reshape(-1, side, side, 3)


@pytest.mark.parametrize(
    ("world", "shape"),
    [
        (Lake(), (256, 256, 3)),
        (Lake(map_name="8x8"), (256, 256, 3)),
        (Cliff(), (256, 768, 3)),
        (FourRooms(), (416, 416, 3)),
        (Walk(), (64, 448, 3)),
    ],
)
def test_only_the_agents_cell_tells_frames_apart(
    world: GridWorld, shape: tuple[int, int, int]
) -> None:
    first, second = frames(world, 1, 2)
    assert first.shape == shape
    assert first.dtype == np.uint8
    changed = (tiles(world, first) != tiles(world, second)).any(axis=(1, 2, 3))
    assert np.flatnonzero(changed).tolist() == world.grid.places[[1, 2]].tolist()


def test_cells_of_one_kind_look_alike_and_of_another_do_not() -> None:
    world = Lake()
    look = {mark: set() for mark in "SFHG"}
    for mark, tile in zip("".join(world.grid.rows), tiles(world, frames(world, 1)[0]), strict=True):
        look[mark].add(tile.tobytes())
    assert len(look["F"]) == 2  # with the agent on it and without
    assert [len(look[mark]) for mark in "SHG"] == [1, 1, 1]
    assert len(set.union(*look.values())) == 5


def test_a_batch_of_frames_is_its_frames_one_by_one() -> None:
    world = Cliff()
    batch = frames(world, 0, 36, 47, 0)
    assert all((batch[k] == frames(world, cell)[0]).all() for k, cell in enumerate((0, 36, 47, 0)))


def test_frames_are_nobody_elses_memory() -> None:
    world = Lake()
    first = frames(world, 3)
    kept = first.copy()
    first[:] = 0
    assert (frames(world, 3) == kept).all()


def test_each_level_is_drawn_alone() -> None:
    legend = {"S": Cell("floor", start=True), "#": Cell("wall", wall=True)}
    stacked = GridWorld(Grid(("S#", "##", "#S", "##"), legend, levels=2))
    alone = GridWorld(Grid(("#S", "##"), legend))
    assert (frames(stacked, 1) == frames(alone, 0)).all()
    assert stacked.text(GridState(np.array([1]))) == alone.text(GridState(np.array([0])))


def test_text_marks_the_agents_cell() -> None:
    env = gym.make("dreamgym/Lake-v0", render_mode="ansi", is_slippery=False)
    env.reset(seed=0)
    env.step(1)
    assert env.render().splitlines() == [
        " S [F] F  F ",
        " F  H  F  H ",
        " F  F  F  H ",
        " H  F  F  G ",
    ]


def test_text_draws_walls_solid() -> None:
    assert FourRooms().text(GridState(np.array([0])))[0].splitlines()[1] == (
        "###[ ]            ###               ###"
    )


@pytest.mark.parametrize("as_probabilities", [False, True])
@pytest.mark.parametrize("action", range(4))
def test_arrows_point_where_the_policy_goes(action: int, as_probabilities: bool) -> None:
    world = Lake(desc=["FFF", "FFF", "FFS"])
    plain = tiles(world, frames(world, 8)[0])[4].astype(int)
    world.overlay(policy=np.eye(4)[[action] * 9] if as_probabilities else [action] * 9)
    drawn = tiles(world, frames(world, 8)[0])[4].astype(int)
    rows, columns = np.nonzero(abs(drawn - plain).sum(axis=-1) > 100)
    middle = (len(plain) - 1) / 2
    offset = np.array([rows.mean() - middle, columns.mean() - middle])
    direction = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)][action])
    assert offset @ direction > len(plain) / 10
    assert abs(offset @ direction[::-1]) < 0.5


def test_arrows_of_walk_are_right_and_left() -> None:
    world = Walk(3)
    plain = tiles(world, frames(world, 0)[0])[1].astype(int)
    world.overlay(policy=[0] * 5)
    changed = abs(tiles(world, frames(world, 0)[0])[1] - plain).sum(axis=(0, 2))
    assert changed[len(changed) // 2 :].sum() > 2 * changed[: len(changed) // 2].sum()


def test_unlikely_moves_are_fainter() -> None:
    world = Lake(desc=["FFF", "FFF", "FFS"])
    plain = tiles(world, frames(world, 8)[0])[4].astype(int)
    world.overlay(policy=[[0.6, 0.3, 0.1, 0.0]] * 9)
    change = abs(tiles(world, frames(world, 8)[0])[4] - plain).sum(axis=-1)
    quarter = len(change) // 4
    tips = change[:quarter].sum(), change[:, -quarter:].sum(), change[-quarter:].sum()
    assert tips[0] > 1.5 * tips[1] > 3 * tips[2] > 0
    assert change[:, :quarter].sum() == 0


def test_the_likeliest_moves_are_opaque_even_if_there_are_four() -> None:
    world = Lake(desc=["FFF", "FFF", "FFS"])
    darkest = []
    for policy in (np.full((9, 4), 0.25), np.eye(4)[[0] * 9]):
        world.overlay(policy=policy)
        darkest.append(tiles(world, frames(world, 8)[0])[4].min(axis=(0, 1)))
    assert (darkest[0] == darkest[1]).all()


def test_values_colour_from_violet_to_yellow() -> None:
    world = Lake(desc=["SFF", "FFG"])
    world.overlay(values=[0.0, 1.0, 9.0, 9.0, 10.0, -99.0])  # of the end, nothing is shown
    red, green, blue = tiles(world, frames(world, 1)[0]).mean(axis=(1, 2)).T
    assert blue[0] > red[0] + 40 > green[0] + 40
    assert min(red[4], green[4]) > blue[4] + 40
    assert (red[2], green[2], blue[2]) == (red[3], green[3], blue[3])


def test_ends_and_cliffs_are_left_as_they_are() -> None:
    world = Cliff()
    before = tiles(world, frames(world, 0)[0])
    world.overlay(values=np.arange(48.0), policy=[1] * 48)
    after = tiles(world, frames(world, 0)[0])
    changed = (before != after).any(axis=(1, 2, 3))
    assert np.flatnonzero(~changed).tolist() == list(range(37, 48))


def test_the_agent_stands_on_the_overlay_until_it_is_taken_away() -> None:
    world = Lake()
    before = frames(world, 0)
    world.overlay(values=np.arange(16.0), policy=[2] * 16)
    belly = (slice(30, 36), slice(28, 34))
    assert (frames(world, 0)[0][belly] == before[0][belly]).all()
    assert (frames(world, 0) != before).any()
    world.overlay()
    assert (frames(world, 0) == before).all()


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ({"values": [0.0] * 15}, "each of 16 states"),
        ({"policy": [0] * 17}, "each of 16 states"),
        ({"policy": [[0.5, 0.5]] * 16}, "expected 4 probabilities"),
    ],
)
def test_an_overlay_of_another_world_is_refused(overlay: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Lake().overlay(**overlay)


def test_an_unknown_layer_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="no tile layer 'gras': did you mean 'grass'"):
        draw(Grid(("S",), {"S": Cell("gras", start=True)}))
