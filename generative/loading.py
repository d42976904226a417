"""Give back a trained model, whichever it was."""

from pathlib import Path

from nets.training.checkpoint import CheckpointError, fitting, load_checkpoint, save_checkpoint
from nets.training.device import resolve_device

from .building import from_manifest
from .model import KIND, GenerativeModel
from .run import RunFolder


def load(
    path: str | Path, *, checkpoint: str | None = None, device: str = "auto"
) -> GenerativeModel:
    """Load the model of a run folder, or of a file that `save` wrote, ready to be used.

    Its weights are the averaged ones, where training averaged them.

    Args:
        path: the run folder or the file.
        checkpoint: of a run folder: `"best"` (default; the last where there is no best), `"last"`
            or the name of a checkpoint.
        device: where to put it.

    Raises:
        FileNotFoundError: there is no run, or no such checkpoint; existing ones are listed.
        CheckpointError: the file is damaged, unsafe, foreign, or holds something else.
    """
    path = Path(path)
    file = RunFolder(path).files.find(checkpoint) if path.is_dir() else path
    state = load_checkpoint(file)
    if state.get("kind") != KIND:
        raise CheckpointError(f"{file} holds no generative model")
    with fitting(file):
        model = from_manifest(state)
        model.load_state_dict(state.get("average") or state["weights"])
    return model.to(resolve_device(device)).eval()


def save(model: GenerativeModel, path: str | Path) -> None:
    """Save a model to a file that `load` reads."""
    save_checkpoint(path, model.manifest() | {"weights": model.state_dict()})
