"""Runs that worlds are made of, such as those to dream in: their places, from the root."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from gymnasium.envs.registration import EnvSpec

from nets.runs.places import rooted

from .ids import home
from .trust import DREAMS, LATENTS

MADE_OF_RUNS = (LATENTS, DREAMS)
RUN = "run"
"""The argument by which they are told which run."""


def with_places(spec: EnvSpec) -> EnvSpec:
    """Return a spec that makes the same in whatever folder one goes on with it."""
    around = tuple(
        replace(each, kwargs=_rooted(each.kwargs))
        if each.entry_point.partition(":")[0] in MADE_OF_RUNS
        else each
        for each in spec.additional_wrappers
    )
    kwargs = _rooted(spec.kwargs) if home(spec) in MADE_OF_RUNS else spec.kwargs
    return replace(spec, kwargs=kwargs, additional_wrappers=around)


def _rooted(arguments: dict[str, Any] | None) -> dict[str, Any]:
    arguments = arguments or {}
    run = arguments.get(RUN)
    return arguments | {RUN: rooted(run)} if isinstance(run, str | Path) and run else arguments
