"""Train an agent on an environment."""

import shlex
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nets.shell.command_line import (
    INTERRUPTED,
    command,
    draw_off_screen,
    executable,
    free_folder,
    has_display,
    list_commands,
    list_files,
    parse,
    to_type,
)

from ..algorithms import ALGORITHMS, find_algorithm
from ..presets import Preset, load_presets, load_variants
from .common import find_env, refusals
from .evaluate import EPISODES, SEED, describe
from .options import TEXT, ResumeOptions, TrainOptions, describe_preset, parse_train

if TYPE_CHECKING:
    from ..agent import Agent
    from ..loop.run import RunConfig, RunFolder


@command
def main(argv: list[str]) -> int:
    """Start a run, go on with one, or list what there is."""
    if "--list" in argv:
        return _list()
    if any(word.partition("=")[0] == "--resume" for word in argv):
        return _resume(parse(ResumeOptions, "train", argv, TEXT))
    options, preset = parse_train(argv)
    return _start(options, preset, argv)


def _start(options: TrainOptions[Any], preset: Preset | None, argv: list[str]) -> int:
    from ..loop.run import RunFolder

    source = find_env(options.env, options.num_envs)
    agent_type = find_algorithm(options.algo).agent_type()
    with refusals(ValueError, TypeError):
        if preset is not None:
            source = source.adapted(preset.env, preset.wrappers)
        agent = agent_type(source, options.config, seed=options.seed, device=options.device)
        agent.begin()  # what it lacks is refused before there is a folder
        run = RunFolder(options.run or _new_folder(agent))
        config = agent.run_config(options.steps, options.eval_every)
        run.create(agent, config, [Path(sys.argv[0]).name, *argv])
    if preset is not None:
        print(describe_preset(preset, options))
    return _train(agent, run, config)


def _resume(options: ResumeOptions) -> int:
    from nets.runs.checkpoint import fitting

    from ..loop.run import RunFolder

    run = RunFolder(options.resume)
    with refusals(ValueError):
        record = run.load_config()
        with fitting(run.record.file):
            fresh = record | {"steps": 0, "segment": 0}
            agent_type = find_algorithm(record["algorithm"]).agent_type()
            agent = agent_type.from_manifest(fresh, device=record["device"])
            config = run.run_config()
        if options.steps is not None:
            config = run.extend(options.steps)
    return _train(agent, run, config)


def _train(agent: "Agent", run: "RunFolder", config: "RunConfig") -> int:
    from ..loop.trainer import Trainer
    from ..loop.validity import InvalidExperience

    print(_heading(agent, config))
    print(f"run folder: {run.path}", flush=True)
    trainer = Trainer(agent, run, config)
    with refusals(InvalidExperience):
        trainer.run(config.steps)
    if trainer.interrupted:
        print(f"interrupted at step {agent.steps:,}; to go on from the last checkpoint:")
        print(f"  {to_type('train')} --resume {shlex.quote(str(run.path))}")
        return INTERRUPTED
    with refusals(ValueError):
        _finish(run)
    return 0


def _finish(run: "RunFolder") -> None:
    """Evaluate the best checkpoint, draw what was learned, and say what there is."""
    from ..loading import load
    from ..loop.evaluation import evaluate
    from ..outcomes.curves import draw_curve
    from ..outcomes.media import record

    agent = load(run.path)
    result = evaluate(agent, episodes=EPISODES, seed=SEED)
    print(describe(result, run.files.find()), flush=True)
    if hasattr(agent, "report"):
        print(agent.report(), flush=True)
    draw_curve(run.metrics_file, run.curve, f"{agent.name} on {agent.source.name}")
    screen = has_display()
    draw_off_screen()
    try:
        record(agent, agent.source, run.episode, seed=SEED)
    except ValueError as error:
        print(f"no {run.episode.name}: {error}")
    print(_contents(run))
    print(_next_commands(run, agent, screen))


def _heading(agent: "Agent", config: "RunConfig") -> str:
    threads = f"{config.threads} thread{'s' * (config.threads > 1)}"
    copies = f"{agent.num_envs} environment{'s' * (agent.num_envs > 1)}"
    length = f"{config.steps:,} {'iterations' if agent.plans else 'steps'}"
    settings = f"{length}, seed {agent.seed}, {copies}, {agent.device} ({threads})"
    return f"{agent.name} on {agent.source.name}: {settings}"


def _contents(run: "RunFolder") -> str:
    files = {
        "config.json": "what was run",
        "best/checkpoint.pt": "the best agent so far",
        "checkpoints/": "to resume from",
        "metrics.csv": "numbers, for TensorBoard in events.*",
        "curve.png": "the learning curve",
        "episode.gif": "an episode of the best agent",
    }
    return list_files(run.path, files)


def _next_commands(run: "RunFolder", agent: "Agent", screen: bool) -> str:
    folder = shlex.quote(str(run.path))
    out = "" if screen else " --out episode.mp4"
    commands = {
        f"{to_type('evaluate')} {folder}": "measure it again",
        f"{to_type('render')} {folder}{out}": "watch it play (--out FILE.gif, .mp4, .png)",
        f"{executable('tensorboard')} --logdir {folder}": "look at the numbers",
    }
    if not agent.plans:
        more = 2 * run.run_config().steps
        commands[f"{to_type('train')} --resume {folder} --steps {more}"] = "train it longer"
    return list_commands(commands)


def _new_folder(agent: "Agent") -> Path:
    """Return `runs/ALGO-ENV_ID-sSEED`, with a number behind where that is taken."""
    return free_folder(f"{agent.name}-{agent.source.name.replace('/', '-')}-s{agent.seed}")


def _list() -> int:
    """Print the algorithms, our environments, and for which pairs there are presets."""
    import gymnasium as gym

    from ..environments.source import HOME

    for module in HOME.values():
        import_module(module)
    print("algorithms:")
    for name, algorithm in ALGORITHMS.items():
        print(f"  {name:<20}{algorithm.summary}")
    print("\nenvironments (besides all of Gymnasium's):")
    for env_id in sorted(gym.registry):
        if env_id.partition("/")[0] in HOME:
            print(f"  {env_id}")
    print("\npresets:")
    for name, env_id in load_presets():
        print(f"  {name:<20}{env_id}")
    for name, variants in load_variants().items():
        for variant in variants:
            print(f"  {name:<20}--preset {variant}")
    return 0
