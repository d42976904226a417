"""Dream beside reality, step after step, as one picture."""

import numpy as np
import torch
from numpy.typing import NDArray

from ..worlds.episodes import Windows
from ..worlds.world import World
from .fidelity import follow
from .pictures import GAP, PAPER, draw

PAIRS = 5
MOMENTS = 10
LARGEST = 96  # pixels of a moment's longer side, at most


def strips(world: World, windows: Windows) -> NDArray[np.uint8]:
    """Return a picture of moments: what really followed, and below it what was dreamed of it.

    Noise, and the choice of moments, come from torch's global generator.

    Args:
        world: what dreams.
        windows: real experience, on the world's device.

    Returns:
        `[H, W, 3]`: for some pieces of experience two rows, from left to right in time; the first
        moment is given, and where the episode is over there is nothing.
    """
    long = Windows(windows.name, windows.episodes, min(MOMENTS - 1, world.longest))
    rows = torch.randperm(len(long))[:PAIRS].to(windows.device)
    window = long.batch(rows)
    dreamed = torch.cat([window.observation[:1], follow(world, window).observation])
    there = torch.cat([torch.ones_like(window.lived[:1]), window.lived]).cpu().numpy()
    lines = []
    for row in range(len(rows)):
        for shown in (window.observation, dreamed):
            moments = draw(world.spec, shown[:, row])  # [T, H, W, 3]
            step = max(1, -(-max(moments.shape[1:3]) // LARGEST))
            moments = moments[:, ::step, ::step].copy()
            moments[~there[:, row]] = PAPER
            framed = np.pad(moments, ((0, 0), (0, GAP), (0, GAP), (0, 0)), constant_values=PAPER)
            lines.append(np.concatenate(list(framed), axis=1))
        lines.append(np.full((2 * GAP, *lines[-1].shape[1:]), PAPER, np.uint8))
    return np.concatenate(lines[:-1])
