"""The model card of a run: what it is, how it was made, how good it is, who may use it."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

GROUP = "dreamgym.cards"  # entry points that measure a run of a kind for its card
FORGOTTEN = ("--run", "--track")  # of the command: they say where, and not what


@dataclass(frozen=True)
class Figure:
    """What was measured: a value, and the interval that it lies in."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.4g}"
        return f"{self.value:.4g} (95 % interval {self.low:.4g} to {self.high:.4g})"


@dataclass(frozen=True)
class Facts:
    """What those who know a kind of run say of one.

    Attributes:
        task: as hubs call it, such as "reinforcement-learning".
        learner: algorithm or model.
        problem: environment or data.
        figures: how good it is.
        measured: how that was found out.
        settings: of the learner.
        command: of dreamgym that made it.
        use: lines of Python that use it; `{run}` stands for the folder.
        tags: by which it is found, beside its names.
    """

    task: str
    learner: str
    problem: str
    figures: Sequence[Figure]
    measured: str
    settings: Mapping[str, Any]
    command: str
    use: str
    tags: Sequence[str] = field(default=())


class Measure(Protocol):
    """What an entry point of `dreamgym.cards` is."""

    def __call__(self, run: Path, file: Path, record: Mapping[str, Any], *, trust: bool) -> Facts:
        """Look at the checkpoint `file` of a run, which `record` describes."""
        ...


def facts_of(run: Path, file: Path, record: Mapping[str, Any], *, trust: bool = False) -> Facts:
    """Return the facts of a run, of whichever kind.

    Raises:
        ValueError: nobody knows its kind.
    """
    kind = record.get("kind", "agent")
    for point in entry_points(group=GROUP, name=kind):
        measure: Measure = point.load()
        return measure(run, file, record, trust=trust)
    raise ValueError(f"{run} is a run of kind {kind!r}, which nobody here can measure")


def write_card(
    facts: Facts, record: Mapping[str, Any], repo: str, licence: str, pictures: Sequence[str]
) -> str:
    """Return the card in Markdown, with the metadata that hubs read above it.

    Args:
        facts: of the run.
        record: its config.json.
        repo: under which it is shared.
        licence: under which others may use it, as hubs call it.
        pictures: files that lie beside the card.
    """
    from huggingface_hub import EvalResult, ModelCardData

    title = f"{facts.learner} on {facts.problem}"
    results = [
        EvalResult(
            task_type=facts.task,
            dataset_type=facts.problem,
            dataset_name=facts.problem,
            metric_type=figure.name.replace(" ", "_"),
            metric_value=str(figure),
        )
        for figure in facts.figures
    ]
    about = ModelCardData(
        license=licence,
        library_name="dreamgym",
        pipeline_tag=facts.task,
        tags=["dreamgym", facts.learner, facts.problem, *facts.tags],
        model_name=title,
        eval_results=results,
    )
    name = repo.rpartition("/")[2]
    rows = {
        "what": f"{title}, {record.get('run', {}).get('steps', '?')} steps",
        **{figure.name: str(figure) for figure in facts.figures},
        "measured": facts.measured,
        "seed": record.get("seed"),
        "licence": licence,
        "versions": ", ".join(f"{k} {v}" for k, v in record.get("versions", {}).items()),
        "commit": record.get("git_commit"),
        "processor": record.get("processor", {}).get("name"),
    }
    table = "\n".join(f"| {k} | {_cell(v)} |" for k, v in rows.items() if v not in (None, ""))
    shown = "\n".join(f"![{picture}]({picture})" for picture in pictures)
    settings = json.dumps(facts.settings, indent=2, default=str)
    return f"""---
{about}
---

# {_cell(title)}

Made with dreamgym.

| | |
|---|---|
{table}

{shown}

## Use

```sh
pip install 'dreamgym[hub]'
dreamgym pull {_cell(repo)}
dreamgym evaluate runs/{_cell(name)}
```

```python
{facts.use.format(run=f"runs/{_cell(name)}")}
```

## Made by

```sh
{_command(facts.command, record.get("command", []))}
```

with these settings:

```json
{settings.replace("`", "'")}
```
"""


def without_places(words: Sequence[str]) -> list[str]:
    """Return what was typed without where it was to lie, and who was to be told."""
    kept, skip = list[str](), False
    for word in words:
        if not skip and word.partition("=")[0] not in FORGOTTEN:
            kept.append(word)
        skip = not skip and word in FORGOTTEN
    return kept


def _command(name: str, words: Sequence[str]) -> str:
    typed = shlex.join(["dreamgym", name, *words[1:]]) if words else "# made in Python"
    return " ".join(typed.replace("`", "'").split())


def _cell(value: object) -> str:
    """Return text that stays within its place on the page."""
    return re.sub(r"[|`<>\[\]\s]+", " ", str(value)).strip()
