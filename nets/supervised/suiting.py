"""What rows, and a loss of them, must be: where they are not, which came and what was expected."""

import warnings
from collections.abc import Callable
from inspect import isfunction
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

LABELS = "labels, int64 [N], from 0 to C - 1 for outputs [N, C]; or probabilities [N, C]"
ALIKE = "targets of the shape of the outputs"
FLOATS = f"{ALIKE}, floats from 0 to 1"
EXPECTED: dict[Any, str] = {
    nn.CrossEntropyLoss: LABELS,
    nn.NLLLoss: LABELS,
    nn.MSELoss: ALIKE,
    nn.L1Loss: ALIKE,
    nn.SmoothL1Loss: ALIKE,
    nn.HuberLoss: ALIKE,
    nn.BCELoss: FLOATS,
    nn.BCEWithLogitsLoss: FLOATS,
    functional.cross_entropy: LABELS,
    functional.nll_loss: LABELS,
    functional.mse_loss: ALIKE,
    functional.l1_loss: ALIKE,
    functional.smooth_l1_loss: ALIKE,
    functional.huber_loss: ALIKE,
    functional.binary_cross_entropy: FLOATS,
    functional.binary_cross_entropy_with_logits: FLOATS,
}
Rows = tuple[Tensor, Tensor]
Measure = Callable[[Any, Tensor], Tensor]
BROADCASTS = "Using a target size"  # PyTorch's warning, where [N] and [N, 1] become [N, N]


def measured(measure: Measure, outputs: Any, targets: Tensor) -> Any:
    """Return a measure of outputs and targets.

    Raises:
        ValueError: it is one of PyTorch's losses, and cannot take them; or it would take every
            output with every target, `[N, 1]` with `[N]`, whoever wrote it.
    """
    try:
        if not _broadcast(outputs, targets):
            return measure(outputs, targets)
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=BROADCASTS)
            return measure(outputs, targets)
    except (RuntimeError, ValueError, IndexError, UserWarning) as error:
        broadcasts = isinstance(error, UserWarning) and str(error).startswith(BROADCASTS)
        kind = measure if isfunction(measure) else type(measure)
        expected = ALIKE if broadcasts else EXPECTED.get(kind)
        if expected is None:
            raise
        name = getattr(measure, "__name__", type(measure).__name__)
        got = f"outputs {_shown(outputs)} and targets {_shown(targets)}"
        raise ValueError(f"{name} cannot take {got}: expected {expected}") from error


def training_loss(loss: Measure, outputs: Any, targets: Tensor) -> Tensor:
    """Return the loss of a batch, one number to go back from.

    Raises:
        TypeError: it is no tensor.
        ValueError: it is not one number, or as `measured` says.
    """
    value = measured(loss, outputs, targets)
    if not isinstance(value, Tensor):
        raise TypeError(f"the loss is {value!r}: expected a tensor of one number")
    if value.numel() != 1:
        message = f"the loss has shape {list(value.shape)}: expected one number"
        raise ValueError(f"{message}, as the mean that reduction='mean' returns")
    return value


def require_rows(rows: Rows) -> None:
    """Raise ValueError if inputs and targets differ in number, or there are none."""
    inputs, targets = rows
    if len(inputs) != len(targets) or not len(inputs):
        raise ValueError(f"got {len(inputs)} inputs and {len(targets)} targets")


def _broadcast(outputs: Any, targets: Tensor) -> bool:
    """Whether outputs and targets have another shape, but as many numbers or axes."""
    if not isinstance(outputs, Tensor) or outputs.shape == targets.shape:
        return False
    return outputs.numel() == targets.numel() or outputs.dim() == targets.dim()


def _shown(values: Any) -> str:
    """Return what a tensor holds: dtype, shape and, of whole numbers, their range."""
    if not isinstance(values, Tensor):
        return type(values).__name__
    shown = f"{str(values.dtype).removeprefix('torch.')} {list(values.shape)}"
    if values.is_floating_point() or not values.numel():
        return shown
    return f"{shown} from {values.min()} to {values.max()}"
