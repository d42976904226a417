"""Build a model by its name, save it, and give it back, whichever it was."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from nets.arguments import checked
from nets.process.device import resolve_device
from nets.process.seeding import hash31, seeded
from nets.runs.checkpoint import CheckpointError, fitting, load_checkpoint, save_checkpoint
from nets.runs.configurations import require_settings
from nets.runs.finding import find_checkpoint

from .catalogue import find_model
from .config import ModelConfig
from .data.dataset import Dataset
from .data.parts import DataConfig as DataConfig  # was found beside build_model
from .model import KIND, GenerativeModel

ConfigT = TypeVar("ConfigT", bound=ModelConfig)

SEEN = 1000  # rows of a table that show what its columns have in common


@checked
def build_model(
    name: str, data: Dataset, config: ModelConfig | None = None, seed: int = 0
) -> GenerativeModel:
    """Build the model called `name` for `data`, its weights drawn from the seed.

    Raises:
        ValueError: the data do not suit the model or its settings.
    """
    model_type = find_model(name).model_type()
    without = next((note for note in data.notes if note.startswith("no classes")), None)
    if getattr(config, "conditional", False) and data.num_classes is None and without:
        raise ValueError(f"a conditional {name} needs data with classes: {data.name}: {without}")
    config = suited(config or model_type.config_type(), data)
    with seeded(hash31(seed, "weights")):
        return model_type(data.shape, config, dataset_size=len(data), num_classes=data.num_classes)


def suited(config: ConfigT, data: Dataset) -> ConfigT:
    """Return settings with as many latents as the columns of a table have in common, unless said.

    What each class has in common does not count where a decoder is told it.
    """
    if data.units is None or getattr(config, "latent", 0) is not None:
        return config
    from .autoencoders.factors import common_factors

    x, label = data.to("cpu").limited(SEEN).batch(slice(None))
    told = label if getattr(config, "conditional", False) else None
    return replace(config, latent=common_factors(x, told))  # type: ignore[call-arg]


def from_manifest(
    manifest: Mapping[str, Any],
    seed: int = 0,
    *,
    trust: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> GenerativeModel:
    """Build the model that `manifest` describes, its weights drawn from the seed; see `load`."""
    model_type = find_model(manifest["model"]).model_type()
    with seeded(hash31(seed, "weights")):
        return model_type.from_manifest(manifest, trust=trust, settings=settings)


@checked
def save(model: GenerativeModel, path: str | Path) -> None:
    """Save a model to a file that `load` reads."""
    save_checkpoint(path, model.manifest() | {"weights": model.state_dict()})


def load(
    path: str | Path,
    *,
    checkpoint: str | None = None,
    device: str = "auto",
    trust: bool = False,
    **settings: Any,
) -> GenerativeModel:
    """Load the model of a run folder, or of a file that `save` wrote, ready to be used.

    Its weights are the averaged ones, where training averaged them.

    Args:
        path: the run folder or the file.
        checkpoint: of a run folder: `"best"` (default; the last where there is no best), `"last"`
            or the name of a checkpoint.
        device: where to put it.
        trust: whether its networks may be of any module, whose code then runs.
        **settings: settings in place of the recorded ones, such as the `encoder`, where that was a
            lambda or an object.

    Raises:
        FileNotFoundError: there is no run, or no such checkpoint; existing ones are listed.
        UntrustedError: its networks are not known to be harmless, and `trust` is False.
        CheckpointError: the file is damaged, unsafe, foreign, or holds something else; or the run's
            config.json is damaged.
    """
    file = find_checkpoint(path, checkpoint)
    state = load_checkpoint(file)
    if state.get("kind") != KIND:
        raise CheckpointError(f"{file} holds no generative model")
    with fitting(file):
        kind = find_model(state["model"]).model_type().config_type
    require_settings(kind, settings)
    with fitting(file):
        model = from_manifest(state, trust=trust, settings=settings)
        model.load_state_dict(state.get("average") or state["weights"])
    return model.to(resolve_device(device)).eval()
