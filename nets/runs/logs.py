"""TensorBoard events of a run: numbers, graphs, histograms, pictures."""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..glance import Shown
from ..gradients.modes import evaluation_mode
from ..inputs import explained

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoard(Shown):
    """TensorBoard events of a run, opened at the first write (curriculum S-TB-01..04).

    Events past `resume_step`, which an earlier process left, are purged.
    """

    def __init__(self, folder: str | Path, resume_step: int = 0) -> None:
        self.folder = Path(folder)
        self._resume_step = resume_step
        self._writer: SummaryWriter | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """Where it writes."""
        return {"folder": str(self.folder)}

    @property
    def writer(self) -> "SummaryWriter":
        """The event writer."""
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self.folder), purge_step=self._resume_step + 1)
        return self._writer

    def flush(self) -> None:
        """Wait until everything is in the file: a checkpoint counts on the events before it."""
        if self._writer is not None:
            self._writer.flush()

    def scalars(self, step: int, metrics: Mapping[str, float]) -> None:
        """Write one scalar per metric."""
        for name, value in metrics.items():
            self.writer.add_scalar(name, value, step)

    def graph(self, module: nn.Module, *inputs: torch.Tensor) -> None:
        """Write the graph of one forward pass, its nodes under the names of the submodules.

        The pass is one of evaluation: it changes nothing in `module`.
        """
        with evaluation_mode(module), torch.no_grad(), warnings.catch_warnings():
            # torch's writer uses its tracer, which warns of its age and of shapes in code
            warnings.simplefilter("ignore")
            self.writer.add_graph(module, inputs)

    def activations(self, step: int, module: nn.Module, *inputs: torch.Tensor) -> None:
        """Write a histogram of what every innermost layer puts out, in the module's present mode.

        Of a layer that is used several times, the last output counts.
        """
        seen: dict[str, torch.Tensor] = {}

        def watch(name: str) -> Callable[[nn.Module, object, object], None]:
            def hook(layer: nn.Module, given: object, output: object) -> None:
                if isinstance(output, torch.Tensor):
                    seen[name] = output.detach().float().cpu().clone()

            return hook

        innermost = [(n, m) for n, m in module.named_modules() if not list(m.children())]
        hooks = [layer.register_forward_hook(watch(name)) for name, layer in innermost]
        try:
            with torch.no_grad():
                module(*inputs)
        finally:
            for hook in hooks:
                hook.remove()
        for name, output in seen.items():
            tag = "/".join(["activations", *name.split(".")])
            self.writer.add_histogram(tag, output, step)

    def pictures(self, step: int, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        """Write pictures `[H, W, 3]`."""
        for name, picture in pictures.items():
            self.writer.add_image(name, picture, step, dataformats="HWC")

    def histograms(self, step: int, module: nn.Module) -> None:
        """Write a histogram of every parameter of `module`."""
        for name, parameter in module.named_parameters():
            self.writer.add_histogram(name.replace(".", "/"), parameter.detach().cpu(), step)

    def hparams(
        self, config: Mapping[str, bool | str | float | None], metrics: Mapping[str, float]
    ) -> None:
        """Write the configuration beside the final metrics, for comparison across runs."""
        plain = {k: v if isinstance(v, bool | int | float) else str(v) for k, v in config.items()}
        self.writer.add_hparams(plain, dict(metrics), run_name=".")

    def close(self) -> None:
        """Flush and close the events; harmless when nothing was written."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@torch.no_grad()
@explained
def dead_unit_fraction(activations: torch.Tensor) -> float:
    """Return the share of units that are zero for every sample (curriculum N-ACT-03, S-TB-04).

    Args:
        activations: outputs of a rectifier, `[B, *units]`.
    """
    return (activations == 0).flatten(1).all(dim=0).float().mean().item()
