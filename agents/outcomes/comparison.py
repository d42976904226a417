"""Several algorithms over the same seeds: who takes part, what a run leaves, and going on.

A comparison is a folder: `LABEL/seed-K.json` holds what came out of a run, `runs/LABEL/seed-K/` is
its run folder. What is finished is never run again, what was cut off goes on exactly.
"""

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from nets.benchmarks.quality import make_record
from nets.process.device import cpu_settings
from nets.runs.changes import config_at
from nets.runs.checkpoint import save_json
from nets.runs.configurations import recorded
from nets.runs.metrics import read_metrics
from nets.settings import to_plain
from nets.tracking.names import TrackerName
from nets.tracking.tracking import Tracking

from ..agent import Agent
from ..algorithms import find_algorithm
from ..environments.source import EnvSource
from ..loading import measure_best
from ..loop.run import RunConfig, RunFolder, sources
from ..loop.trainer import Trainer
from .records import Record, read_finished


@dataclass(frozen=True)
class Contender:
    """An algorithm with its settings, and how long it trains.

    Attributes:
        label: what tables and curves call it, such as `ppo:encoder=mlp`.
        algorithm: its name.
        config: its settings.
        source: the environment, with what its preset puts around it, and how many copies.
        steps: environment steps of a run.
    """

    label: str
    algorithm: str
    config: Any
    source: EnvSource
    steps: int

    @property
    def folder(self) -> str:
        """The label as the name of a folder."""
        return self.label.replace(":", "-").replace(" ", "_").replace("/", "_")


@dataclass(frozen=True)
class Comparison:
    """A folder for what is measured on an environment.

    Attributes:
        path: the folder.
        eval_episodes: episodes of an evaluation during training.
        device: where networks live.
        command: what was typed.
        jobs: runs that share the machine; each takes its share of the threads.
        eval_max_steps: steps after which an episode of an evaluation is cut off.
        track: whom to tell of every run, by the contender's label and the seed; None for nobody.
    """

    path: Path
    eval_episodes: int = 20
    device: str = "auto"
    command: str = ""
    jobs: int = 1
    eval_max_steps: int | None = None
    track: TrackerName | None = None

    @property
    def runs(self) -> Path:
        """Where the run folders lie."""
        return self.path / "runs"

    def file(self, contender: Contender, seed: int) -> Path:
        """Return where the record of a run lies."""
        return self.path / contender.folder / f"seed-{seed}.json"

    def run_folder(self, contender: Contender, seed: int) -> RunFolder:
        """Return the run's folder."""
        return RunFolder(self.runs / contender.folder / f"seed-{seed}")

    def record(self, contender: Contender, seed: int) -> Record | None:
        """Return what came out of a run; None where it is not finished."""
        return read_finished(self.file(contender, seed))

    def agent(self, contender: Contender, seed: int) -> Agent:
        """Return the agent of a run, untrained.

        Raises:
            ValueError: the algorithm does not fit the environment, or has no learning curve.
            TypeError: the same.
        """
        kind = find_algorithm(contender.algorithm).agent_type()
        agent = kind(contender.source, contender.config, seed=seed, device=self.device)
        if agent.plans:
            raise ValueError(f"{agent.name} plans: it has no learning curve to compare")
        return agent

    def config(self, contender: Contender) -> dict[str, Any]:
        """Return everything but the seed that a run's figures depend on, as plain values."""
        taken = sources(contender.config, contender.source)
        more: dict[str, Any] = {"sources": taken, "eval_max_steps": self.eval_max_steps}
        given = {name: value for name, value in more.items() if value}  # older records have none
        return to_plain(
            {
                "algorithm": contender.algorithm,
                "env": contender.source.name,
                "recipe": contender.source.describe(),
                "steps": contender.steps,
                "num_envs": contender.source.num_envs,
                "eval_episodes": self.eval_episodes,
                "settings": recorded(contender.config),
            }
            | given
        )

    def finished(self, contender: Contender, seed: int) -> bool:
        """Whether the run's record is there.

        Raises:
            ValueError: a run with other settings is there instead, finished or begun.
        """
        file, folder = self.file(contender, seed), self.run_folder(contender, seed)
        config = self.config(contender)
        record = self.record(contender, seed)
        defaults = to_plain(recorded(type(contender.config)()))  # settings that came later
        if record is not None:
            later = {name: config.get(name) for name in ("recipe", "sources")}
            kept = later | record["config"]
            kept["settings"] = defaults | kept["settings"]
            _require_equal(file.parent, kept, config)
        elif folder.config_file.exists():
            begun = folder.load_config()
            kept = {
                "algorithm": begun["algorithm"],
                "env": config["env"],
                "recipe": begun["env"],
                "sources": begun.get("sources") or config.get("sources"),
                "steps": begun["run"]["steps"],
                "num_envs": begun["env"]["num_envs"],
                "eval_episodes": begun["run"]["eval_episodes"],
                "eval_max_steps": begun["run"].get("eval_max_steps"),
                "settings": defaults | config_at(begun),
            }
            _require_equal(folder.path, kept, config)
        return record is not None

    def run(
        self, contender: Contender, seed: int, trainer: Callable[..., Trainer] = Trainer
    ) -> Record | None:
        """Train from where an earlier call was cut off, measure, and write the record.

        Args:
            contender: whose run it is.
            seed: of the run.
            trainer: who trains.

        Returns:
            The record; None where the trainer stopped before the end.

        Raises:
            Occupied: another process is at it.
        """
        with (
            self.run_folder(contender, seed).owned() as folder,
            self._tracked(folder, f"{contender.label}, seed {seed}") as track,
        ):
            record = self._run(contender, seed, folder, partial(trainer, track=track))
            if track is not None and record is not None:
                track.results({"best/return": record["result"]["figure"]})
            return record

    def _tracked(self, folder: RunFolder, name: str) -> AbstractContextManager[Tracking | None]:
        return nullcontext() if self.track is None else Tracking(self.track, folder.path, name)

    def _run(
        self, contender: Contender, seed: int, folder: RunFolder, trainer: Callable[..., Trainer]
    ) -> Record | None:
        with cpu_settings(max(torch.get_num_threads() // self.jobs, 1)):
            agent = self.agent(contender, seed)
            if not folder.config_file.exists():
                config = RunConfig.default(agent, contender.steps)
                episodes, limit = self.eval_episodes, self.eval_max_steps
                config = replace(config, eval_episodes=episodes, eval_max_steps=limit)
                folder.create(agent, config, [self.command])
        config = folder.run_config()
        before = max((int(file.stem) for file in folder.files.list()), default=0)
        started = time.perf_counter()
        training = trainer(agent, folder, config, progress=False)
        training.run(config.steps)
        if training.stopped:
            return None
        seconds = time.perf_counter() - started
        with cpu_settings(config.threads):
            source, limit = contender.source, self.eval_max_steps
            result = measure_best(folder.path, source, self.device, limit)
        result["curve"] = _curve(folder)
        result["steps_per_second"] = round((agent.steps - before) / seconds, 1)
        record = make_record(
            contender.label, seed, self.config(contender), result, seconds, self.command
        )
        record["run"] = asdict(config) | {"device": str(agent.device)}
        record["versions"] |= _peers()
        save_json(self.file(contender, seed), record)
        return record

    def steps_done(self, contender: Contender, seed: int) -> int:
        """Return how far a run has come, as far as its metrics tell."""
        try:
            last = self.run_folder(contender, seed).metrics_file.read_bytes().splitlines()[-1]
        except (OSError, IndexError):
            return 0
        step = last.partition(b",")[0]
        return int(step) if step.isdigit() else 0


def load_records(path: Path) -> list[Record]:
    """Return all records of a comparison's folder, by label and seed.

    Raises:
        ValueError: there are none, or they are of several environments.
        CheckpointError: one is damaged.
    """
    files = (file for file in path.glob("*/seed-*.json") if file.parent.name != "runs")
    records = [record for record in map(read_finished, files) if record is not None]
    if not records:
        raise ValueError(f"{path} holds no records of a comparison")
    environments = {record["config"]["env"] for record in records}
    if len(environments) > 1:
        names = " and ".join(sorted(environments))
        raise ValueError(f"{path} mixes {names}: one folder compares on one environment")
    return sorted(records, key=lambda record: (record["experiment"], record["seed"]))


def _curve(folder: RunFolder) -> dict[str, list[float]]:
    """Return the evaluations during training."""
    metrics = read_metrics(folder.metrics_file)
    steps, returns = metrics["eval_return"]
    spread = metrics["eval_std"][1]
    return {"step": steps.tolist(), "return": returns.tolist(), "std": spread.tolist()}


def differences(kept: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """Name each value in which two descriptions of runs differ, as it was and as it is asked for.

    Args:
        kept: what was run, with its "settings" by name.
        asked: what is to be.
    """
    there, wanted = _flat(kept), _flat(asked)
    names = sorted(name for name in there | wanted if there.get(name) != wanted.get(name))
    return "; ".join(f"{name} {there.get(name)}, now {wanted.get(name)}" for name in names)


def _require_equal(path: Path, kept: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    if found := differences(kept, asked):
        message = f"{path} was run with other settings ({found})"
        raise ValueError(f"{message}: remove it, or choose another --out")


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    settings = {name: value for name, value in config.items() if name != "settings"}
    return settings | config["settings"]


def _peers() -> dict[str, str]:
    """Name the peer's version where the run used it."""
    used = "stable_baselines3" in sys.modules
    return {"stable-baselines3": version("stable-baselines3")} if used else {}
