"""Train a generative model on data."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from warnings import catch_warnings, simplefilter

from nets.drawing.style import drawing
from nets.shell.command_line import INTERRUPTED, command, refusals
from nets.shell.here import shown
from nets.shell.run_options import ResumeOptions, StartOptions
from nets.shell.tracked import track_option, tracked
from nets.shell.training import new_folder
from nets.shell.widths import fitted

from ..catalogue import MODELS, WORLD
from ..presets import Preset, load_presets
from .options import TRAIN, TrainOptions, parse_train
from .report import ending, heading, large, tell_results, trust_option

if TYPE_CHECKING:
    from ..data.dataset import Dataset
    from ..model import GenerativeModel
    from ..training.run import RunConfig, RunFolder
    from ..training.trainer import Trainer

DATA = {
    "sprites": "737,280 figures with exact factors; sprites:shape,scale varies two of them",
    "digits": "1,797 handwritten digits of 8x8 pixels",
    "ring": "points of 8 Gaussians on a circle; ring:K of K",
    "frames:ENV_ID": "what an environment draws; frames:ENV_ID@RUN under an agent of ours",
    "observations:ENV_ID": "the picture observations of an environment",
    "PATH": "a .npz, .npy, .csv or idx file, or a folder of images",
}


@command
def main(argv: list[str]) -> int:
    """Start a run, go on with one, or list what there is."""
    if "--list" in argv:
        return _list()
    with TRAIN.prepared(argv):
        return _run(argv)


def _run(argv: list[str]) -> int:
    earlier = TRAIN.parse_resume(argv, TrainOptions)
    if earlier is not None:
        return _go_on(earlier)
    if WORLD.name in argv[:1]:
        from . import world

        return world.start(argv)
    options, preset = parse_train(argv)
    return _start(options, preset, argv)


def _go_on(options: ResumeOptions) -> int:
    from . import world

    return world.resume(options) if world.is_world(options.resume) else _resume(options)


def _start(options: TrainOptions[Any], preset: Preset | None, argv: list[str]) -> int:
    from nets.process.device import default_threads, resolve_device
    from nets.process.distributed import team
    from nets.runs.configurations import require_schedules

    from ..data.parts import DataConfig, load_parts, sources
    from ..loading import build_model
    from ..training.run import RunConfig, RunFolder
    from . import written

    chosen = options.size, options.limit, options.binarize
    data = DataConfig.of(options.data, *chosen, fit=options.fit, labels=options.labels)
    seed = options.seed
    with _refusing():
        resolve_device(options.device)
    with team(options.device) as (workers, device):
        with _refusing():
            train, held_out = load_parts(data, options.held_out, seed, trust=options.trust)
            model = build_model(options.model, train, options.config, seed)
            require_schedules(model.config)
            config = RunConfig.default(
                options.steps,
                held_out=options.held_out,
                threads=options.threads or default_threads(model),
                eval_every=options.eval_every,
                segment_steps=options.segment_steps,
                draw_every=options.draw_every,
            )
            name = model.name, data.title, seed
            folder = options.run or (new_folder(*name) if workers.leads else Path())
            run = RunFolder(workers.tell(folder))
        with run.owned(workers.leads):
            if workers.leads:
                about = {"data": asdict(data), "seed": seed, "device": device.type}
                about |= written.about(train)
                command = [Path(sys.argv[0]).name, *argv]
                with _refusing():
                    about["sources"] = sources(data)
                    run.create(model.manifest() | about, config, command)
                if preset is not None:
                    print(preset.describe(options))
            return _train(
                *(run, config, model, train, held_out, options),
                seed=seed,
                device=device,
                team=workers,
            )


def _resume(options: ResumeOptions) -> int:
    from nets.process.device import resolve_device
    from nets.process.distributed import team
    from nets.runs.checkpoint import fitting

    from ..data.parts import recorded, recorded_parts, sources
    from ..loading import from_manifest
    from ..training.run import RunFolder

    run = RunFolder(options.resume)
    with _refusing():
        record = run.load_config()
        with fitting(run.config_file):
            where = options.device or record["device"]
        resolve_device(where)
    with team(where) as (workers, device), run.owned(workers.leads):
        with _refusing():
            with fitting(run.config_file):
                seed = record["seed"]
                model = from_manifest(record, seed, trust=options.trust)
            if workers.leads:
                run.check_sources(sources(recorded(record, trust=options.trust)))
            train, held_out = recorded_parts(record, trust=options.trust)
            now, then = (train.shape, len(train)), (model.shape, model.dataset_size)
            if now != then:
                message = f"{train.name} is no longer what {run.path} was started with"
                raise ValueError(f"{message}: {_rows(*now)} to train on, then {_rows(*then)}")
            if workers.leads and options.steps is not None:  # once all else is known to fit
                run.extend(options.steps)
            config = workers.tell(run.run_config())
        return _train(
            *(run, config, model, train, held_out, options),
            seed=seed,
            device=device,
            team=workers,
        )


def _train(
    run: "RunFolder",
    config: "RunConfig",
    model: "GenerativeModel",
    train: "Dataset",
    held_out: "Dataset | None",
    options: StartOptions[Any] | ResumeOptions,
    **settings: Any,
) -> int:
    from ..gallery.draw import draw_all
    from ..training.trainer import Trainer

    draw = partial(draw_all, run.path)
    watched = tracked(options.track if settings["team"].leads else None, run.path)
    with drawing(options.theme, options.format), watched as track:
        with refusals(ValueError):
            trainer = Trainer(
                *(model, train, run, config),
                held_out=held_out,
                draw=draw,
                track=track,
                **settings,
            )
        return _run_trainer(trainer, run, config, options)


def _run_trainer(
    trainer: "Trainer",
    run: "RunFolder",
    config: "RunConfig",
    options: StartOptions[Any] | ResumeOptions,
) -> int:
    again, data = trust_option(trainer) + track_option(options.track), cast("Dataset", trainer.data)
    if trainer.team.leads:
        notes = (f"{data.name}: {note}" for note in data.notes)
        print(*notes, *large(data), heading(trainer, config), sep="\n")
        print(f"run folder: {shown(run.path)}", flush=True)
    with TRAIN.warned(options.checkpoint_on, trainer.snapshot, run.files.interrupted):
        try:
            with refusals(ValueError), TRAIN.finite(run.path, again):
                trainer.run(config.steps)
        except KeyboardInterrupt:
            if trainer.team.leads:
                print(TRAIN.interruption(run.path, trainer.steps, again))
            return INTERRUPTED
        if trainer.team.leads:
            with refusals(ValueError):
                _draw(run, trainer)
            print(ending(trainer, run, config, track_option(options.track)))
    return 0


def _draw(run: "RunFolder", trainer: "Trainer") -> None:
    """Draw what was learned: the best weights, and how they were come by."""
    from nets.process.seeding import hash31, seeded
    from nets.runs.metrics import read_metrics

    from ..gallery import charts, grids
    from ..gallery.draw import draw_all
    from ..loading import load

    model, unseen = load(run.path, device=str(trainer.device)), cast("Dataset", trainer.unseen)
    with seeded(hash31(trainer.seed, "drawing")):
        pictures = draw_all(run.path, model, unseen)
    title = f"{model.name} on {trainer.data.name}"
    grids.save(run.curve, charts.curves(read_metrics(run.metrics_file), title=title))
    tell_results(trainer, run, pictures)


def _rows(shape: Sequence[int], count: int) -> str:
    return f"{count:,} rows of {'x'.join(map(str, shape))}"


@contextmanager
def _refusing() -> Iterator[None]:
    """Tell in one line which data, model or setting cannot work."""
    import gymnasium as gym

    from ..data.dataset import DataNote

    with refusals(ValueError, TypeError, ImportError, gym.error.Error), catch_warnings():
        simplefilter("ignore", DataNote)  # `_train` says all of them
        yield


def _list() -> int:
    """Print the models, the data, and for which pairs there are presets."""
    print("models:")
    for name, model in MODELS.items():
        print(fitted(f"  {name:<22}{model.summary}"))
    print(fitted(f"  {WORLD.name:<22}{WORLD.summary}; its data are an ENV_ID"))
    print("\ndata:")
    for name, summary in DATA.items():
        print(fitted(f"  {name:<22}{summary}"))
    print("\npresets:")
    for name, data in load_presets():
        print(f"  {name:<22}{data}")
    return 0
