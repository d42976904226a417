"""An experiment on the quality of a model: train it on data for a seed, and measure it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from nets.process.seeding import hash31, seeded
from nets.runs.presets import read_table, start_from

from ..catalogue import find_model
from ..config import ModelConfig
from ..data.dataset import Dataset
from ..data.parts import DataConfig, load_parts
from ..loading import build_model
from ..model import GenerativeModel
from ..presets import OF_RUN, find_preset
from ..training.trainer import Trainer


@dataclass(frozen=True)
class Fit:
    """A trained model, and the rows that it has seen and has not.

    Attributes:
        model: in evaluation mode; of averaged weights, where there are any.
        last: the same of the last weights.
        train: rows that it was trained on.
        held_out: rows that it was not trained on; the same where none were held out.
        seed: of all of it.
    """

    model: Any
    last: GenerativeModel
    train: Dataset
    held_out: Dataset
    seed: int


Measure = Callable[[Fit], Mapping[str, Any]]
"""Returns figures by name, and what else is worth keeping, as plain values."""


@dataclass(frozen=True)
class Fitted:
    """A model trained on data from its preset, and what is measured of it, on the CPU.

    Attributes:
        model: its name.
        data: what `load_dataset` takes.
        measure: of the trained model; called with noise of the seed, outside of any gradient.
        overrides: what differs from the preset, or from the defaults where there is none: fields
            of the model's settings, and `steps`, `size`, `limit`, `binarize` of the run.
        held_out: share of the rows that training never sees.
        prepare: what is done to the rows before anything else, with noise of the seed.
    """

    model: str
    data: str
    measure: Measure
    overrides: Mapping[str, Any] = field(default_factory=dict)
    held_out: float = 0.0
    prepare: Callable[[Dataset], Dataset] | None = None

    def config(self) -> dict[str, Any]:
        """Return model, data, measure, length and settings."""
        settings, run = self._settings()
        named = {
            "model": self.model,
            "data": DataConfig(self.data).title,
            "measure": self.measure.__name__,
            "prepare": None if self.prepare is None else self.prepare.__name__,
        }
        length = run | {"held_out": self.held_out}
        told = asdict(settings)
        if not settings.ema_decay:
            told.pop("ema_warmup")  # of an average that there is not
        return named | length | {"settings": told}

    def run(self, seed: int) -> dict[str, Any]:
        """Train, and measure."""
        fit = self.fit(seed)
        with seeded(hash31(seed, self.measure.__name__)), torch.no_grad():
            return dict(self.measure(fit))

    def fit(self, seed: int, steps: int | None = None) -> Fit:
        """Train for a seed; for `steps` steps, if given."""
        settings, run = self._settings()
        data = DataConfig(self.data, run["size"], run["limit"], bool(run["binarize"]))
        train, held_out = load_parts(data, self.held_out, seed)
        if self.prepare is not None:
            with seeded(hash31(seed, "prepare")):
                train = self.prepare(train)
                held_out = None if held_out is None else self.prepare(held_out)
        model = build_model(self.model, train, settings, seed)
        trainer = Trainer(model, train, seed=seed, device="cpu", progress=False)
        trainer.run(steps or run["steps"])
        unseen = train if held_out is None else held_out
        return Fit(trainer.trained.eval(), trainer.model.eval(), train, unseen, seed)

    def _settings(self) -> tuple[ModelConfig, dict[str, Any]]:
        """Return the model's settings, and steps, size and limit of the run."""
        preset = find_preset(self.model, self.data)
        config, run = start_from(preset, find_model(self.model).config_type()())
        of_run, given = read_table(self.overrides, OF_RUN)
        run = dict.fromkeys(OF_RUN) | run | of_run
        if run["steps"] is None:
            message = f"{self.model} on {self.data} has no preset that says its steps"
            raise ValueError(f"{message}: expected them among the overrides")
        return replace(config, **given), run


def of_file(model: str, measure: Measure, **options: Any) -> Callable[[Path], Fitted]:
    """Return what makes the experiment of a file that the user has."""
    return lambda path: Fitted(model, str(path.resolve()), measure, **options)
