"""Where a run writes its numbers: a CSV that repeats bit for bit, and TensorBoard events."""

import csv
import io
import re
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from .checkpoint import Damaged, atomic_write, fitting
from ..gradients.modes import evaluation_mode

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

MOST_METRICS, MOST_COLUMNS = 2**26, 1000  # bytes; far more than a run writes
Points = tuple[NDArray[np.float64], NDArray[np.float64]]
Mark = dict[str, int]
"""What a checkpoint remembers of the rows that were there before it."""


def check_rows(path: Path, step: int, mark: Mark) -> None:
    """Compare the rows up to `step` with the `mark` of then.

    Raises:
        Damaged: some are lost, or say something else.
    """
    found = _mark([row for row in _whole_rows(path) if int(row["step"]) <= step])
    if found["rows"] != mark["rows"]:
        message = f"{path} has {found['rows']} rows up to step {step}"
        raise Damaged(f"{message}, and had {mark['rows']}")
    if found != mark:
        raise Damaged(f"{path} is not as it was written: rows up to step {step} differ")


def _mark(rows: Sequence[Mapping[str, str]]) -> Mark:
    said = "\n".join(",".join(f"{k}={row[k]}" for k in sorted(row)) for row in rows)
    return {"rows": len(rows), "crc32": zlib.crc32(said.encode())}


def _whole_rows(path: Path) -> list[dict[str, str]]:
    """Read the cells of the rows on disk; a last row that a crash tore is left out.

    Raises:
        Damaged: the file is no table, or far too large.
    """
    if not path.is_file():
        return []
    if path.stat().st_size > MOST_METRICS:
        raise Damaged(f"{path} has more than {MOST_METRICS:,} bytes")
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        header, *table = [*csv.reader(text[: text.rfind("\n") + 1].splitlines())] or [[]]
    except csv.Error as error:
        raise Damaged(f"{path} cannot be read: {error}") from error
    if len(header) > MOST_COLUMNS:
        raise Damaged(f"{path} has {len(header):,} columns")
    cells = (zip(header, row, strict=False) for row in table)
    rows = [{k: v for k, v in row if k and v} for row in cells]
    return [row for row in rows if re.fullmatch("[0-9]{1,18}", row.get("step", ""))]


class MetricsFile:
    """A CSV file with one row per logged step, cut back to the checkpoint when a run resumes.

    Rows hold nothing that depends on the clock, so the file is a function of configuration and
    seed. A metric that appears late becomes a new column; earlier rows leave it empty.
    """

    def __init__(self, path: str | Path, resume_step: int = 0) -> None:
        self.path = Path(path)
        self.rows: list[dict[str, str]] = []
        self.columns: list[str] = ["step"]
        for row in _whole_rows(self.path):
            step = int(row.pop("step"))
            if step <= resume_step:
                self.append(step, row)
        self._rewrite()

    def append(self, step: int, metrics: Mapping[str, float | str]) -> None:
        """Add a row without writing it."""
        self.rows.append({"step": str(step)} | {k: str(v) for k, v in metrics.items()})
        self.columns += [name for name in metrics if name not in self.columns]

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Add a row; the file is whole after every call."""
        width = len(self.columns)
        self.append(step, metrics)
        if len(self.columns) > width:
            self._rewrite()
            return
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.columns, lineterminator="\n").writerow(self.rows[-1])

    def mark(self) -> Mark:
        """Return how many rows there are, and a checksum of what they say."""
        return _mark(self.rows)

    def _rewrite(self) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        atomic_write(self.path, lambda file: file.write(text.getvalue().encode()))


def read_metrics(metrics_file: str | Path) -> dict[str, Points]:
    """Return each column of a metrics.csv as (steps, values), without its empty cells.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: it is far too large, or holds something else than numbers.
    """
    if not Path(metrics_file).exists():
        raise FileNotFoundError(f"there is no {metrics_file}")
    columns: dict[str, list[tuple[float, float]]] = {}
    with fitting(metrics_file):
        for row in _whole_rows(Path(metrics_file)):
            step = float(row.pop("step"))
            for name, value in row.items():
                columns.setdefault(name, []).append((step, float(value)))
    return {name: tuple(np.array(points).T) for name, points in columns.items()}


class TensorBoard:
    """TensorBoard events of a run, opened at the first write (curriculum S-TB-01..04).

    Events past `resume_step`, which an earlier process left, are purged.
    """

    def __init__(self, folder: str | Path, resume_step: int = 0) -> None:
        self.folder = Path(folder)
        self._resume_step = resume_step
        self._writer: SummaryWriter | None = None

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
def dead_unit_fraction(activations: torch.Tensor) -> float:
    """Return the share of units that are zero for every sample (curriculum N-ACT-03, S-TB-04).

    Args:
        activations: outputs of a rectifier, `[B, *units]`.
    """
    return (activations == 0).flatten(1).all(dim=0).float().mean().item()
