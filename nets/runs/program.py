"""A module that has been exported: one file that torch, or an ONNX runtime, runs without us."""

import json
import warnings
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from .checkpoint import atomic_write

ABOUT = "dreamgym.json"  # the name of the description inside the file
MISSING = "ONNX files need two more packages: pip install 'dreamgym[onnx]'"


@dataclass(frozen=True)
class Program:
    """A module that has been exported.

    Attributes:
        exported: what `torch.export` made of it.
        about: what it takes to use it, as plain values: inputs, outputs, whose it is, versions.
    """

    exported: ExportedProgram
    about: dict[str, Any]

    def save(self, path: str | Path) -> None:
        """Write program and description into one file, atomically: `.pt2`, or `.onnx` by its name.

        Raises:
            ImportError: of `.onnx`, where what writes it is not installed.
        """
        if Path(path).suffix == ".onnx":
            content = self._onnx()
            atomic_write(path, lambda file: file.write(content))
            return
        extra = {ABOUT: json.dumps(self.about, indent=2)}
        atomic_write(path, lambda file: torch.export.save(self.exported, file, extra_files=extra))

    def _onnx(self) -> bytes:
        """Return the program in ONNX's format, the description among its metadata."""
        if find_spec("onnx") is None or find_spec("onnxscript") is None:
            raise ImportError(MISSING)
        names = {
            part: [each["name"] for each in self.about[part]] for part in ("inputs", "outputs")
        }
        # it tells of its progress, and warns of its own code
        with redirect_stdout(StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            written = torch.onnx.export(
                self.exported,
                input_names=names["inputs"],
                output_names=names["outputs"],
                dynamo=True,
                verbose=False,
            )
        assert written is not None
        proto = written.model_proto
        proto.metadata_props.add(key=ABOUT, value=json.dumps(self.about))
        return bytes(proto.SerializeToString())


def described(name: str, value: Tensor, axis: int = 0) -> dict[str, Any]:
    """Return name, shape and dtype of a program's input or output, `axis` being the batch, N."""
    shape: list[int | str] = list(value.shape)
    shape[axis] = "N"
    return {"name": name, "shape": shape, "dtype": str(value.dtype).removeprefix("torch.")}


def listed(tensors: Sequence[Mapping[str, Any]]) -> str:
    """Return what `described` says of several, in a line for people."""
    return ", ".join(
        f"{each['name']} {each['dtype']} [{', '.join(map(str, each['shape']))}]" for each in tensors
    )
