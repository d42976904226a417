"""What a study found: the best settings as a preset, a table, and pictures."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nets.counted import counted
from nets.drawing.figures import limit, reference, save
from nets.drawing.style import BLUE, GREY, ORANGE, styled
from nets.kinds import Space
from nets.runs.checkpoint import atomic_write
from nets.runs.presets import describe_setting

from ..outcomes.comparison import Contender
from ..outcomes.references import solved_from
from ..presets import find_preset
from .space import settings_of

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from .study import Study

BEST = "best.toml"
SHOWN = 10
EMPTY = "no trial has come to its end yet"


def write(study: "Study") -> str:
    """Write `best.toml` and `trials.png` into the study's folder; return the table for people."""
    trials, folder = study.finished(), study.comparison.path
    done = sorted(_complete(trials), key=lambda trial: -trial.value)
    if not done:
        reasons = {trial.user_attrs.get("failed", "") for trial in trials} - {""}
        return "\n".join([f"{EMPTY} of {len(trials)}", *sorted(reasons)])
    best = as_preset(study.contender, settings_of(done[0].params, study.space))
    head = f"# trial {done[0].number} of {len(trials)}: return {done[0].value:.6g}\n"
    atomic_write(folder / BEST, lambda file: file.write((head + best).encode()))
    _draw(study, trials, folder / "trials.png")
    pruned = sum(trial.state.name == "PRUNED" for trial in trials)
    failed = sum(trial.state.name == "FAIL" for trial in trials)
    lines = [_row(trial, study.space) for trial in done[:SHOWN]]
    count = f"{_counted(done)} to their end, {pruned} pruned, {failed} failed"
    return "\n".join([count, "trial      return  settings", *lines])


def as_preset(contender: Contender, found: dict[str, Any]) -> str:
    """Return a table of TOML for settings that differ from their defaults."""
    config, usual = contender.config, type(contender.config)()
    settings = {each.name: getattr(config, each.name) for each in fields(config)} | found
    lines = [f"[{contender.algorithm}.{json.dumps(contender.source.name)}]"]
    lines += [f"steps = {contender.steps}", f"num_envs = {contender.source.num_envs}"]
    lines += [
        f"{name} = {_toml(value)}"
        for name, value in settings.items()
        if value != getattr(usual, name) and value is not None
    ]
    preset = find_preset(contender.algorithm, contender.source.name)
    around = {} if preset is None else {"env": preset.env, "wrappers": preset.wrappers}
    lines += [f"{name} = {_toml(value)}" for name, value in around.items() if value]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """Write a value in TOML, whose tables within a line are no JSON."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _complete(trials: "Sequence[FrozenTrial]") -> "list[Any]":
    return [trial for trial in trials if trial.state.name == "COMPLETE"]


def _counted(trials: "Sequence[FrozenTrial]") -> str:
    return counted(len(trials), "trial")


def _row(trial: Any, space: Space) -> str:
    settings = settings_of(trial.params, space)
    shown = {
        name: float(f"{value:.3g}") if isinstance(value, float) else value
        for name, value in settings.items()
    }
    told = ", ".join(describe_setting(name, value) for name, value in shown.items())
    return f"{trial.number:5d} {trial.value:11.5g}  {told}"


def _draw(study: "Study", trials: "Sequence[FrozenTrial]", path: Path) -> None:
    """Draw returns by trial with the best so far, and what they hang on."""
    from matplotlib.figure import Figure

    importance = _importance(study)
    name = f"{study.contender.label} on {study.contender.source.name}"
    seeds = f"{counted(study.seeds, 'seed')} a trial"
    done = _complete(trials)
    with styled():
        figure = Figure(figsize=(9, 4))
        left, *right = figure.subplots(1, 2 if importance else 1, squeeze=False).ravel()
        figure.suptitle(f"{name}: {_counted(done)} to their end, {seeds}")
        returns = [trial.value for trial in done]
        left.plot([t.number for t in done], returns, "o", color=BLUE, alpha=0.6, label="a trial")
        best = np.maximum.accumulate([-inf, *returns])[1:]
        cut = list(pruned_points(trials))
        if cut:
            left.plot(*zip(*cut, strict=True), "x", color=GREY, label="pruned, when last evaluated")
        left.step([t.number for t in done], best, where="post", color=ORANGE, label="best so far")
        left.set(xlabel="trial", ylabel="mean return of the best checkpoint")
        solved = solved_from(study.contender.source.describe())
        limit(
            left,
            [*returns, *(value for _, value in cut)],
            kept=[max(returns)] if solved is None else [max(returns), solved],
        )
        if solved is not None:
            reference(left, solved, "solved")
        left.legend()
        if importance:
            names = list(importance)[::-1]
            right[0].barh(names, [importance[name] for name in names], color=BLUE)
            right[0].set(xlabel="share of the variance of returns (fANOVA)")
            right[0].grid(axis="y", visible=False)
        save(figure, path)


def pruned_points(trials: "Sequence[FrozenTrial]") -> Iterator[tuple[int, float]]:
    """Yield the number of each trial that was pruned, and the return that it had come to."""
    for trial in trials:
        if trial.state.name == "PRUNED" and (told := trial.intermediate_values):
            yield trial.number, told[max(told)]


def _importance(study: "Study") -> dict[str, float]:
    """Return how much of the variance of returns each setting explains; none of few trials."""
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    try:
        return get_param_importances(study.open(), evaluator=FanovaImportanceEvaluator(seed=0))
    except (RuntimeError, ValueError):  # too few trials, or all returns alike
        return {}
