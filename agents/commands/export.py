"""Export a trained policy as one file that torch alone can run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from nets.kinds import Count, Seed
from nets.runs.durable import require_place
from nets.shell.command_line import command, parse, to_type
from nets.shell.here import shown

from .common import command_of_kind, load_agent, refusals

if TYPE_CHECKING:
    from ..agent import Agent

GROUP = "dreamgym.export"  # entry points that export runs of other kinds
TEXT = """Export a trained policy as one file that torch alone can run, without dreamgym.

The program takes observations as the environment gives them, any number at a time, and returns its
greedy actions, in the environment's units. Policies with a memory are exported as a single step,
those of agents that mask actions with a mask beside the observation.

With --demonstrations it is episodes of the agent that are exported, as a data set of Minari.

examples:
  {command} runs/ppo-CartPole-v1-s0
  {command} runs/ppo-CartPole-v1-s0 --demonstrations cartpole/expert-v0 --episodes 50
  {command} runs/ppo-CartPole-v1-s0 --out cartpole.pt2 --checkpoint last"""


@dataclass(frozen=True)
class ExportOptions:
    """Which policy, and where to."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """Folder of a run, or a file that an agent was saved in."""
    out: Annotated[Path, tyro.conf.arg(metavar="FILE.pt2")] = Path("policy.pt2")
    """The file to write."""
    demonstrations: Annotated[str | None, tyro.conf.arg(metavar="ID")] = None
    """Data set of Minari to write instead, of greedy episodes, such as cartpole/expert-v0."""
    episodes: Count = 100
    """How many of these."""
    seed: Seed = 0
    """Of the first of these; the others follow."""
    checkpoint: str | None = None
    """Name of a checkpoint, or "last"; by default the best."""
    trust: bool = False
    """Import whatever modules the run's environment and networks are of: their code runs."""

    def __post_init__(self) -> None:
        if self.out.suffix != ".pt2":
            other = "; .onnx is for generative models" if self.out.suffix == ".onnx" else ""
            raise ValueError(f"out is {self.out}: expected a name that ends in .pt2{other}")


@command
def main(argv: list[str]) -> int:
    """Load, export, and say how to use it; runs of another kind are left to who exports those."""
    other = command_of_kind(argv, GROUP)
    if other is not None:
        return other(argv)
    options = parse(ExportOptions, "export", argv, TEXT)
    if options.demonstrations is None:
        require_place(options.out)
    from nets.runs.program import listed

    from ..outcomes.export import export_policy

    agent, file = load_agent(options.run, options.checkpoint, trust=options.trust, device="cpu")
    if options.demonstrations is not None:
        return _write(agent, options)
    with refusals(ValueError, TypeError):
        program = export_policy(agent)
        program.save(options.out)
    size = options.out.stat().st_size / 1024
    print(f"{agent.name} on {agent.source.name}, from {shown(file)}")
    print(f"{shown(options.out)}, {size:,.0f} KiB:")
    print(f"  takes    {listed(program.about['inputs'])}")
    print(f"  returns  {listed(program.about['outputs'])}")
    for part in program.about["columns"]:
        print(f"  observation{part['part']} is in columns {part['first']} to {part['end'] - 1}")
    print(f"\nto use it, with torch alone:\n\n{snippet(program.about, shown(options.out))}")
    return 0


def _write(agent: "Agent", options: ExportOptions) -> int:
    """Write episodes of an agent as a data set."""
    from ..imitation.datasets import write_demonstrations

    name, episodes = options.demonstrations or "", options.episodes
    with refusals(ValueError, TypeError, ModuleNotFoundError):
        steps = write_demonstrations(agent, name, episodes, seed=options.seed)
    print(f"wrote {steps:,} steps of {agent.name} on {agent.source.name}, {episodes:,} episodes")
    print(f"to learn from them: {to_type('train')} bc {agent.source.name} --demonstrations {name}")
    return 0


def snippet(about: Mapping[str, Any], path: Path) -> str:
    """Return the lines of Python that ask the program for the action of one observation."""
    lines = [
        "import torch",
        f"policy = torch.export.load({json.dumps(str(path), ensure_ascii=False)}).module()",
    ]
    inputs = {each["name"]: each for each in about["inputs"]}
    one, allowed = "torch.as_tensor(observation)[None]", ""
    if "action_mask" in inputs:
        lines.append("mask = torch.as_tensor(info['action_mask'], dtype=torch.bool)[None]")
        allowed = ", mask"
    if "state" in inputs:
        shape = ", ".join(str(1 if size == "N" else size) for size in inputs["state"]["shape"])
        lines.append(f"state = torch.zeros({shape})  # anything, where an episode starts")
        start = "torch.tensor([episode_start])"
        lines.append(f"action, state = policy({one}, state, {start}{allowed})")
    else:
        lines.append(f"action = policy({one}{allowed})[0]")
    return "\n".join(f"  {line}" for line in lines)
