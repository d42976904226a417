"""Train an agent on an environment."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nets.counted import counted
from nets.drawing.style import drawing
from nets.shell.command_line import (
    INTERRUPTED,
    CommandError,
    command,
    draw_off_screen,
    has_display,
    one_line,
)
from nets.shell.env_arguments import PREFIX, take_arguments
from nets.shell.here import as_seen, shown
from nets.shell.run_options import ResumeOptions, StartOptions
from nets.shell.tracked import track_option, tracked
from nets.shell.training import list_run, new_folder

from ..algorithms import find_algorithm
from ..presets import Preset
from .common import find_env, refusals, require_ready, warn_idle
from .evaluate import EPISODES, SEED, describe
from .listing import list_all
from .options import TRAIN, TrainOptions, parse_changes, parse_train, take_changes
from .worlds import adapt

if TYPE_CHECKING:
    from nets.process.distributed import Team
    from nets.tracking.tracking import Tracking

    from ..agent import Agent
    from ..environments.source import EnvSource
    from ..loop.run import RunConfig, RunFolder


@command
def main(argv: list[str]) -> int:
    """Start a run, go on with one, or list what there is."""
    if "--list" in argv:
        return list_all()
    with TRAIN.prepared(argv):
        return _run(argv)


def _run(argv: list[str]) -> int:
    words, arguments = take_arguments(argv)
    others, changes = take_changes(words)
    earlier = TRAIN.parse_resume(others, TrainOptions)
    if earlier is not None:
        if arguments:
            raise CommandError(f"the environment of a run stays as it was: no {PREFIX}*")
        return _resume(earlier, changes)
    options, preset = parse_train(words)
    return _start(options, preset, arguments, argv)


def _start(
    options: TrainOptions[Any], preset: Preset | None, arguments: dict[str, Any], argv: list[str]
) -> int:
    from nets.process.device import resolve_device
    from nets.process.distributed import team

    from ..loop.run import RunFolder

    source = find_env(options.env, options.num_envs)
    agent_type = find_algorithm(options.algo).agent_type()
    with refusals(ValueError, TypeError, ModuleNotFoundError):
        if preset is not None:
            source = source.adapted(preset.env, preset.wrappers, said_by=preset.file)
        source = adapt(source, arguments, options)
        if options.vectorization != "auto":
            source = replace(source, vectorization=options.vectorization)
        resolve_device(options.device)
    with team(options.device) as (workers, device):
        with refusals(ValueError, TypeError, ModuleNotFoundError):
            agent = agent_type(source, options.config, seed=options.seed, device=str(device))
            agent.join(workers)
            if options.init_from is not None:
                agent.start_from(options.init_from)
            require_ready(agent)  # before there is a folder
            config = agent.run_config(options.steps, options.eval_every)
            config = replace(config, eval_max_steps=options.eval_max_steps)
            if options.segment_steps is not None and not agent.plans:
                config = config.in_segments(agent, options.segment_steps)
            name = agent.name, agent.source.name, agent.seed
            folder = options.run or (new_folder(*name) if workers.leads else Path())
            run = RunFolder(workers.tell(folder))
        with run.owned(workers.leads):
            if workers.leads:
                with refusals(ValueError):
                    run.create(agent, config, [Path(sys.argv[0]).name, *argv])
                if preset is not None:
                    print(preset.describe(options))
                if agent.begun_from:
                    print(f"begins with the networks of {shown(Path(agent.begun_from))}")
            return _train(agent, run, config, workers, options)


def _resume(options: ResumeOptions, words: list[str]) -> int:
    from nets.process.device import resolve_device
    from nets.process.distributed import team
    from nets.runs.changes import config_at
    from nets.runs.checkpoint import fitting

    from ..environments.source import EnvSource
    from ..loop.run import RunFolder

    run = RunFolder(options.resume, trust=options.trust)
    with refusals(ValueError):
        record = run.load_config()  # a folder that is no run is left as it is
        with fitting(run.config_file):
            agent_type = find_algorithm(record["algorithm"]).agent_type()
            where = options.device or record["device"]
        resolve_device(where)
    with team(where) as (workers, device), run.owned(workers.leads):
        with refusals(ValueError, ModuleNotFoundError):
            record = workers.tell(run.load_config() if workers.leads else {})
            with fitting(run.config_file):
                fresh = record | {"steps": 0, "segment": 0, "config": config_at(record)}
                recorded = record["env"]
            source = EnvSource.restore(recorded, run.config_file, trust=options.trust)
            with fitting(run.config_file):
                agent = agent_type.from_manifest(fresh, source, str(device), trust=options.trust)
                config = run.run_config()
            agent.join(workers)
            agent.begun_from = record.get("init_from", "")
            if agent.begun_from and not run.files.list():
                agent.start_from(agent.begun_from)
            changes = parse_changes(words, agent.config)
            begun = agent.config
            agent.adjust(**changes)
            agent.require()  # what does not go is refused before anything is written
            agent.adjust(**{name: getattr(begun, name) for name in changes})
            if options.steps is not None:
                config = workers.tell(run.extend(options.steps) if workers.leads else config)
            if changes and workers.leads:
                run.restore(agent)
                print("\n".join(run.change(agent, changes)))
        return _train(agent, run, config, workers, options)


def _train(
    agent: "Agent",
    run: "RunFolder",
    config: "RunConfig",
    workers: "Team",
    options: StartOptions[Any] | ResumeOptions,
) -> int:
    from nets.returned import InvalidExperience

    from ..loop.trainer import Trainer

    if workers.leads:
        print(_heading(agent, config))
        print(f"run folder: {shown(run.path)}", flush=True)
        warn_idle(agent, config.steps)
    again = _trust(agent) + track_option(options.track)
    with tracked(options.track if workers.leads else None, run.path) as track:
        trainer = Trainer(agent, run, config, team=workers, track=track)
        with TRAIN.warned(options.checkpoint_on, trainer.snapshot, run.files.interrupted):
            try:
                refused = refusals(InvalidExperience, ModuleNotFoundError)
                with refused, TRAIN.finite(run.path, again):
                    trainer.run(config.steps)
            except KeyboardInterrupt:
                if workers.leads:
                    print(TRAIN.interruption(run.path, agent.steps, again))
                return INTERRUPTED
            if workers.leads:
                with refusals(ValueError), drawing(options.theme, options.format):
                    _finish(run, agent.source, config.eval_max_steps, track)
    return 0


def _finish(
    run: "RunFolder", source: "EnvSource", max_steps: int | None, track: "Tracking | None"
) -> None:
    """Evaluate the best checkpoint, draw what was learned, and say what there is."""
    from ..loading import load
    from ..loop.evaluation import evaluate
    from ..outcomes.curves import draw_curve
    from ..outcomes.media import record
    from ..outcomes.references import solved_from

    agent = load(run.path, source)
    result = evaluate(agent, episodes=EPISODES, seed=SEED, max_steps=max_steps)
    print(describe(result, run.files.find()), flush=True)
    if report := agent.report():
        print(as_seen(report), flush=True)
    with _optional(run.curve.name):
        told = f"{agent.name} on {agent.source.name}, seed {agent.seed}"
        draw_curve(run.metrics_file, run.curve, told, solved_from(source.describe()))
    screen = has_display()
    draw_off_screen()
    with _optional(run.episode.name):
        record(agent, agent.source, run.episode, seed=SEED, max_steps=max_steps)
    print(_contents(run))
    if track is not None:
        low, high = result.interval
        figures = {"return": result.mean_return, "return_low": low, "return_high": high}
        track.results({f"best/{name}": value for name, value in figures.items()})
        track.media(run.curve, run.episode)
    print(_next_commands(run, agent, screen, "" if track is None else track_option(track.by)))


@contextmanager
def _optional(picture: str) -> Iterator[None]:
    """Do without a picture that cannot be drawn, as without OpenGL: the run is good without."""
    try:
        yield
    except Exception as error:
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        print(f"no {picture}: {kind}{one_line(error)}")


def _heading(agent: "Agent", config: "RunConfig") -> str:
    threads = counted(config.threads, "thread")
    copies = counted(agent.num_envs, "environment")
    length = f"{config.steps:,} {'iterations' if agent.plans else 'steps'}"
    many = f" in {agent.team.size} processes" if agent.team.size > 1 else ""
    settings = f"{length}, seed {agent.seed}, {copies}{many}, {agent.device} ({threads})"
    return f"{agent.name} on {agent.source.name}: {settings}"


def _contents(run: "RunFolder") -> str:
    files = {"curve.png": "the learning curve", "episode.gif": "an episode of the best agent"}
    return list_run(run.path, "the best agent so far", files)


def _next_commands(run: "RunFolder", agent: "Agent", screen: bool, track: str) -> str:
    trust = _trust(agent)
    film = "render" if screen else "render --out episode.mp4"
    others = {
        f"evaluate{trust}": "measure it again",
        f"{film}{trust}": "watch it play (--out FILE.gif, .mp4, .png)",
    }
    longer = None if agent.plans else 2 * run.run_config().steps
    return TRAIN.suggestions(run.path, others, longer, trust + track)


def _trust(agent: "Agent") -> str:
    """Return the option that the run's next commands need, if any."""
    from nets.runs.configurations import needs_trust

    needed = agent.source.needs_trust or needs_trust(agent.config)
    return " --trust" if needed else ""
