"""Training: every player takes its steps in turn; segments between checkpoints resume exactly.

A segment, in an uninterrupted run as in a resumed one, starts with freshly seeded generators,
derived from the run's seed and the segment's number, and the rows of batch k depend on the seed
and k alone: no generator state is ever saved. Nothing waits for the device between rows of the log.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from nets.training.averaging import ExponentialAverage
from nets.training.checkpoint import fitting, save_checkpoint
from nets.training.device import cpu_settings, resolve_device
from nets.training.distributed import ALONE, Team
from nets.training.interrupts import uninterrupted
from nets.training.logs import MetricsFile, TensorBoard
from nets.training.seeding import hash31, seeded

from .dataset import Dataset
from .epochs import Epochs
from .metrics.likelihood import held_out_terms
from .model import Batch, GenerativeModel
from .optimisation import PlayerOptimiser, learning_rate, mixed_precision
from .run import RunConfig, RunFolder


class Diverged(RuntimeError):
    """A loss or a weight is no longer finite; the message names player and step."""


class Trainer:
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

    Raises:
        ValueError: a batch cannot be dealt evenly to the processes; or training is to stop by a
            held-out loss that there is none of.
    """

    def __init__(
        self,
        model: GenerativeModel,
        data: Dataset,
        run: RunFolder | None = None,
        config: RunConfig | None = None,
        *,
        held_out: Dataset | None = None,
        seed: int = 0,
        device: str | torch.device = "auto",
        team: Team = ALONE,
        draw: Callable[[GenerativeModel, Dataset], Mapping[str, NDArray[np.uint8]]] | None = None,
        progress: bool = True,
    ) -> None:
        self.device = resolve_device(device)
        self.channels_last = any(isinstance(m, nn.Conv2d) for m in model.modules())
        layout = torch.channels_last if self.channels_last else torch.preserve_format
        self.model = model.to(self.device, memory_format=layout)  # type: ignore[call-overload]
        self.data = data.to(self.device)
        self.held_out = None if held_out is None else held_out.to(self.device)
        self.run_folder, self.config, self.seed = run, config, seed
        self.team, self.draw, self.show_progress = team, draw, progress
        settings = model.config
        autocast = mixed_precision(settings, self.device, model.shape)
        players = model.players()
        self.players = [PlayerOptimiser(model, player, autocast, team) for player in players]
        self.batches_per_turn = max(player.player.steps for player in self.players)
        self.epochs = Epochs(len(data), settings.batch_size, seed, self.device)
        team.share(self.epochs[0])
        decay = settings.ema_decay
        self.average = ExponentialAverage(model, decay) if decay else None
        self.steps = self.segment = self.waited = 0
        self.best_loss: float | None = None
        self.interrupted = False
        self.pending: list[dict[str, Tensor]] = []  # metrics of the steps since the last row
        self._metrics_file: MetricsFile | None = None
        self._board: TensorBoard | None = None
        if settings.patience and "loss" not in self._validate():
            message = f"patience is {settings.patience}, but of held-out rows there is no loss"
            raise ValueError(f"{message} of {model.name} to become better")

    @property
    def trained(self) -> GenerativeModel:
        """The model to sample from and to measure: of averaged weights, where there are any."""
        return self.model if self.average is None else self.average.module

    @property
    def unseen(self) -> Dataset:
        """The held-out rows; where there are none, the others."""
        return self.data if self.held_out is None else self.held_out

    @property
    def stopped(self) -> bool:
        """Whether the held-out loss has not become better for `patience` evaluations."""
        return 0 < self.model.config.patience <= self.waited

    def run(self, steps: int) -> None:
        """Train until `steps` steps have been taken in all.

        Ctrl-C stops cleanly: `checkpoints/interrupted.pt` shows the state at that moment, and a
        resumed run goes on from the last segment.

        Raises:
            Diverged: a loss or a weight is no longer finite.
        """
        config = replace(self.config or RunConfig.default(steps), steps=steps)
        self.interrupted = False
        self._open()
        with cpu_settings(config.threads), self._bar(steps) as bar:
            try:
                while self.steps < steps and not self.stopped:
                    self._segment(config, bar)
            except KeyboardInterrupt:
                self.interrupted = True
                self.pending.clear()
                if self.run_folder is not None and self.team.leads:
                    save_checkpoint(self.run_folder.files.interrupted, self.state_dict())
            finally:
                if self._board is not None:
                    self._board.close()

    def turn(self) -> dict[str, Tensor]:
        """Let every player take its steps; return their metrics, left on the device."""
        rate, first = learning_rate(self.model.config, self.steps), self.steps
        first *= self.batches_per_turn
        batches = [self._batch(first + k) for k in range(self.batches_per_turn)]
        metrics: dict[str, Tensor] = {}
        for player in self.players:
            taken: dict[str, Tensor] = {}
            for batch in batches[: player.player.steps]:
                taken = player.step(batch, rate)
            metrics |= taken
        if self.average is not None:
            self.average.update()
        self.steps += 1
        return metrics

    def state_dict(self) -> dict[str, Any]:
        """Everything that later steps depend on, and what it takes to build the model."""
        return self.model.manifest() | {
            "step": self.steps,
            "segment": self.segment,
            "weights": self.model.state_dict(),
            "average": None if self.average is None else self.average.module.state_dict(),
            "optimisers": {p.player.name: p.optimiser.state_dict() for p in self.players},
            "best_loss": self.best_loss,
            "waited": self.waited,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.model.load_state_dict(state["weights"])
        if self.average is not None:
            self.average.module.load_state_dict(state["average"])
        for player in self.players:
            player.optimiser.load_state_dict(state["optimisers"][player.player.name])
        self.steps, self.segment = state["step"], state["segment"]
        self.best_loss, self.waited = state["best_loss"], state["waited"]

    def _open(self) -> None:
        """Go to the last checkpoint of the run, and cut its files back to it."""
        if self.run_folder is None:
            return
        state = self.team.tell(self.run_folder.last_state() if self.team.leads else None)
        if state is not None:
            with fitting(self.run_folder.files.of_step(state["step"])):
                self.load_state_dict(state)
        if self.team.leads:
            self._metrics_file = MetricsFile(self.run_folder.metrics_file, self.steps)
            self._board = TensorBoard(self.run_folder.path, self.steps)

    def _segment(self, config: RunConfig, bar: "tqdm[Any]") -> None:
        """Train up to the next checkpoint."""
        end = min(self.steps + config.segment_steps, config.steps)
        self.model.train()
        with seeded(hash31(self.seed, "segment", self.segment, self.team.rank)):
            while self.steps < end and not self.stopped:
                self._advance(config, end, bar)
        for player in self.players:
            if not all(bool(p.isfinite().all()) for p in player.own):
                name = player.player.name
                raise Diverged(f"weights of the {name} are not finite after step {self.steps}")
        self.segment += 1
        if self.run_folder is not None and self._board is not None:
            self._board.flush()
            self.run_folder.save(self.steps, self.state_dict())

    def _advance(self, config: RunConfig, end: int, bar: "tqdm[Any]") -> None:
        """Go to the next moment at which something other than a step happens."""
        before, started = self.steps, perf_counter()
        intervals = (config.log_every, config.eval_every, config.draw_every)
        target = min(end, *((before // every + 1) * every for every in intervals if every))
        while self.steps < target:
            self.pending.append(self.turn())
            bar.update()
        row = self._read_pending()
        rows = (target - before) * self.epochs.batch_size
        speed = rows / (perf_counter() - started)
        if config.eval_every and (target % config.eval_every == 0 or target == config.steps):
            row |= self._evaluate()
        if self._metrics_file is not None and self._board is not None:
            with uninterrupted():
                self._metrics_file.write(target, row)
                self._board.scalars(target, row | {"rows_per_second": speed})
        if config.draw_every and target % config.draw_every == 0:
            self._draw()
        bar.set_postfix(
            {k: f"{v:.4g}" for k, v in row.items() if k.endswith("loss")}, refresh=False
        )

    def _read_pending(self) -> dict[str, float]:
        """Return the means of the metrics since the last row: here the device is waited for.

        Raises:
            Diverged: a loss was not finite.
        """
        pending, self.pending = self.pending, []
        names = list(pending[0])
        table = torch.stack([torch.stack([m[name].float() for m in pending]) for name in names])
        table = self.team.mean(table).cpu()  # [metrics, steps]
        for player in self.players:
            k = names.index(player.loss_name)
            wrong = (~table[k].isfinite()).nonzero()
            if len(wrong):
                n = int(wrong[0])
                step = self.steps - len(pending) + n + 1
                value = table[k, n].item()
                raise Diverged(f"the loss of the {player.player.name} is {value} at step {step}")
        return dict(zip(names, table.mean(1).tolist(), strict=True))

    def _evaluate(self) -> dict[str, float]:
        """Measure the held-out rows, and keep the best weights so far."""
        measured = self.team.tell(self._validate() if self.team.leads else {})
        loss = measured.get("loss")
        if loss is not None and (self.best_loss is None or loss < self.best_loss):
            self.best_loss, self.waited = loss, 0
            if self.run_folder is not None and self.team.leads:
                best = {"step": self.steps, "weights": self.trained.state_dict(), "loss": loss}
                save_checkpoint(self.run_folder.files.best, self.model.manifest() | best)
        elif loss is not None:
            self.waited += 1
        return {f"validation/{name}": value for name, value in measured.items()}

    def _validate(self) -> dict[str, float]:
        """Return the means over the held-out rows of what the model measures."""
        if self.held_out is None:
            return {}
        with self._looking("validation") as model:
            return held_out_terms(model, self.held_out)

    def _draw(self) -> None:
        if self.draw is not None and self.team.leads:
            with self._looking("drawing") as model, torch.no_grad():
                pictures = self.draw(model, self.unseen)
            if self._board is not None:
                with uninterrupted():
                    self._board.pictures(self.steps, pictures)

    @contextmanager
    def _looking(self, purpose: str) -> Iterator[GenerativeModel]:
        """Look at the trained model with noise of its own, the same every time."""
        with seeded(hash31(self.seed, purpose)):
            yield self.trained.eval()
        self.model.train()

    def _batch(self, k: int) -> Batch:
        return self._layout(self.data.batch(self.team.share(self.epochs[k])))

    def _layout(self, batch: Batch) -> Batch:
        """Lay pictures out as convolutions like them."""
        if not self.channels_last or batch.x.dim() != 4:
            return batch
        return batch._replace(x=batch.x.contiguous(memory_format=torch.channels_last))

    @contextmanager
    def _bar(self, steps: int) -> Iterator["tqdm[Any]"]:
        with tqdm(
            total=steps,
            initial=self.steps,
            unit="step",
            unit_scale=True,
            disable=not (self.show_progress and self.team.leads),
            dynamic_ncols=True,
            mininterval=0.1 if sys.stderr.isatty() else 10.0,  # a log file gets a line now and then
        ) as bar:
            yield bar
