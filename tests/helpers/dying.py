"""Runs whose process dies in their middle, once."""

import os
import signal

from agents.loop.trainer import Trainer


class Dying(Trainer):
    """Kills its process at the first evaluation behind a checkpoint."""

    def evaluate(self, config):
        row = super().evaluate(config)
        if self.run_folder.files.list():
            os.kill(os.getpid(), signal.SIGKILL)
        return row


def die_or_run(comparison, contender, seed, notes):
    """Run; seed 1 dies the first time. Where, and from which checkpoint, is noted in a file."""
    begun = comparison.run_folder(contender, seed).files.list()
    with (notes / f"seed-{seed}").open("a") as file:
        print(os.getpid(), begun[-1].stem if begun else "new", file=file)
    first = len((notes / f"seed-{seed}").read_text().splitlines()) == 1
    comparison.run(contender, seed, Dying if first and seed == 1 else Trainer)
