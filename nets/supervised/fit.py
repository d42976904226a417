"""Supervised training in one call: batches, validation, metrics, checkpoints (curriculum S-TR)."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer, lr_scheduler

from ..arguments import checked
from ..gradients.modes import evaluation_mode, training_mode
from ..gradients.optim import clip_grads
from ..kinds import Count, Positive, Real
from ..process.seeding import hash31, seeded
from ..runs.checkpoint import fitting, load_checkpoint, save_checkpoint
from ..runs.divergence import Diverged, find_not_finite
from ..runs.ownership import owned_file
from ..settings import Settings, settings_of
from ..tracking.tracking import Tracking
from .early_stopping import EarlyStopping
from .identity import Described, described, plain, require_own, require_same
from .suiting import Measure, Rows, measured, require_rows, training_loss

Row = dict[str, float]
Callback = Callable[[nn.Module, Row], bool | None]


@dataclass(frozen=True)
class FitConfig(Settings):
    """How long to train, and in which portions."""

    epochs: Count = 10
    """Passes over the training rows."""
    batch_size: Count = 32
    """Most rows of a batch; the batches of an epoch are of equal size, to one row."""
    stop_below: Real | None = None
    """Stop, without a further update, at the first batch whose loss is not above this."""
    max_grad_norm: Positive | None = None
    """Clip the global norm of the gradient to this."""
    seed: int = 0
    """Order of the rows, dropout and noise follow from it, epoch by epoch."""


@checked
def fit(
    network: nn.Module,
    train: Rows,
    *,
    loss: Measure,
    optimizer: Optimizer,
    config: FitConfig | None = None,
    validation: Rows | None = None,
    metrics: Mapping[str, Measure] | None = None,
    scheduler: lr_scheduler.LRScheduler | None = None,
    early_stopping: EarlyStopping | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: str | Path | None = None,
    track: Tracking | None = None,
) -> list[Row]:
    """Train `network`, in place: forward, loss, stop test, backward, update (curriculum S-TR-01).

    A run that was killed, called again with the same `checkpoint`, ends in the same weights as one
    that was not (curriculum S-IO-02): every epoch has its own seed. Without such a file a training
    begins anew: early stopping forgets what it saw before. What is frozen stays so, statistics of
    batch norm included (see `training_mode`).

    Args:
        network: maps inputs `[B, ...]` to outputs; batches are brought to its device.
        train: inputs and targets, `[N, ...]` each.
        loss: of (outputs, targets), a scalar; of plain tensors, as `nn.CrossEntropyLoss()`.
        optimizer: of the parameters of `network`.
        config: epochs, batches, seed.
        validation: rows that are measured after every epoch, and never trained on.
        metrics: measures of the validation rows, beside the loss; as in `nets.supervised.metrics`.
        scheduler: stepped after every epoch; `plateau` is given the validation loss, else the loss.
        early_stopping: checks one column of the history after every epoch.
        callbacks: called with the network and the row of every epoch; returning False stops.
        checkpoint: file to keep the whole state in after every epoch, and to go on from; only by
            the training that began it, of the same rows and settings, which may be given more
            epochs.
        track: tells a tracker, such as W&B, the rows of the history; whoever made it closes it.

    Returns:
        The history: for every epoch its number, `learning_rate`, mean `loss` of its rows, and
        `validation_loss` and `validation_NAME` for each metric.

    Raises:
        ValueError: inputs and targets differ in number, there are none, the loss cannot take them,
            what early stopping monitors is not measured, the optimizer is of another network, or
            the scheduler of another optimizer or another training.
        CheckpointError: the checkpoint is of another training; what differs is named.
        Occupied: another process trains into the checkpoint.
        Diverged: a loss, a parameter or a moment of the optimizer is not finite, and no early
            stopping is there to bring the best weights back; the checkpoint stays as it was.
    """
    config = settings_of(FitConfig, config)
    require_rows(train)
    if validation is not None:
        require_rows(validation)
    measured_too = () if validation is None else ("loss", *(metrics or {}))
    columns = ("epoch", "learning_rate", "loss", *(f"validation_{name}" for name in measured_too))
    if early_stopping is not None and early_stopping.monitor not in columns:
        message = f"early stopping monitors {early_stopping.monitor!r}, but there are"
        raise ValueError(f"{message}: {', '.join(columns)}")
    with nullcontext() if checkpoint is None else owned_file(Path(checkpoint)):
        resumes = checkpoint is not None and Path(checkpoint).exists()
        require_own(network, optimizer, scheduler, resumes=resumes)
        if early_stopping is not None:
            early_stopping.reset()
        rows = {"training": train} | ({} if validation is None else {"validation": validation})
        run = _Run(network, optimizer, scheduler, early_stopping, rows)
        about: Described = {}
        if checkpoint is not None:
            about = described(train, validation, loss, config, run.parts)
        if checkpoint is not None and resumes:
            state = load_checkpoint(checkpoint)
            require_same(checkpoint, state, about)
            with fitting(checkpoint):
                run.load_state_dict(state)
        if track is not None:
            track.begin(len(run.history), {"network": type(network).__name__} | asdict(config))
        while len(run.history) < config.epochs and not run.stopped:
            epoch = len(run.history) + 1
            with seeded(hash31(config.seed, "epoch", epoch)):
                row: Row = {"epoch": epoch, "learning_rate": optimizer.param_groups[0]["lr"]}
                row["loss"], run.stopped = _epoch(network, train, loss, optimizer, config)
            if validation is not None:
                found = evaluate(network, validation, {"loss": loss, **(metrics or {})})
                row |= {f"validation_{name}": value for name, value in found.items()}
            if track is not None:
                track.scalars(epoch, row)
            run.finish_epoch(row, callbacks)
            if checkpoint is not None and not run.diverged:
                save_checkpoint(checkpoint, run.state_dict() | {"training": about})
    if early_stopping is not None:
        early_stopping.restore(network)
    return run.history


@checked
def predict(network: nn.Module, inputs: Tensor, *, batch_size: Count = 1024) -> Any:
    """Return outputs `[N, ...]` for inputs `[N, ...]`: in evaluation mode, without gradients.

    The outputs are a tensor or, as those of several heads, tensors by name. Every part of the
    network is left in the mode that it was in (curriculum S-TR-02).
    """
    device = _device(network)
    with evaluation_mode(network), torch.no_grad():
        parts = [network(batch.to(device)) for batch in inputs.split(batch_size)]
    if isinstance(parts[0], Mapping):
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return torch.cat(parts)


@checked
def evaluate(
    network: nn.Module, rows: Rows, measures: Mapping[str, Measure], *, batch_size: Count = 1024
) -> dict[str, float]:
    """Return each measure of all rows at once, not averaged over batches (curriculum S-TR-02).

    Args:
        network: what to measure.
        rows: inputs and targets, `[N, ...]` each.
        measures: functions of (outputs `[N, ...]`, targets `[N, ...]`), by name.
        batch_size: rows that go through the network at a time.
    """
    require_rows(rows)
    outputs = predict(network, rows[0], batch_size=batch_size)
    targets = rows[1].to(_device(network))
    with torch.no_grad():
        return {name: float(measured(each, outputs, targets)) for name, each in measures.items()}


def _epoch(
    network: nn.Module, train: Rows, loss: Measure, optimizer: Optimizer, config: FitConfig
) -> tuple[float, bool]:
    """Go through the rows once; return the mean loss of a row, and whether the stop test held."""
    training_mode(network)
    inputs, targets = train
    device, count = _device(network), len(inputs)
    order = torch.randperm(count).to(inputs.device)
    total, seen = torch.zeros((), device=device), 0
    for rows in order.tensor_split(math.ceil(count / config.batch_size)):
        outputs = network(inputs[rows].to(device))
        value = training_loss(loss, outputs, targets[rows].to(device))
        total += value.detach() * len(rows)
        seen += len(rows)
        if config.stop_below is not None and value.item() <= config.stop_below:
            return total.item() / seen, True
        optimizer.zero_grad()
        value.backward()
        if config.max_grad_norm is not None:
            clip_grads(network, global_norm=config.max_grad_norm)
        optimizer.step()
    return total.item() / seen, False


class _Run:
    """What a training is made of, as one state."""

    def __init__(
        self,
        network: nn.Module,
        optimizer: Optimizer,
        scheduler: lr_scheduler.LRScheduler | None,
        early_stopping: EarlyStopping | None,
        rows: Mapping[str, Rows],
    ) -> None:
        self.parts: dict[str, Any] = {"network": network, "optimizer": optimizer}
        self.parts |= {} if scheduler is None else {"scheduler": scheduler}
        self.parts |= {} if early_stopping is None else {"early_stopping": early_stopping}
        self.rows = rows
        self.history: list[Row] = []
        self.stopped = self.diverged = False

    def finish_epoch(self, row: Row, callbacks: Sequence[Callback]) -> None:
        """Write the row down, and let all who decide see it."""
        self.history.append(row)
        network, scheduler = self.parts["network"], self.parts.get("scheduler")
        if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
            scheduler.step(row.get("validation_loss", row["loss"]))
        elif scheduler is not None:
            scheduler.step()
        stopping: EarlyStopping | None = self.parts.get("early_stopping")
        wrong = self._not_finite(row)
        if wrong is not None:
            if stopping is None or not stopping.can_restore:
                message = f"{wrong} in epoch {row['epoch']:.0f}"
                raise Diverged(f"{message}; {_remedy(self.rows)}")
            self.stopped = self.diverged = stopping.stopped = True
        elif stopping is not None:
            self.stopped |= stopping.check(row[stopping.monitor], network)
        for callback in callbacks:
            said = callback(network, row)
            self.stopped |= said is not None and not said  # NumPy's False is one, too

    def _not_finite(self, row: Row) -> str | None:
        """Say which number that training depends on, or is judged by, is not finite, if any."""
        if not math.isfinite(row["loss"]):
            return f"the loss is {row['loss']}"
        parameters = dict(self.parts["network"].named_parameters())
        moments = self.parts["optimizer"].state_dict()["state"]
        name = find_not_finite(parameters) or find_not_finite(moments, "the optimizer's state")
        if name is not None:
            return f"{name} is not finite"
        validation = row.get("validation_loss", 0.0)
        return None if math.isfinite(validation) else f"the validation loss is {validation}"

    def state_dict(self) -> dict[str, Any]:
        """Everything, as plain values."""
        states = {name: plain(part.state_dict()) for name, part in self.parts.items()}
        return states | {"history": self.history, "stopped": self.stopped}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        self.history, self.stopped = state["history"], state["stopped"]


def _remedy(rows: Mapping[str, Rows]) -> str:
    """Say what to try against numbers that are not finite: they may have come with the rows."""
    for name, (inputs, targets) in rows.items():
        for part, values in (("inputs", inputs), ("targets", targets)):
            finite = values.isfinite().reshape(len(values), -1).all(1)
            if not finite.all():
                first = int((~finite).nonzero()[0])
                return f"row {first} of the {name} {part} is not finite: leave such rows out"
    return "try a smaller learning rate, or clip gradients"


def _device(network: nn.Module) -> torch.device:
    parameter = next(network.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device
