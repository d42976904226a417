"""`help` of settings tells of every field what its docstring in the code says."""

import pydoc
from dataclasses import dataclass, fields

import pytest

from agents.algorithms import ALGORITHMS
from agents.loop.run import RunConfig
from generative.catalogue import MODELS
from nets.settings import Settings

CONFIGS = [each[name].config_type() for each in (ALGORITHMS, MODELS) for name in each]


@dataclass(frozen=True)
class Base(Settings):
    """Some settings."""

    rate: float = 0.1
    """How far a step goes,
    in units."""


@dataclass(frozen=True)
class Heir(Base):
    """More settings."""

    size: int = 3
    """How many."""
    silent: int = 4


def test_fields_are_told_below_the_docstring_those_of_the_base_first():
    told = "    rate: How far a step goes,\n        in units.\n    size: How many.\n"
    assert Heir.__doc__ == f"More settings.\n\nAttributes:\n{told}"
    assert Heir().__doc__ == Heir.__doc__


def test_where_the_source_is_not_at_hand_the_docstring_is_left():
    made = type("Made", (Settings,), {"__doc__": "Made.", "__annotations__": {"x": int}, "x": 1})
    assert dataclass(frozen=True)(made).__doc__ == "Made."


@pytest.mark.parametrize("config", [*CONFIGS, RunConfig], ids=lambda kind: kind.__name__)
def test_help_tells_of_every_setting(config):
    text = pydoc.render_doc(config, renderer=pydoc.plaintext)
    assert [f.name for f in fields(config) if f"     {f.name}: " not in text] == []
