"""A model that learns, turn by turn: its players' optimisers, its averaged weights, its rows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nets.gradients.averaging import ExponentialAverage
from nets.process.device import resolve_device
from nets.process.distributed import ALONE, Team
from nets.runs.divergence import Diverged, cure, find_not_finite, require_finite_file
from nets.warned import warn

from ..model import Batch, GenerativeModel, Rows
from .epochs import Epochs
from .ineffective import ineffective
from .players import PlayerOptimiser, learning_rate, mixed_precision
from .suitable import require_suitable


def check_finite(file: Path, state: Mapping[str, Any]) -> None:
    """Raise `Damaged` where what a file says of a `Learner` is not finite."""
    parts = ("weights", "average", "optimisers")
    require_finite_file(file, {name: state.get(name) for name in parts})


class Learner:
    """What a training moves forward, and all that later steps depend on.

    `horizon` is the step at which the training in progress ends.

    The rows of batch k depend on the seed and k alone, noise on torch's global generator.

    Args:
        model: the model; it is moved to the device.
        data: rows to train on; they are moved to the device, where they stay.
        seed: of the order of rows.
        device: where to train.
        team: the processes that train together.

    Raises:
        ValueError: a batch cannot be dealt evenly to the processes; or the data do not suit what
            the model takes them for.
    """

    def __init__(
        self,
        model: GenerativeModel,
        data: Rows,
        *,
        seed: int = 0,
        device: str | torch.device = "auto",
        team: Team = ALONE,
    ) -> None:
        self.device, self.team = resolve_device(device), team
        self.channels_last = any(isinstance(m, nn.Conv2d) for m in model.modules())
        layout = torch.channels_last if self.channels_last else torch.preserve_format
        self.model = model.to(self.device, memory_format=layout)  # type: ignore[call-overload]
        require_suitable(model, data)
        for told in ineffective(model):
            warn(f"{told} ({model.name} on {data.name})")
        self.data = data.to(self.device)
        settings = model.config
        autocast = mixed_precision(settings, self.device, model.shape)
        players = model.players()
        self.optimisers = [PlayerOptimiser(model, player, autocast, team) for player in players]
        self.batches_per_turn = max((player.steps for player in players), default=1)
        self.epochs = Epochs(len(data), settings.batch_size, seed, self.device)
        team.share(self.epochs[0])
        decay, warmup = settings.ema_decay, settings.ema_warmup
        self.average = ExponentialAverage(model, decay, warmup=warmup) if decay else None
        self.steps = self.horizon = 0

    @property
    def trained(self) -> GenerativeModel:
        """The model to sample from and to measure: of averaged weights, where there are any."""
        return self.model if self.average is None else self.average.module

    def turn(self) -> dict[str, Tensor]:
        """Let every player take its steps; return their metrics, left on the device."""
        rate, first = learning_rate(self.model.config, self.steps, self.horizon), self.steps
        first *= self.batches_per_turn
        batches = [self._batch(first + k) for k in range(self.batches_per_turn)]
        metrics: dict[str, Tensor] = {}
        for optimiser in self.optimisers:
            taken: dict[str, Tensor] = {}
            for batch in batches[: optimiser.player.steps]:
                taken = optimiser.step(batch, rate)
            metrics |= taken
        if self.average is not None:
            self.average.update(self.steps)
        self.steps += 1
        return metrics

    def require_finite(self) -> None:
        """Raise `Diverged` where anything that later turns depend on is not finite."""
        name = self.team.tell(find_not_finite(self.state_dict()) if self.team.leads else None)
        if name is not None:
            raise self.diverged(f"{name} is not finite after step {self.steps}")

    def diverged(self, what: str) -> Diverged:
        """Return the error of a model of which `what` is not finite."""
        return Diverged(f"{what}; {cure(self.model.config)}")

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimisers and the step, and what it takes to build the model."""
        return self.model.manifest() | {
            "step": self.steps,
            "weights": self.model.state_dict(),
            "average": None if self.average is None else self.average.module.state_dict(),
            "optimisers": {o.player.name: o.adam.state_dict() for o in self.optimisers},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.model.load_state_dict(state["weights"])
        if self.average is not None:
            self.average.module.load_state_dict(state["average"])
        for optimiser in self.optimisers:
            optimiser.adam.load_state_dict(state["optimisers"][optimiser.player.name])
        self.steps = state["step"]

    def _batch(self, k: int) -> tuple[Any, ...]:
        """Return batch k on the device, pictures laid out as convolutions like them."""
        batch = self.data.batch(self.team.share(self.epochs[k]))
        if not self.channels_last or not isinstance(batch, Batch) or batch.x.dim() != 4:
            return batch
        return batch._replace(x=batch.x.contiguous(memory_format=torch.channels_last))
