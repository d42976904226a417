"""How true dreams are: what a model foresees, beside what really followed.

Every figure stands beside two that know nothing of the world: copying what was seen last, and the
model under actions of other moments.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from nets.counted import counted
from nets.process.seeding import seeded

from ..metrics.measure import Figure
from ..worlds.episodes import Episodes, Window, Windows
from ..worlds.spaces import WorldSpec
from ..worlds.world import World

HORIZONS = (1, 2, 4, 8, 16, 32)
CELL = 1 / 512  # half of the distance of values of a cell where many are told apart
WINDOWS = 512  # pieces of held-out experience that are followed


@dataclass(frozen=True)
class Foreseen:
    """What a model says of each step of B windows, from the first observation on."""

    observation: Tensor  # [T, B, *]
    reward: Tensor  # [T, B]
    terminated: Tensor  # [T, B] bool


def follow(world: World, window: Window) -> Foreseen:
    """Dream on from the first observations by the actions that were really taken.

    Noise comes from torch's global generator.
    """
    rows = window.action.shape[1]
    state = world.begin(window.observation[0], world.noise(rows))
    seen = []
    for action in window.action:
        state, *shown = world.step(state, action, world.noise(rows))
        seen.append(shown)
    observation, reward, terminated = map(torch.stack, zip(*seen, strict=True))
    return Foreseen(observation, reward, terminated)


def errors(spec: WorldSpec, found: Tensor, real: Tensor, scale: Tensor) -> Tensor:
    """Return how wrong observations `[*, *shape]` are, `[*]`.

    A state, a board or a picture is right or wrong (a pixel counts as light or dark, a cell may be
    off by 1/512); the error of a vector is its distance over the standard deviations `scale` `[D]`,
    over √D.
    """
    first = real.dim() - len(spec.shape)  # dimension of an observation
    if spec.kind == "discrete":
        return (found != real).float()
    if spec.kind == "board":
        return ((found.float() - real.float()).abs() > CELL).flatten(first).any(-1).float()
    if spec.kind == "picture":
        return ((found > 127) != (real > 127)).flatten(first).any(-1).float()
    difference = (found.double() - real.double()).flatten(first) / scale
    return difference.square().mean(-1).sqrt().float()


def truth(world: World, held_out: Episodes, *, seed: int = 0) -> Iterator[Figure]:
    """Yield the figures of a world on experience that it did not learn from.

    Args:
        world: on any device.
        held_out: episodes of the real world.
        seed: of noise and choices.
    """
    spec = world.spec
    longest = int(held_out.lengths.max())
    horizons = [k for k in HORIZONS if k <= longest]
    with seeded(seed):
        rows = Windows(spec.env_id, held_out, horizons[-1]).to(world.device)
        count = min(WINDOWS, len(rows))
        window = rows.batch(torch.randperm(len(rows))[:count].to(world.device))
        shuffled = window._replace(action=window.action[:, torch.randperm(count)])
        found, blind = follow(world, window), follow(world, shuffled)
    every = held_out.observation.double().view(len(held_out.observation), -1)  # [N + E, D]
    std = every.std(0, correction=0)
    scale = torch.where(std > 1e-6, std, 1.0).to(world.device)
    what = "distance over standard deviations" if spec.kind == "vector" else "share that is wrong"
    first, real = window.observation[0], window.observation[1:]
    for k in horizons:
        lived = window.lived[k - 1]
        if not lived.any():
            continue

        def mean(values: Tensor, lived: Tensor = lived) -> float:
            return float(values[lived].mean())

        after = real[k - 1]
        steps = f"{counted(k, 'step')} on"
        wrong = mean(errors(spec, found.observation[k - 1], after, scale))
        yield Figure(f"error_{k}", wrong, f"{what}, {steps}")
        copied = mean(errors(spec, first, after, scale))
        yield Figure(f"error_{k}_copied", copied, "the same of copying the first observation")
        blindly = mean(errors(spec, blind.observation[k - 1], after, scale))
        yield Figure(f"error_{k}_shuffled", blindly, "the same under actions of other moments")
        off = mean((found.reward[k - 1] - window.reward[k - 1]).abs())
        yield Figure(f"reward_{k}", off, f"mean error of the reward, {steps}")
    yield from _ends(found, window)


def _ends(found: Foreseen, window: Window) -> Iterator[Figure]:
    """Yield how well ends are foreseen, at any step before which none was dreamed."""
    ended = found.terminated.long().cumsum(0) - found.terminated.long()  # before each step
    counted = window.lived & (ended == 0)
    said, so = found.terminated[counted], window.terminated[counted]
    both = float((said & so).sum())
    told = f"share of dreamed ends that were real, of {int(said.sum())}"
    yield Figure("end_precision", both / max(int(said.sum()), 1), told)
    kept = f"share of real ends that were dreamed, of {int(so.sum())}"
    yield Figure("end_recall", both / max(int(so.sum()), 1), kept)
