"""Measure a trained generative model."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from nets.kinds import Count, Seed
from nets.settings import Settings
from nets.shell.command_line import command, parse, refusals
from nets.shell.here import shown

TEXT = """Measure a trained generative model: held-out rows, code, samples.

examples:
  {command} runs/vae-digits-s0
  {command} runs/vae-digits-s0 --json
  {command} runs/world-CartPole-v1-s0 --actor runs/ppo-dreamgym-Dream-v0-s0"""


@dataclass(frozen=True)
class EvaluateOptions(Settings):
    """Which model, and how."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """Folder of a run."""
    seed: Seed = 0
    """Of the noise, and of every choice of rows."""
    checkpoint: str | None = None
    """Name of a checkpoint, or "last"; by default the best."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the model runs."""
    trust: bool = False
    """Import whatever modules the run's networks and data are of: their code runs."""
    fid: bool = False
    """Measure the Fréchet distance in Inception's features too; needs torch-fidelity."""
    actor: Annotated[Path | None, tyro.conf.arg(metavar="RUN")] = None
    """Of a world: run folder of an agent to act in dreams and outside, from the same starts."""
    episodes: Count | None = None
    """Of that agent; by default 100."""
    json: bool = False
    """Print one JSON object instead of text."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.episodes is not None and self.actor is None:
            raise ValueError(f"episodes is {self.episodes}: expected an actor, who plays them")


@command
def main(argv: list[str]) -> int:
    """Measure and print."""
    options = parse(EvaluateOptions, "evaluate", argv, TEXT)
    import gymnasium as gym
    from tqdm import tqdm

    from ..catalogue import find_model
    from ..loading import load
    from ..metrics.runs import Asked
    from ..training.run import RunFolder

    run = RunFolder(options.run)
    with refusals(ValueError, ImportError, gym.error.Error):
        record = run.load_config()
        file = run.files.find(options.checkpoint)
        model = load(file, device=options.device, trust=options.trust)
        said = {each.name: getattr(options, each.name) for each in fields(Asked)}
        asked = Asked(**{name: value for name, value in said.items() if value is not None})
        figures = find_model(model.name).measure()(model, run.path, record, asked)
        if options.json:
            found, unsuited = dict[str, Any](), dict[str, str]()
            for figure in figures:
                found[figure.name] = figure.value
                if figure.value is None:
                    unsuited[figure.name] = figure.meaning
            about = {"model": model.name, "checkpoint": str(shown(file))}
            print(json.dumps(found | {"not_applicable": unsuited} | about))
            return 0
        print(f"checkpoint            {shown(file)}", flush=True)
        for figure in figures:
            value = "not applicable" if figure.value is None else f"{figure.value:.4f}"
            tqdm.write(f"{figure.name:<20}{value:>12}  {figure.meaning}")
    return 0
