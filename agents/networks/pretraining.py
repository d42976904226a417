"""Agents that begin with what another network has learned to see (curriculum S-TL-01)."""

from collections.abc import Iterable
from pathlib import Path

from torch import nn

from nets.runs.checkpoint import CheckpointError, load_checkpoint
from nets.runs.finding import find_checkpoint
from nets.supervised.transfer import load_part

from .own import own_encoders


def load_encoder(bodies: Iterable[nn.Module], path: str | Path) -> None:
    """Give networks from observations to features the weights of a trained encoder.

    The other network may be an agent's, an autoencoder's, a classifier's: of its file the first
    part that is built as the encoder is taken, from averaged weights where there are any.

    Args:
        bodies: what `build_encoder` returned; all get the same weights.
        path: a run folder, whose best checkpoint counts, or a file.

    Raises:
        FileNotFoundError: there is no such file, or no checkpoint in the folder.
        CheckpointError: the file is damaged, unsafe, or holds no such encoder.
    """
    file = find_checkpoint(path)
    state = load_checkpoint(file)
    for body in bodies:
        try:
            load_part(_encoder(body), state.get("average") or state)
        except ValueError as error:
            raise CheckpointError(f"{file} has no encoder for this agent: {error}") from error


def _encoder(body: nn.Module) -> nn.Module:
    """Return what learns in `body`: all but the layer that lays pictures out.

    Of somebody's own it is their module, without the layers behind it.
    """
    for own in own_encoders(body):
        return own.encoder
    if isinstance(body, nn.Sequential) and not hasattr(body, "out_features"):
        return body[-1]
    return body
