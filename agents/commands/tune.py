"""Search for settings of an algorithm on an environment."""

import shlex
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from nets.counted import counted
from nets.drawing.style import drawing
from nets.kinds import Count, Seed
from nets.placing.calls import CallError, PlaceError
from nets.placing.each import Place, run_each
from nets.placing.named import place_named
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

from .common import find_env, refusals, require_ready
from .contenders import RunsOptions, kept_by, parse_contenders, require_form
from .worlds import adapt

if TYPE_CHECKING:
    from ..tuning.study import Study

TEXT = """Search for settings that learn best, by trials that are runs.

usage:
  {command} ALGO ENV_ID [options] [--env.NAME VALUE ...]

ALGO may say what all trials keep, as in `compare`: ppo:hidden=64 64. What is sought, and where,
each algorithm's settings declare; --space says otherwise. Trials that fall behind are pruned. The
folder keeps every trial as a run: what was cut off goes on exactly where it was, and the same
command, given again or beside it in other terminals, works on the same study.

examples:
  {command} ppo CartPole-v1 --trials 50 --steps 50000 --jobs 2
  {command} dqn CartPole-v1 --space learning-rate=1e-4..1e-2:log batch-size=32,64,128
  {command} ppo:n-steps=32 Pendulum-v1 --space learning-rate clip --pruner hyperband
  {command} q-learning FrozenLake-v1 --seeds 3 --storage sqlite:///lake.db"""


@dataclass(frozen=True)
class TuneOptions(RunsOptions):
    """What to search for."""

    algo: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ALGO")]
    """Algorithm, with settings if wanted."""
    env: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ENV_ID")]
    """Environment: Name-v0, namespace/Name-v0, or module:Name-v0 to import its module first."""
    trials: Count = 50
    """Settings to try in all."""
    space: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME[=WHERE]")] = ()
    """What to seek: NAME, where its algorithm says; NAME=LOW..HIGH[:log]; or NAME=A,B,C."""
    seeds: Count = 1
    """Runs of a trial, whose median counts."""
    sampler: Literal["tpe", "random"] = "tpe"
    """How settings are drawn: tpe, by a model of what did well; random."""
    pruner: Literal["median", "hyperband", "none"] = "median"
    """What ends trials early: being below the median, Hyperband's brackets, nothing."""
    storage: Annotated[str, tyro.conf.arg(metavar="URL")] = ""
    """Optuna's storage, such as sqlite:///study.db; by default a journal in the folder."""
    seed: Seed = 0
    """Of the draws; one job alone is reproducible."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Folder of the study; by default runs/tune-ALGO-ENV_ID."""


@command
def main(argv: list[str]) -> int:
    """Search, or go on with a search."""
    words, arguments = take_arguments(argv)
    require_form(words)
    options = parse(TuneOptions, "tune", words, TEXT)
    draw_off_screen()
    from ..outcomes.comparison import Comparison
    from ..tuning.space import parse_space
    from ..tuning.study import Study

    require_tracking(options.track)
    source = find_env(options.env)
    with refusals(ModuleNotFoundError, ValueError, TypeError, PlaceError):
        wanted = partial(adapt, arguments=arguments, options=options)
        wanted(source)
        found = parse_contenders(options.algo, source, options.steps, options.num_envs, wanted)
        if len(found) > 1:
            raise CommandError(f"one algorithm is tuned at a time, not {options.algo}")
        contender = found[0]
        named = f"tune-{contender.folder}-{source.name.replace('/', '-')}"
        call = shlex.join([*program("tune").split(), *argv])
        place = place_named(options.on, options.jobs)
        place.require()
        comparison = Comparison(
            (options.out or pinned(RUNS) / named).absolute(),
            options.eval_episodes,
            options.device,
            call,
            place.sharing,
            options.eval_max_steps,
            options.track,
        )
        require_ready(comparison.agent(contender, 0))  # before there is a folder
        study = Study(
            comparison,
            contender,
            parse_space(options.space, contender.config, kept_by(contender.label)),
            options.trials,
            options.seeds,
            options.sampler,
            options.pruner,
            options.storage,
            options.seed,
        )
        study.open()
    return _search(study, place, options, argv)


def _search(study: "Study", place: Place, options: TuneOptions, argv: Sequence[str]) -> int:
    from ..tuning.report import BEST, write

    try:
        _work(study, place)
    except KeyboardInterrupt:
        over = len(study.finished())
        print(f"\ninterrupted: {over} of {study.trials} trials are over; to go on:")
        print(f"  {to_type('tune')} {shlex.join(argv)}")
        return INTERRUPTED
    with drawing(options.theme, options.format):
        print(f"\n{write(study)}")
    told = shown(study.comparison.path)
    if (study.comparison.path / BEST).exists():
        words = [study.contender.algorithm, options.env, "--preset", str(told / BEST)]
        print(f"\nreturns by trial, and what they hang on: {told / 'trials.png'}")
        print(f"train with the best:\n  {to_type('train')} {shlex.join(words)}")
    return 0


def _work(study: "Study", place: Place) -> None:
    from nets.process.progress import progress_bar

    from ..tuning.study import finished

    journal = study.open()  # once: only what is new is read again
    done = len(finished(journal))
    left = max(study.trials - done, 0)
    trials = counted(study.trials, "trial")
    print(f"{trials}, {left} to do, into {shown(study.comparison.path)}", flush=True)
    with progress_bar(study.trials, done, unit="trial") as bar:

        def watch() -> None:
            bar.update(min(len(finished(journal)), study.trials) - bar.n)

        try:
            with closing(run_each(study.work, [()] * min(place.jobs, left), place, watch)) as ended:
                for _ in ended:
                    watch()
        except (CallError, PlaceError) as error:
            raise CommandError(str(error)) from error
