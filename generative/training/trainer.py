"""Training: every player takes its steps in turn; segments between checkpoints resume exactly.

A segment, in an uninterrupted run as in a resumed one, starts with freshly seeded generators,
derived from the run's seed and the segment's number, and the rows of batch k depend on the seed
and k alone: no generator state is ever saved. Nothing waits for the device between rows of the log.
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import asdict, replace
from functools import cached_property
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nets.arguments import checked
from nets.glance import Shown
from nets.kinds import Whole
from nets.near import shortened
from nets.process.device import cpu_settings
from nets.process.distributed import ALONE, Team
from nets.process.interrupts import left_at
from nets.process.progress import Bar, progress_bar
from nets.process.seeding import give_way, hash31, seeded
from nets.runs.checkpoint import fitting, save_checkpoint
from nets.runs.configurations import require_found
from nets.runs.divergence import Diverged as Diverged
from nets.runs.divergence import find_not_finite, still_interrupted
from nets.runs.fingerprints import content
from nets.runs.run_log import RunLog
from nets.settings import required
from nets.tracking.opening import open_log
from nets.tracking.tracking import Tracking

from ..model import GenerativeModel, Rows
from .learner import Learner, check_finite
from .looks import Looks
from .pending import Pending
from .run import RunConfig, RunFolder
from .watch import Watch


class Trainer(Shown):
    """Trains one model, and leaves a run folder when given one.

    Args:
        model: the model; it is moved to the device.
        data: rows to train on; they are moved to the device, where they stay.
        run: where to write; None trains in memory.
        config: how the run is cut up; suitable lengths when None.
        held_out: rows to measure the model on.
        seed: of order and noise.
        device: where to train.
        team: the processes that train together.
        draw: draws the trained model beside rows, held-out ones where there are any; what it
            returns goes to TensorBoard.
        progress: whether to draw a progress bar.
        track: tells a tracker of the training; whoever made it closes it.

    Raises:
        ValueError: a batch cannot be dealt evenly to the processes; or training is to stop by a
            held-out loss that there is none of.
    """

    @checked
    def __init__(
        self,
        model: GenerativeModel,
        data: Rows,
        run: RunFolder | None = None,
        config: RunConfig | None = None,
        *,
        held_out: Rows | None = None,
        seed: int = 0,
        device: str | torch.device = "auto",
        team: Team = ALONE,
        draw: Callable[[GenerativeModel, Any], Mapping[str, NDArray[np.uint8]]] | None = None,
        progress: bool = True,
        track: Tracking | None = None,
    ) -> None:
        for name, rows in (("data", data), ("held_out", held_out)):
            if not hasattr(rows, "batch") and not (name == "held_out" and rows is None):
                expected = "rows, as load_dataset returns them or Dataset(name, x) holds them"
                raise TypeError(f"{name} is {shortened(rows)}: expected {expected}")
        self.learner = Learner(model, data, seed=seed, device=device, team=team)
        self.model, self.data, self.device = model, self.learner.data, self.learner.device
        self.held_out = None if held_out is None else held_out.to(self.device)
        self.run_folder, self.config, self.seed = run, config, required("seed", seed, Whole)
        self.team, self.show_progress, self.track = team, progress, track
        self.segment = 0
        self.watch = Watch(self.learner, run)
        self.looks = Looks(self.learner, self.held_out, draw, self.seed)
        self.pending = Pending(self.learner)
        self._found: dict[str, Any] | None = None  # the state before the first checkpoint
        self._log = RunLog()
        if self.watch.patience and "loss" not in self.looks.measured():
            message = f"patience is {self.watch.patience}, but of held-out rows there is no loss"
            raise ValueError(f"{message} of {model.name} to become better")

    @property
    def facts(self) -> dict[str, Any]:
        """What is trained on how many rows, where that is written, and how far it is."""
        run = None if self.run_folder is None else str(self.run_folder.path)
        told = {"model": self.model.name, "rows": len(self.data), "run": run}
        return told | {"steps": self.steps, "device": str(self.device), "seed": self.seed}

    @property
    def steps(self) -> int:
        """Turns of all players so far."""
        return self.learner.steps

    @property
    def trained(self) -> GenerativeModel:
        """The model to sample from and to measure: of averaged weights, where there are any."""
        return self.learner.trained

    @property
    def unseen(self) -> Rows:
        """The held-out rows; where there are none, the others."""
        return self.looks.unseen

    @property
    def stopped(self) -> bool:
        """Whether the held-out loss has not become better for `patience` evaluations."""
        return self.watch.stopped

    @property
    def best_loss(self) -> float | None:
        """The lowest held-out loss so far; None where there has been none."""
        return self.watch.best_loss

    def best(self) -> GenerativeModel:
        """Return a copy of the model with the weights of the lowest held-out loss so far.

        They are those of the file `best/`, or, where nothing is written, were kept in memory.

        Raises:
            ValueError: no held-out loss has been measured.
        """
        return self.watch.best()

    def run(self, steps: int) -> None:
        """Train until `steps` steps have been taken in all.

        Raises:
            KeyboardInterrupt: Ctrl-C, after a clean stop: `checkpoints/interrupted.pt` shows the
                state at that moment, and the next call, as a resumed run, goes on from the last
                segment. Without a folder, where nothing can be gone back to, it goes on from that
                moment, with new noise.
            Diverged: a loss, also of held-out rows, a weight or a moment of Adam is not finite;
                nothing of it is saved.
            CheckpointError: the folder holds a run of something else, or of other rows.
            Occupied: another process trains in the folder.
        """
        steps, folder = required("steps", steps, Whole), self.run_folder
        with nullcontext() if folder is None else folder.owned(self.team.leads):
            self._run(steps)

    def _run(self, steps: int) -> None:
        config = replace(self.config or RunConfig.default(steps), steps=steps)
        require_found(self.model.config, to_learn=True)
        self.learner.horizon = steps
        self.pending.clear()
        self._open()
        if self.team.leads:
            about = {"data": self.data.name, "seed": self.seed, "run": asdict(config)}
            record = self.model.manifest() | about
            self._log = open_log(self.run_folder, self.steps, self.track, record)
        bar = progress_bar(steps, self.steps, shown=self.show_progress and self.team.leads)
        with cpu_settings(config.threads), bar:
            try:
                while self.steps < steps and not self.stopped:
                    self._segment(config, bar)
            except KeyboardInterrupt as interruption:
                with still_interrupted(interruption):
                    self.snapshot()
                what, run = f"{self.model.name} on {self.data.name}", self.run_folder
                folder = None if run is None else run.path
                interruption.add_note(left_at(what, self.steps, folder, "noise"))
                raise
            finally:
                self._log.close()

    def snapshot(self) -> None:
        """Save the state of this moment as `checkpoints/interrupted.pt`, to look at.

        A run never goes on from there: its generators are between two seeds.

        Raises:
            Diverged: it is not finite; nothing is saved.
        """
        if self.run_folder is not None and self.team.leads:
            state = self.state_dict()
            name = find_not_finite(state)
            if name is not None:
                raise self.learner.diverged(f"{name} is not finite after step {self.steps}")
            save_checkpoint(self.run_folder.files.interrupted, state)

    def state_dict(self) -> dict[str, Any]:
        """Everything that later steps depend on, and what it takes to build the model."""
        more = {"seed": self.seed, "segment": self.segment, "watch": self.watch.state_dict()}
        more |= {} if self.run_folder is None else self._rows
        return self.learner.state_dict() | more

    @property
    def described(self) -> dict[str, Any]:
        """What stays the same in the states of a run."""
        return self.model.manifest() | {"seed": self.seed} | self._rows

    @cached_property
    def _rows(self) -> dict[str, Any]:
        """Fingerprints of the rows, or that there are none held out."""
        parts = {"train": self.data, "held out": self.held_out}
        return {
            "rows": {
                name: None if part is None else content(part.columns)
                for name, part in parts.items()
            }
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.learner.load_state_dict(state)
        self.segment = state["segment"]
        self.watch.load_state_dict(state["watch"])

    def _open(self) -> None:
        """Go to the last checkpoint, or the first state, and cut the run's files back to it."""
        if self.run_folder is None:
            return
        folder = self.run_folder
        last = folder.newest(self.described, check_finite) if self.team.leads else None
        state = self.team.tell(last)
        if state is not None:
            with fitting(self.run_folder.files.of_step(state["step"])):
                self.load_state_dict(state)
            if self.best_loss is not None and not self.team.tell(
                self.team.leads and folder.has_best()
            ):
                self.watch.forget()
        elif self._found is None:
            self._found = deepcopy(self.state_dict())
        else:
            self.load_state_dict(deepcopy(self._found))

    def _segment(self, config: RunConfig, bar: Bar) -> None:
        """Train up to the next checkpoint."""
        end = min(self.steps + config.segment_steps, config.steps)
        self.model.train()
        try:
            with seeded(hash31(self.seed, "segment", self.segment, self.team.rank)):
                while self.steps < end and not self.stopped:
                    self._advance(config, end, bar)
            self.learner.require_finite()
        except BaseException:
            if self.run_folder is None:  # nothing is gone back to: next comes another segment
                self.segment += 1
            raise
        self.segment += 1
        if self.run_folder is not None and self.team.leads:
            self._log.flush()
            self.run_folder.write(self.steps, self.state_dict(), self._log.mark())
        self._found = None

    def _advance(self, config: RunConfig, end: int, bar: Bar) -> None:
        """Go to the next moment at which something other than a step happens."""
        self.team.heed(self.device)
        before, started = self.steps, perf_counter()
        intervals = (config.log_every, config.eval_every, config.draw_every)
        target = min(end, *((before // every + 1) * every for every in intervals if every))
        while self.steps < target:
            give_way()
            self.pending.add(self.learner.turn())
            bar.update()
        row = self.pending.read()
        rows = (target - before) * self.learner.epochs.batch_size
        speed = rows / (perf_counter() - started)
        if config.eval_every and (target % config.eval_every == 0 or target == config.steps):
            row |= self._evaluate()
        self._log.write(target, row, timed={"rows_per_second": speed})
        if config.draw_every and target % config.draw_every == 0 and self.team.leads:
            self._log.pictures(target, self.looks.pictures())
        bar.set_postfix(
            {k: f"{v:.4g}" for k, v in row.items() if k.endswith("loss")}, refresh=False
        )

    def _evaluate(self) -> dict[str, float]:
        """Measure the held-out rows, and keep the best weights so far."""
        self.learner.require_finite()
        measured = self.team.tell(self.looks.measured() if self.team.leads else {})
        self.watch.take(measured)
        return {f"validation/{name}": value for name, value in measured.items()}
