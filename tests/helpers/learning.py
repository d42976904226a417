"""Learning is chaotic: the last bit of a product decides what becomes of one seed."""

import math
from collections.abc import Callable
from pathlib import Path

from agents.agent import Agent
from agents.loading import load
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer


def best_of(train: Callable[[int], float], bar: float, seeds: int = 3) -> float:
    """Return the first score that reaches `bar`, trying `seeds` seeds, else the best.

    A healthy algorithm that fails one seed in five fails three in a row on no more than one
    processor in a hundred; a broken one passes none. How many of five seeds pass is kept in
    `results/`.
    """
    best = -float("inf")
    for seed in range(seeds):
        best = max(best, train(seed))
        if best >= bar:
            break
    return best


def best_agent(agent: Agent, folder: Path, steps: int, highest: float) -> Agent:
    """Return the agent of a training's best checkpoint.

    Training ends where an evaluation reaches `highest`: nothing that came later would be better.
    """
    run = RunFolder(folder)
    config = RunConfig.default(agent, steps)
    known = [lambda progress: (progress.best_return or -math.inf) < highest]
    Trainer(agent, run, config, callbacks=known, progress=False).run(steps)
    return load(folder, checkpoint="best")
