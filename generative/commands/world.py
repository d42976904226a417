"""Learn a world: live through the real one, train a model of it, leave a run folder to dream in."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nets.drawing.style import drawing
from nets.shell.command_line import INTERRUPTED, refusals
from nets.shell.here import shown
from nets.shell.run_options import ResumeOptions, StartOptions
from nets.shell.tracked import track_option, tracked
from nets.shell.training import list_run, new_folder

from .options import TRAIN
from .report import tell_results
from .world_options import NAME, WorldOptions, parse_world

if TYPE_CHECKING:
    from nets.tracking.tracking import Tracking

    from ..training.run import RunConfig, RunFolder
    from ..worlds.episodes import Episodes
    from ..worlds.world import World


def is_world(folder: Path) -> bool:
    """Whether a run folder, as far as it can be read, is that of a world."""
    from nets.runs.checkpoint import CheckpointError

    from ..training.run import RunFolder

    with suppress(CheckpointError, OSError, ValueError):
        return RunFolder(folder).load_config().get("model") == NAME
    return False


def start(argv: list[str]) -> int:
    """Collect, learn, and say what came out."""
    options, spec, preset = parse_world(argv)
    from nets.process.device import resolve_device
    from nets.process.seeding import hash31, seeded
    from nets.runs.checkpoint import save_checkpoint
    from nets.runs.fingerprints import source

    from ..training.run import RunConfig, RunFolder
    from ..worlds.stored import EXPERIENCE, deal
    from ..worlds.world import World

    seed = options.seed
    with refusals(ValueError):
        device = resolve_device(options.device)
        if options.run is not None:
            RunFolder(options.run).require_new()
        episodes = _collected(options, spec)
        train, held_out = deal(episodes, options.held_out, seed)
        with seeded(hash31(seed, "weights")):
            world = World.of(spec, train, options.config)
        run = RunFolder(options.run or new_folder(NAME, options.env.rpartition(":")[2], seed))
    with run.owned():
        with refusals():
            run.require_new()
            steps = options.steps if world.players() else 1
            lengths = {name: getattr(options, name) for name in ("eval_every", "segment_steps")}
            config = RunConfig.default(steps, held_out=options.held_out, **lengths)
            file = run.path / EXPERIENCE
            save_checkpoint(file, episodes.state_dict())
            about: dict[str, Any] = {"seed": seed, "device": device.type}
            about["data"] = {"spec": f"episodes:{options.env}"}
            about["sources"] = {"data": source(file, [file])}
            run.create(world.manifest() | about, config, [Path(sys.argv[0]).name, *argv])
        if preset is not None:
            print(preset.describe(options))
        with drawing(options.theme, options.format), tracked(options.track, run.path) as track:
            return _train(run, config, world, train, held_out, device, seed, options, track)


def resume(options: ResumeOptions) -> int:
    """Go on with learning a world from what was lived through then."""
    from nets.process.device import resolve_device
    from nets.runs.checkpoint import fitting

    from ..loading import from_manifest
    from ..training.run import RunFolder
    from ..worlds.stored import deal, load_experience

    run = RunFolder(options.resume)
    with run.owned():
        with refusals(ValueError):
            record = run.load_config()
            config = run.run_config()
            episodes = load_experience(run)
            with fitting(run.config_file):
                seed, device = record["seed"], resolve_device(options.device or record["device"])
                train, held_out = deal(episodes, config.held_out, seed)
                world: Any = from_manifest(record, seed, trust=options.trust)
            if options.steps is not None:  # once all else is known to fit
                config = run.extend(options.steps)
            world.study(train)
        with drawing(options.theme, options.format), tracked(options.track, run.path) as track:
            return _train(run, config, world, train, held_out, device, seed, options, track)


def _collected(options: WorldOptions, spec: Any) -> "Episodes":
    from nets.process.seeding import hash31

    from ..data.actors import load_actor
    from ..worlds.experience import collect

    actor = None if options.actor is None else load_actor(str(options.actor), trust=options.trust)
    episodes = collect(
        spec,
        options.collect,
        actor=actor,
        exploration=options.exploration,
        seed=hash31(options.seed, "experience"),
    )
    returns = episodes.returns
    mean = f", mean return {float(returns.mean()):.3g}" if len(returns) else ""
    who = "random actions" if options.actor is None else f"the agent of {options.actor}"
    print(
        f"lived through {len(episodes):,} steps of {options.env} in "
        f"{len(episodes.lengths):,} episodes, by {who}{mean}",
        flush=True,
    )
    return episodes


def _train(
    run: "RunFolder",
    config: "RunConfig",
    world: "World",
    train: "Episodes",
    held_out: "Episodes | None",
    device: Any,
    seed: int,
    options: StartOptions[Any] | ResumeOptions,
    track: "Tracking | None",
) -> int:
    from nets.process.seeding import hash31, seeded
    from nets.runs.metrics import read_metrics

    from ..dreams.strips import strips
    from ..gallery import charts, grids
    from ..loading import load
    from ..training.trainer import Trainer
    from ..worlds.episodes import Windows

    name, span = world.spec.env_id.rpartition(":")[2], world.config.window
    rows = Windows(name, train, span)
    unseen = None if held_out is None else Windows(name, held_out, span)

    def draw(model: Any, windows: Any) -> dict[str, Any]:
        picture = strips(model, windows)
        grids.save(run.path / "dreams.png", picture)
        return {"dreams": picture}

    trainer = Trainer(
        *(world, rows, run, config),
        held_out=unseen,
        seed=seed,
        device=device,
        draw=draw,
        track=track,
    )
    again = track_option(options.track)
    parameters = sum(p.numel() for p in world.dynamics.parameters())
    learned = f"{parameters:,} parameters, {config.steps:,} steps" if parameters else "counted"
    print(f"{world.config.model} of {name}: {learned}, seed {seed}, {trainer.device}")
    print(f"run folder: {shown(run.path)}", flush=True)
    with TRAIN.warned(options.checkpoint_on, trainer.snapshot, run.files.interrupted):
        try:
            with refusals(), TRAIN.finite(run.path, again):
                trainer.run(config.steps)
        except KeyboardInterrupt:
            print(TRAIN.interruption(run.path, trainer.steps, again))
            return INTERRUPTED
        best: Any = load(run.path, device=str(trainer.device))
        with seeded(hash31(seed, "drawing")):
            pictures = draw(best, trainer.unseen)
        with suppress(ValueError):  # a run of one step has no curve
            grids.save(run.curve, charts.curves(read_metrics(run.metrics_file), title=name))
        tell_results(trainer, run, pictures)
        print(_ending(run, world, config, again))
    return 0


def _ending(run: "RunFolder", world: "World", config: "RunConfig", track: str) -> str:
    """Say what lies where, and what to type next."""
    from ..data.actors import foreign_world
    from ..dreams import DREAM_ID
    from ..worlds.stored import EXPERIENCE

    files = {
        EXPERIENCE: "what was lived through",
        "curve.png": "the numbers as a picture",
        "dreams.png": "moments that really followed, and what was dreamed below each",
    }
    inside = f"generative.dreams:{DREAM_ID} --env.run {{run}}"
    foreign = foreign_world(world.spec.env_id, imported=())  # which no dream makes by itself
    beside = "" if foreign else " --env.beside"
    learner = "q-learning" if world.config.model == "table" else "ppo"
    others = {
        "evaluate": "how true it is",
        f"train {learner} {inside}": "learn inside",
        f"play {inside}{beside}": "play it, the real world beside it" if beside else "play it",
    }
    listed = list_run(run.path, "the weights that are best on held-out episodes", files)
    more = 2 * config.steps if world.players() else None
    return f"{listed}\n{TRAIN.suggestions(run.path, others, more, track)}"
