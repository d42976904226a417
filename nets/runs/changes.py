"""Settings that became others within a run: which, and from which step on.

config.json keeps those that the run was begun with as `config`, and what became of them as

    "changes": [{"step": 20000, "config": {"learning_rate": 1e-05}}]

The checkpoint of that step is the last with the settings of before.
"""

from collections.abc import Mapping
from math import inf
from typing import Any

from ..settings import to_plain
from .records import CHANGES, differences


def config_at(record: Mapping[str, Any], step: float = inf) -> dict[str, Any]:
    """Return the settings by which a run came to a step; by default the newest.

    Args:
        record: what config.json says.
        step: the number of steps so far.
    """
    config = dict(record["config"])
    for change in record.get(CHANGES, ()):
        if change["step"] < step:
            config |= change["config"]
    return config


def changed(record: Mapping[str, Any], step: int, new: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record by which some settings are `new` from a step on.

    What was to change then or later, before a checkpoint was lost, is overruled.
    """
    changes = [change for change in record.get(CHANGES, ()) if change["step"] < step]
    changes += [{"step": step, "config": dict(new)}] if new else []
    kept = {name: value for name, value in record.items() if name != CHANGES}
    return kept | ({CHANGES: changes} if changes else {})


def changed_names(record: Mapping[str, Any]) -> set[str]:
    """Return the settings that did not stay as they were."""
    return {name for change in record.get(CHANGES, ()) for name in change["config"]}


def next_change(record: Mapping[str, Any], step: int) -> float:
    """Return the first step after `step` at which settings change; infinity where none do."""
    later = (change["step"] for change in record.get(CHANGES, ()))
    return min((each for each in later if each > step), default=inf)


def described_at(
    described: Mapping[str, Any], record: Mapping[str, Any], step: int
) -> Mapping[str, Any]:
    """Return what the checkpoint of a step has to say of a run.

    Args:
        described: the run, with the settings of any of its steps; with others, it is another run.
        record: what config.json says.
        step: the step.
    """
    for since in (0, *(change["step"] + 1 for change in record.get(CHANGES, ()))):
        if not differences(to_plain(described["config"]), config_at(record, since), ""):
            return {**described, "config": config_at(record, step)}
    return described
