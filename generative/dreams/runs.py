"""Measure the run of a world: how true its dreams are, and what agents get in them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nets.runs.checkpoint import fitting

from ..data.actors import foreign_world, load_actor
from ..metrics.measure import Figure
from ..metrics.runs import Asked
from ..training.run import RunFolder
from ..worlds.stored import deal, load_experience
from ..worlds.world import World
from .fidelity import truth
from .returns import gap
from .tables import beside_real_table
from .waking import require_known


def measure_run(
    world: World, folder: Path, record: Mapping[str, Any], asked: Asked
) -> Iterator[Figure]:
    """Yield how true a world is: on held-out episodes, beside a real table, and to an agent.

    Args:
        world: in evaluation mode.
        folder: of the run.
        record: its `config.json`.
        asked: its agent acts in dreams and in the real world.

    Raises:
        CheckpointError: what was lived through is not in the folder, or is not what the world was
            learned from; or an agent is to act in a real world of a module that is neither known
            nor trusted.
        ValueError: the agent cannot act here.
    """
    actor, known = None, asked.trust or not foreign_world(world.spec.env_id)
    if asked.actor is not None:
        if not known:
            require_known(world.spec)
        actor = load_actor(str(asked.actor), trust=asked.trust)
    run = RunFolder(folder)
    with fitting(run.config_file):
        share, seed = run.run_config().held_out, record["seed"]
    train, held_out = deal(load_experience(run), share, seed)
    yield from truth(world, train if held_out is None else held_out, seed=asked.seed)
    if known:
        yield from beside_real_table(world)
    if actor is not None:
        yield from gap(world, actor, episodes=asked.episodes, seed=asked.seed)
