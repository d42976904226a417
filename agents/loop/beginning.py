"""Networks that a training begins with, where they are those of another."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from nets.runs.checkpoint import CheckpointError, fitting, load_checkpoint
from nets.runs.configurations import recorded
from nets.runs.divergence import require_finite_file
from nets.runs.finding import find_checkpoint
from nets.settings import to_plain

from .actor import Actor


def take_networks(agent: Actor[Any], path: str | Path) -> None:
    """Give an untrained agent the networks, and the statistics, of another training.

    Args:
        agent: keeps its own optimiser, counters and replay.
        path: a run folder, whose best checkpoint counts, or a file that `save` wrote.

    Raises:
        FileNotFoundError: there is no such file, or no checkpoint in the folder.
        CheckpointError: the file is damaged, of another algorithm, or its networks are others; the
            first difference is named.
        ValueError: the agent has trained already, has a pretrained encoder, or has no networks.
    """
    if agent.steps:
        raise ValueError(f"{agent.name} has {agent.steps:,} steps: only a new agent can begin so")
    if getattr(agent.config, "pretrained", ""):
        message = f"pretrained is {agent.config.pretrained!r}, but the networks begin as {path}'s"
        raise ValueError(f"{message}: one of the two has to go")
    ours = agent.state_dict()
    mine = agent.networks(ours)
    if not mine:
        raise ValueError(f"{agent.name} has nothing that could begin as another run's")
    file = find_checkpoint(path)
    state = load_checkpoint(file)
    found = state.get("algorithm", state.get("model"))
    if found != agent.name:
        raise CheckpointError(f"{file} was saved by {found!r}, not by {agent.name!r}")
    require_finite_file(file, state.get("agent"))
    with fitting(file):
        theirs = agent.networks(state["agent"])
        different = _different(agent, mine, theirs, state["config"])
        if different:
            raise ValueError(f"its {different} for {agent.name} on {agent.source.name}")
        agent.load_state_dict(_merged(ours, theirs))


def _different(
    agent: Actor[Any], mine: Mapping[str, Any], theirs: Mapping[str, Any], config: Mapping[str, Any]
) -> str:
    """Tell the first difference between two sets of networks; nothing where there is none."""
    settings = to_plain(recorded(agent.config))
    for name in getattr(agent.config, "shaping", ()):
        there = to_plain({name: config.get(name, settings[name])})[name]
        if there != settings[name]:
            return f"{name} is {there}, expected {settings[name]}"
    here, there = dict(_leaves(mine)), dict(_leaves(theirs))
    for name in dict.fromkeys((*here, *there)):
        a, b = _shape(here.get(name)), _shape(there.get(name))
        if a != b:
            return f"{name} is {b}, expected {a}"
    return ""


def _shape(value: Any) -> str:
    if value is None:
        return "not there"
    return f"of shape {list(value.shape)}" if isinstance(value, Tensor) else "a number"


def _leaves(tree: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{within}{name}.")
        else:
            yield f"{within}{name}", value


def _merged(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state in which what `theirs` has takes the place of ours."""
    both = (k for k in theirs if isinstance(theirs[k], Mapping))
    return {**ours, **theirs, **{k: _merged(ours[k], theirs[k]) for k in both}}
