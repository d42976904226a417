"""Boards by planes: which cell of one is set is a choice; all others take values that were seen."""

from dataclasses import replace

import pytest
import torch
from gymnasium import spaces
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from generative.worlds.boards import Boards, levels_of
from generative.worlds.episodes import Episodes
from generative.worlds.spaces import WorldSpec
from nets.process.seeding import seeded

COUNT, CELLS = 60, 20


def boards(last: bool, told: bool = False) -> tuple[Boards, Tensor]:
    """Return the sight of 60 boards, of a lone cell and a body in thirds, and the boards.

    Thirds may be told apart.
    """
    with seeded(0):
        place = torch.randint(CELLS, (COUNT,))
        body = torch.randint(4, (COUNT, CELLS)) / 3
    lone = torch.zeros(COUNT, CELLS)
    lone[torch.arange(COUNT), place] = 1.0
    shown = torch.stack([lone, body], 1).view(COUNT, 2, 4, 5)
    shown = shown.movedim(1, -1).contiguous() if last else shown
    space = spaces.Box(0.0, 1.0, tuple(shown.shape[1:]))
    spec = WorldSpec("Board-v0", space, spaces.Discrete(2))
    nothing, one = torch.zeros(COUNT - 1), torch.tensor([COUNT - 1])
    lived = Episodes(shown, nothing.long(), nothing, nothing.bool(), one, one.bool())
    levels = levels_of(spec, lived)
    assert levels == (1, 4)
    sight = Boards(replace(spec, levels=levels) if told else spec)
    sight.study(lived)
    return sight, shown


def logits(shown: Tensor, last: bool) -> Tensor:
    """Return outputs `[B, D]` that are sure of what is shown."""
    planes = shown.movedim(-1, 1) if last else shown
    sure = torch.stack([20 * planes[:, 0], planes[:, 1].clamp(0.01, 0.99).logit()], 1)
    return (sure.movedim(1, -1) if last else sure).flatten(1)


@pytest.mark.parametrize("last", [False, True])
def test_what_networks_are_nearly_sure_of_is_shown_as_it_was_seen(last):
    """Values that lie a little off are those that were, and lone cells are as sure when drawn."""
    sight, shown = boards(last)
    assert sight.single.tolist() == [True, False]
    outputs = logits(shown, last)
    u = torch.rand(COUNT, 2, generator=torch.Generator().manual_seed(0)).clamp(max=0.999)
    assert torch.equal(sight.show(outputs + 0.2), shown)
    assert torch.equal(sight.draw(outputs + 0.2, u), shown)


@pytest.mark.parametrize("last", [False, True])
def test_a_lone_cell_costs_as_a_choice_and_all_others_as_coins(last):
    sight, shown = boards(last)
    with seeded(1):
        outputs = torch.randn(COUNT, 2 * CELLS)
    board = outputs.view(shown.shape)
    planes, seen = (x.movedim(-1, 1) if last else x for x in (board, shown))
    choice = cross_entropy(planes[:, 0].flatten(1), seen[:, 0].flatten(1), reduction="none")
    coins = binary_cross_entropy_with_logits(planes[:, 1], seen[:, 1], reduction="none")
    found = sight.loss(outputs, sight.read(shown))
    torch.testing.assert_close(found, choice + coins.sum((1, 2)))


@pytest.mark.parametrize("last", [False, True])
def test_cells_of_levels_are_read_shown_and_cost_as_a_choice_among_them(last):
    sight, shown = boards(last, told=True)
    planes = shown.movedim(-1, 1) if last else shown
    level = (3 * planes[:, 1]).round().long()  # [B, 4, 5]
    with seeded(1):
        outputs = torch.randn(COUNT, 5, 4, 5)
    flat = (outputs.movedim(1, -1) if last else outputs).flatten(1)
    choice = cross_entropy(outputs[:, 0].flatten(1), planes[:, 0].flatten(1), reduction="none")
    levels = cross_entropy(outputs[:, 1:], level, reduction="none").sum((1, 2))
    read = sight.read(shown)
    torch.testing.assert_close(sight.loss(flat, read), choice + levels)
    assert torch.equal(sight.show(20 * (read - 0.5)), shown)
    found = sight.draw(flat, torch.rand(COUNT, 2, generator=torch.Generator().manual_seed(0)))
    body = (found.movedim(-1, 1) if last else found)[:, 1]
    assert torch.equal(body, outputs[:, 1:].argmax(1) / 3)


@pytest.mark.parametrize("last", [False, True])
def test_a_board_may_hold_planes_of_levels_alone(last):
    with seeded(0):
        shown = torch.randint(4, (COUNT, 4, 5, 2) if last else (COUNT, 2, 4, 5)) / 3
    space = spaces.Box(0.0, 1.0, tuple(shown.shape[1:]))
    sight = Boards(WorldSpec("Board-v0", space, spaces.Discrete(2), levels=(4, 4)))
    nothing, one = torch.zeros(COUNT - 1), torch.tensor([COUNT - 1])
    sight.study(Episodes(shown, nothing.long(), nothing, nothing.bool(), one, one.bool()))
    outputs = 20 * (sight.read(shown) - 0.5)
    assert torch.equal(sight.show(outputs), shown)
    assert torch.equal(sight.draw(outputs, torch.rand(COUNT, 2)), shown)


def test_lone_cells_are_drawn_as_often_as_they_are_likely():
    sight, _ = boards(False)
    n = 4000
    outputs = torch.zeros(n, 2 * CELLS)
    outputs[:, :CELLS] = -torch.inf
    outputs[:, 3], outputs[:, 7] = 0.0, torch.tensor(3.0).log()
    u = ((torch.arange(n) + 0.5) / n)[:, None].expand(-1, 2)
    share = sight.draw(outputs, u)[:, 0].flatten(1).mean(0)
    assert share[[3, 7]].tolist() == [0.25, 0.75]


def test_boards_of_older_worlds_are_cells_of_0_and_1():
    sight, _ = boards(False)
    fresh = Boards(WorldSpec("Board-v0", spaces.Box(0.0, 1.0, (2, 4, 5)), spaces.Discrete(2)))
    fresh.load_state_dict({})
    assert not fresh.single.any()
    assert fresh.values.unique().tolist() == [0, 1]
    fresh.load_state_dict(sight.state_dict())
    assert torch.equal(fresh.values, sight.values)
