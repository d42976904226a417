"""Export a part of a trained generative model as one file that torch, or an ONNX runtime, runs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from nets.runs.durable import require_place
from nets.shell.command_line import command, parse, refusals
from nets.shell.here import pinned, shown

SUFFIXES = (".pt2", ".onnx")
TEXT = """Export a part of a trained generative model as one file that runs without dreamgym.

The decoder of an autoencoder, or the generator of a GAN, makes data of latents (and classes); the
encoder makes latents of data. Batches have any size.

examples:
  {command} runs/vae-digits-s0
  {command} runs/vae-digits-s0 --part encoder --out encoder.pt2
  {command} runs/dcgan-digits-s0 --out generator.onnx"""


@dataclass(frozen=True)
class ExportOptions:
    """Which model, what of it, and where to."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """Folder of a run, or a file that a model was saved in."""
    part: Literal["decoder", "encoder", "generator"] | None = None
    """Which part; by default the one that makes data."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """The file to write, .pt2 or .onnx; by default PART.pt2."""
    checkpoint: str | None = None
    """Name of a checkpoint, or "last"; by default the best."""
    trust: bool = False
    """Import whatever modules the run's networks are of: their code runs."""

    def __post_init__(self) -> None:
        if self.out is not None and self.out.suffix not in SUFFIXES:
            raise ValueError(f"out is {self.out}: expected a name that ends in .pt2 or .onnx")


@command
def main(argv: list[str]) -> int:
    """Load, export, and say how to use it."""
    options = parse(ExportOptions, "export", argv, TEXT)
    if options.out is not None:
        require_place(options.out)
    from nets.runs.program import listed

    from ..export import export_part
    from ..loading import load

    with refusals(ValueError, TypeError, ImportError):
        model = load(options.run, checkpoint=options.checkpoint, device="cpu", trust=options.trust)
        program = export_part(model, options.part)
        out = options.out or pinned(Path(f"{program.about['part']}.pt2"))
        program.save(out)
    print(f"{program.about['part']} of the {model.name} in {shown(options.run)}")
    print(f"{shown(out)}, {out.stat().st_size / 1024:,.0f} KiB:")
    print(f"  takes    {listed(program.about['inputs'])}")
    print(f"  returns  {listed(program.about['outputs'])}")
    print(*standardised(options.run), sep="")
    print(f"to use it:\n\n{snippet(program.about, shown(out))}")
    return 0


def standardised(run: Path) -> Iterator[str]:
    """Yield lines that say what the numbers of a run on a table are, which programs leave so."""
    from ..training.run import RunFolder
    from .written import units_of

    units = units_of(RunFolder(run).load_config()) if run.is_dir() else None
    if units is None:
        return
    yield f"x is standardised, (value - mean)/std, of the columns {', '.join(units.columns)}:\n"
    yield f"  mean  {[float(f'{each:.7g}') for each in units.mean.tolist()]}\n"
    yield f"  std   {[float(f'{each:.7g}') for each in units.std.tolist()]}\n"


def snippet(about: Mapping[str, Any], path: Path) -> str:
    """Return the lines of Python that call the program once."""
    name, inputs = json.dumps(str(path), ensure_ascii=False), about["inputs"]
    sizes = ", ".join(str(16 if size == "N" else size) for size in inputs[0]["shape"])
    classed = len(inputs) > 1
    uniform = about["prior"] == "uniform" and about["part"] != "encoder"
    if path.suffix == ".onnx":
        draw = f"np.random.uniform(-1, 1, ({sizes}))" if uniform else f"np.random.randn({sizes})"
        given = f'"{inputs[0]["name"]}": {draw}.astype(np.float32)'
        given += ', "label": np.zeros(16, np.int64)' * classed
        lines = [
            "import numpy as np",
            "import onnxruntime",
            f"program = onnxruntime.InferenceSession({name})",
            f"result = program.run(None, {{{given}}})[0]",
        ]
    else:
        draw = "rand" if about["part"] == "encoder" else "randn"
        noise = f"2 * torch.rand({sizes}) - 1" if uniform else f"torch.{draw}({sizes})"
        given = noise + ", torch.zeros(16, dtype=torch.long)" * classed
        lines = [
            "import torch",
            f"program = torch.export.load({name}).module()",
            f"result = program({given})",
        ]
    return "\n".join(f"  {line}" for line in lines)
