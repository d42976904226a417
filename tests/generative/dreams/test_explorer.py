"""Who collects where states can be counted."""

import gymnasium as gym
import numpy as np
import torch

from generative.dreams.explorer import Explorer, drawn
from generative.dreams.tables import beside_real_table, best_policy, chain
from generative.worlds.episodes import Episodes
from generative.worlds.experience import collect, spec_of
from generative.worlds.spaces import WorldSpec
from generative.worlds.table import TableWorld
from generative.worlds.world import World

HALL = WorldSpec("hall", gym.spaces.Discrete(6, start=3), gym.spaces.Discrete(2, start=1))


def counted(spec: WorldSpec, before, action, after, reward) -> TableWorld:
    """Return the table of steps, each an episode."""
    count = len(before)
    seen = torch.tensor([before, after]).T.flatten()
    rows = torch.tensor(action), torch.tensor(reward), torch.zeros(count, dtype=torch.bool)
    table = TableWorld.blank(spec)
    table.study(Episodes(seen, *rows, torch.ones(count).long(), torch.zeros(count).bool()))
    return table


def test_worlds_that_may_be_are_as_often_so_as_counts_say():
    """Mean (n + 1/12)/(N + 1) and variance mean·(1 − mean)/(N + 2), of Dirichlet(n + 1/12)."""
    table = counted(HALL, [4] * 5, [1] * 5, [5, 5, 5, 6, 6], [0.0] * 5)
    rng = np.random.default_rng(0)
    p = np.stack([drawn(table, rng).goes_on[1, 0] for _ in range(4000)])  # [N, S]
    mean = np.array([0, 0, 3, 2, 0, 0]) / 6 + 1 / 72
    np.testing.assert_allclose(p.mean(0), mean, atol=0.012)
    np.testing.assert_allclose(p.var(0), mean * (1 - mean) / 7, atol=0.003)


def test_what_was_never_done_is_tried_first():
    """Action 2 of state 4 was never taken; action 1, taken often, leads to where nothing pays."""
    states = [s for s in range(3, 9) for _ in range(100)]
    actions = [a for s in range(3, 9) for a in ([1] * 100 if s == 4 else [1, 2] * 50)]
    table = counted(HALL, states, actions, states, [0.0] * 600)
    action, _ = Explorer(table).predict(np.full(50, 4), None, np.ones(50, bool), False)
    assert (action == 2).all()


def test_a_policy_goes_with_its_episode():
    explorer = Explorer(TableWorld.blank(HALL), seed=1)
    everywhere, begins = np.arange(3, 9).repeat(4), np.zeros(24, bool)
    action, policies = explorer.predict(everywhere, None, ~begins, False)
    assert {1, 2} == set(action)
    begins[:12] = True
    kept = policies.copy()
    _, again = explorer.predict(everywhere, policies, begins, False)
    assert (again[12:] == kept[12:]).all()
    assert (again[:12] != kept[:12]).any()
    same, _ = Explorer(TableWorld.blank(HALL), seed=1).predict(everywhere, None, ~begins, False)
    assert (same == action).all()


def test_of_a_world_that_is_known_well_it_takes_the_best_actions():
    """As often as the lake was lived in for every action, all that may be so is alike."""
    spec = spec_of("dreamgym/Lake-v0")
    table = World.of(spec, collect(spec, 400, seed=1)).dynamics
    real = chain(spec.make().unwrapped.P)
    table.counts.copy_(1e5 * torch.from_numpy(np.concatenate([real.goes_on, real.ends], -1)))
    table.reward.zero_()
    table.reward[:, :, 16 + 15] = 1.0
    expected, _ = best_policy(real)
    found, _ = best_policy(drawn(table, np.random.default_rng(0)))
    alive = real.goes_on.sum(-1).any(1)
    assert (found == expected)[alive].all()


def test_an_explorer_leaves_less_regret_than_random_actions():
    """Of 8,000 steps on the lake; the mean over seeds, of which random ones are cheap."""
    spec = spec_of("dreamgym/Lake-v0")

    def regret(world: World) -> float:
        return {figure.name: figure.value for figure in beside_real_table(world)}["regret"]

    def explored(seed: int) -> float:
        parts, table = [], TableWorld.blank(spec)
        for number in range(4):
            explorer = Explorer(table, 10 * seed + number)
            parts.append(collect(spec, 2000, actor=explorer, seed=10 * seed + number))
            world = World.of(spec, Episodes.joined(parts))
            table = world.dynamics
        return regret(world)

    blindly = [regret(World.of(spec, collect(spec, 8000, seed=seed))) for seed in range(5)]
    assert np.mean([explored(seed) for seed in range(3)]) < 0.5 * np.mean(blindly)
