"""Compare algorithms on an environment, over several seeds."""

import shlex
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from nets.counted import counted
from nets.drawing.style import drawing
from nets.kinds import Count
from nets.placing.calls import CallError, PlaceError
from nets.placing.each import Place, run_each
from nets.placing.named import place_named
from nets.runs.ownership import owned
from nets.shell.command_line import (
    INTERRUPTED,
    CommandError,
    command,
    draw_off_screen,
    parse,
    program,
    to_type,
)
from nets.shell.env_arguments import take_arguments
from nets.shell.here import pinned, shown
from nets.shell.tracked import require_tracking
from nets.shell.training import RUNS

from .common import find_env, refusals, require_ready, warn_idle
from .contenders import RunsOptions, parse_contenders, require_form
from .worlds import adapt

if TYPE_CHECKING:
    from ..outcomes.comparison import Comparison, Contender

    Runs = Sequence[tuple[Contender, int]]

TEXT = """Compare algorithms on an environment: learning curves and a table, with their uncertainty.

usage:
  {command} ALGO,ALGO,... ENV_ID [options] [--env.NAME VALUE ...]
  {command} --out DIR                    draw and print a comparison again, without running

A contender is ALGO, with its preset for the environment, or ALGO:FIELD=VALUE:FIELD=VALUE, which
changes settings: the fields of `train`'s --config, steps, num_envs, and preset for a variant.
The folder keeps a JSON file per run. What is finished is never run again, what was cut off goes on
exactly where it was; new contenders and more seeds join those that are there.

examples:
  {command} ppo,a2c,dqn CartPole-v1
  {command} ppo,sb3-ppo Pendulum-v1 --seeds 10 --jobs 2
  {command} ppo,ppo:encoder=mlp dreamgym/Recall-v0      the same agent without its memory
  {command} dqn,dqn:preset=rainbow CartPole-v1
  {command} ppo,'ppo:hidden=256 256:learning-rate=1e-3' CartPole-v1 --steps 50000"""

_CONTENDERS = tyro.conf.arg(metavar="ALGO,ALGO,...")


@dataclass(frozen=True)
class CompareOptions(RunsOptions):
    """What to compare."""

    contenders: Annotated[tyro.conf.Positional[str | None], _CONTENDERS] = None
    """Algorithms, each with settings if wanted."""
    env: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="ENV_ID")] = None
    """Environment: Name-v0, namespace/Name-v0, or module:Name-v0 to import its module first."""
    seeds: Count = 5
    """Seeds, from 0 on."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Folder of the comparison; by default runs/compare-ENV_ID."""


@command
def main(argv: list[str]) -> int:
    """Compare, or draw a comparison again."""
    words, arguments = take_arguments(argv)
    require_form(words)
    options = parse(CompareOptions, "compare", words, TEXT)
    draw_off_screen()
    with drawing(options.theme, options.format):
        return _compare(options, arguments, argv)


def _compare(options: CompareOptions, arguments: dict[str, Any], argv: list[str]) -> int:
    if options.contenders is None:
        if options.out is None:
            raise CommandError("name ALGO,ALGO,... and ENV_ID, or --out DIR to draw it again")
        return _show(options.out)
    if options.env is None:
        raise CommandError(f"on which environment? {options.contenders} ENV_ID")
    from ..outcomes.comparison import Comparison

    require_tracking(options.track)
    source = find_env(options.env)
    named = f"compare-{source.name.replace('/', '-')}"
    folder = (options.out or pinned(RUNS) / named).absolute()
    call = shlex.join([*program("compare").split(), *argv])
    with refusals(ValueError, TypeError, ModuleNotFoundError, PlaceError):
        place = place_named(options.on, options.jobs)
        place.require()
        comparison = Comparison(
            folder,
            options.eval_episodes,
            options.device,
            call,
            place.sharing,
            options.eval_max_steps,
            options.track,
        )
        wanted = partial(adapt, arguments=arguments, options=options)
        wanted(source)  # what cannot be made is told of nobody in particular
        contenders = parse_contenders(
            options.contenders, source, options.steps, options.num_envs, wanted
        )
        for contender in contenders:
            agent = comparison.agent(contender, 0)
            require_ready(agent)
            warn_idle(agent, contender.steps, contender.label)
    runs = [(contender, seed) for seed in range(options.seeds) for contender in contenders]
    with owned(comparison.runs):
        return _complete(comparison, runs, place, argv)


def _complete(comparison: "Comparison", runs: "Runs", place: Place, argv: Sequence[str]) -> int:
    """Run what is missing, then draw and print."""
    with refusals(ValueError, TypeError):
        due = [run for run in runs if not comparison.finished(*run)]
    try:
        _run(comparison, runs, due, place)
    except KeyboardInterrupt:
        left = sum(not comparison.finished(*run) for run in runs)
        print(f"\ninterrupted: {len(runs) - left} of {len(runs)} runs are finished; to go on:")
        print(f"  {to_type('compare')} {shlex.join(argv)}")
        return INTERRUPTED
    return _show(comparison.path)


def _run(comparison: "Comparison", runs: "Runs", due: "Runs", place: Place) -> None:
    from nets.process.progress import progress_bar

    from ..outcomes.comparison_report import run_line

    length = sum(contender.steps for contender, _ in runs)
    finished = length - sum(contender.steps for contender, _ in due)
    print(
        f"{counted(len(runs), 'run')}, {len(due)} to do, into {shown(comparison.path)}",
        flush=True,
    )
    with progress_bar(length, finished) as bar:

        def watch() -> None:
            bar.update(finished + sum(comparison.steps_done(*run) for run in due) - bar.n)

        try:
            with closing(run_each(comparison.run, due, place, watch)) as ended:
                for index in ended:
                    watch()
                    record = comparison.record(*due[index])
                    assert record is not None  # the run has just written it
                    bar.write(run_line(record))
        except PlaceError as error:
            raise CommandError(str(error)) from error
        except CallError as error:
            contender, seed = due[error.index]
            raise CommandError(f"{contender.label}, seed {seed}: {error}") from error


def _show(folder: Path) -> int:
    """Draw and print what the folder holds."""
    from ..outcomes.comparison import load_records
    from ..outcomes.comparison_report import as_text, table, write

    with refusals(ValueError):
        outcomes = write(load_records(folder), folder)
    print(f"\n{as_text(table(outcomes))}\n")
    told = shown(folder)
    print(f"table: {told / 'README.md'}\ncurves: {told / 'curves.png'}")
    return 0
