"""The models of worlds: what they lower, what they dream, how they are made again."""

import math
from dataclasses import replace

import pytest
import torch

from generative.training.trainer import Trainer
from generative.worlds.config import WorldConfig
from generative.worlds.episodes import Windows
from generative.worlds.experience import collect
from generative.worlds.rewards import RewardValues
from generative.worlds.spaces import spec_of
from generative.worlds.table import TableWorld
from generative.worlds.world import World
from nets.process.seeding import seeded
from tests.helpers.worlds import KINDS, lived, small_world

LEARNING = [kind for kind in KINDS if kind != "table"]


@pytest.mark.parametrize("kind", KINDS)
def test_dreams_are_members_of_the_real_space(kind):
    world = small_world(kind)
    space = world.spec.observation_space
    with seeded(0):
        for observation in world.sample(20):
            shown = observation.numpy()
            assert space.contains(shown if shown.ndim else shown.item())
            assert shown.dtype == space.dtype


@pytest.mark.parametrize("kind", KINDS)
def test_world_is_made_again_from_its_manifest_and_state(kind):
    world = small_world(kind)
    again = World.from_manifest(world.manifest()).eval()
    again.load_state_dict(world.state_dict())
    with seeded(0):
        expected = world.sample(5)
    with seeded(0):
        assert torch.equal(again.sample(5), expected)


@pytest.mark.parametrize("kind", LEARNING)
def test_a_batch_can_be_learned(kind):
    """Steps on the same experience lower what is to be lowered, above what noise leaves of it."""
    world = small_world(kind).train()
    spec, episodes = lived(kind)
    rows = Windows(spec.env_id, episodes, 4).batch(torch.arange(32))
    adam = torch.optim.Adam(world.parameters(), 3e-3)
    with seeded(0):
        losses = []
        for _ in range(60):
            loss = world.dynamics.loss(rows).value
            adam.zero_grad()
            loss.backward()
            adam.step()
            losses.append(loss.item())
    floor = 1.1 * (world.config.kl_posterior + world.config.kl_prior) * world.config.free_nats
    assert losses[-1] - floor * (world.config.model == "rssm") < 0.8 * losses[0]


def test_only_what_was_lived_is_learned_from():
    """Rows beyond an episode's end change neither the loss nor its slope."""
    world = small_world("pixels")
    spec, episodes = lived("pixels")
    window = Windows(spec.env_id, episodes, 6).batch(torch.arange(24))
    assert not window.lived.all()
    other = window._replace(
        reward=torch.where(window.lived, window.reward, 1.0 - window.reward),
        observation=torch.where(
            torch.cat([window.lived[:1] | True, window.lived]).view(7, 24, 1, 1, 1),
            window.observation,
            255 - window.observation,
        ),
    )
    with seeded(0):
        first = world.dynamics.loss(window).value
    with seeded(0):
        assert torch.allclose(world.dynamics.loss(other).value, first, rtol=1e-6)


def test_a_dream_pays_by_what_a_sign_showed_in_its_beginning():
    """Four steps on, for the turn to its side and no other; what is seen then is the same."""
    spec = spec_of("dreamgym/Recall-v0", length=4)
    episodes = collect(spec, 1500, seed=0)
    settings = {"window": 5, "batch_size": 64, "learning_rate": 3e-3, "free_nats": 0.1}
    small = {"hidden": 32, "memory": 32, "groups": 4, "classes": 4}
    with seeded(0):
        world = World.of(spec, episodes, WorldConfig.suited(spec.kind, "rssm", **settings, **small))
    Trainer(world, Windows("recall", episodes, 5), seed=0, device="cpu", progress=False).run(300)
    sign = torch.tensor([1.0, -1.0]).repeat(100)
    action = torch.tensor([1, 1, 0, 0]).repeat(50)
    with seeded(1):
        state = world.eval().begin(torch.stack([sign, 0 * sign], 1), world.noise(200))
        for _ in range(5):
            state, *_, reward, end = world.step(state, action, world.noise(200))
    right = sign == 2 * action - 1
    assert reward[right].mean() > 0.9
    assert reward[~right].mean() < 0.1
    assert end.float().mean() > 0.9


def test_an_ensemble_tells_small_rewards_apart_beside_large_ones():
    """On PointMass costs are of hundreds; below 1 they are known several times as well."""
    spec = spec_of("dreamgym/PointMass-v0")
    episodes, fresh = (collect(spec, steps, seed=seed) for steps, seed in ((2000, 0), (600, 1)))
    small = fresh.reward > -1
    off = {}
    for scale in (False, True):
        settings = {"members": 2, "hidden": 64, "learning_rate": 3e-3, "symlog": scale}
        with seeded(0):
            world = World.of(spec, episodes, WorldConfig.suited(spec.kind, **settings))
        Trainer(world, Windows("mass", episodes, 1), seed=0, device="cpu", progress=False).run(300)
        u = torch.full((int(small.sum()), 1), 0.2)
        reward = world.step((fresh.before[small],), fresh.action[small], u).reward
        off[scale] = (reward - fresh.reward[small]).abs().mean()
    assert off[True] < 0.4 * off[False]


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_rewards_of_an_ensemble_go_no_further_than_e_times_what_was_seen(sign):
    world = small_world("continuous")
    with torch.no_grad():
        for member in world.dynamics.members:
            member[-1].bias[-2] = 1e9 * sign
    reward = world.step((world.starts[:4],), torch.ones(4, 1), torch.rand(4, 1)).reward
    assert (1 + reward.abs() <= math.e * (1 + world.rewards.values.abs().max()) * (1 + 1e-5)).all()


def test_a_table_dreams_as_often_as_it_has_counted():
    spec, episodes = lived("table", 3000)
    world = World.of(spec, episodes)
    table = world.dynamics
    assert isinstance(table, TableWorld)
    assert table.counts.sum() == len(episodes)
    u = ((torch.arange(3000) + 0.5) / 3000)[:, None]
    state, action = torch.full((3000,), 1), torch.full((3000,), 2)
    _, after, reward, end = world.step((state,), action, u)
    where = (episodes.before == 1) & (episodes.action == 2)
    seen = torch.bincount(episodes.after[where], minlength=16) / where.sum()
    dreamed = torch.bincount(after, minlength=16) / 3000
    torch.testing.assert_close(dreamed, seen, atol=1e-3, rtol=0)
    assert not reward.any()
    holes = torch.tensor([5, 7, 11, 12])
    assert torch.equal(end, torch.isin(after, holes))


def test_what_was_never_done_leaves_everything_as_it_is_and_is_worth_nothing():
    spec, episodes = lived("table")
    episodes = replace(episodes, reward=episodes.reward - 2, action=0 * episodes.action)
    table = TableWorld(spec, WorldConfig(), RewardValues([-2.0, -1.0], True))
    table.study(episodes)
    state = torch.arange(16)
    result = table.step((state,), torch.ones(16, dtype=torch.int64), torch.rand(16, 1))
    assert torch.equal(result.observation, state)
    assert (result.reward == -2).all()
    assert not result.terminated.any()
    torch.testing.assert_close(table.probability.sum(-1), torch.ones(16, 4))


@pytest.mark.parametrize(
    ("kind", "model", "words"),
    [
        ("pixels", "table", "a table counts Discrete ones"),
        ("pixels", "ensemble", "an ensemble foresees vectors"),
        ("ensemble", "board", "convolutions foresee boards"),
    ],
)
def test_models_that_do_not_suit_are_refused(kind, model, words):
    spec, episodes = lived(kind)
    with pytest.raises(ValueError, match=words):
        World.of(spec, episodes, WorldConfig(model=model))


@pytest.mark.parametrize(("temperature", "power"), [(1.0, 1.0), (0.5, 2.0), (0.01, 100.0)])
def test_cold_dreams_draw_the_likelier_latents_more_often(temperature, power):
    model = small_world("states", temperature=temperature).dynamics
    p = torch.tensor([0.4, 0.3, 0.1, 0.1, 0.025, 0.025, 0.025, 0.025])
    u = ((torch.arange(4000) + 0.5) / 4000)[:, None].expand(-1, model.rssm.groups)
    drawn = model._draw(p.expand(4000, model.rssm.groups, -1), u)
    expected = (p / p.max()) ** power
    torch.testing.assert_close(drawn.mean((0, 1)), expected / expected.sum(), atol=1e-3, rtol=0.0)
