"""A run is a folder: everything that training leaves, and all it takes to go on or to play."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from nets.arguments import checked
from nets.kinds import Count, Threads
from nets.runs import folder
from nets.runs.changes import changed, changed_names, config_at, next_change
from nets.runs.checkpoint import Damaged, fitting, load_checkpoint, save_checkpoint
from nets.runs.checkpoints import KEPT_CHECKPOINTS
from nets.runs.configurations import recalled, recorded, require_found
from nets.runs.divergence import require_finite_file
from nets.runs.fingerprints import Source, checkpoint_source
from nets.runs.metrics import Mark
from nets.runs.records import save_record
from nets.settings import place_fields, to_plain

from ..environments.source import EnvSource
from .actor import Actor


@dataclass(frozen=True)
class RunConfig(folder.RunConfig):
    """How a run is cut up, in environment steps; part of the run, since results depend on it."""

    eval_episodes: Count = 20
    """Episodes of an evaluation."""
    eval_max_steps: Count | None = None
    """Steps after which an episode of an evaluation is cut off; None: see `evaluate`."""
    threads: Threads = 1
    """CPU threads of torch while training."""

    @classmethod
    def default(cls, agent: Actor, steps: int, eval_every: int | None = None) -> "RunConfig":
        """Choose lengths that suit `agent` and a training of `steps` more steps.

        A segment is a twentieth of the training, and no more than the agent's `most_steps_at_risk`;
        but at least ten time limits per environment, and whole rollouts.
        """
        more = max(steps - agent.steps, 1)
        limit = 10 * (agent.source.max_episode_steps or 1000) * agent.num_envs
        part = min(more // 20, agent.most_steps_at_risk)
        rollouts = -(-max(limit, part) // agent.rollout_steps)
        return cls(
            steps=steps,
            segment_steps=rollouts * agent.rollout_steps,
            log_every=max(more // 200, agent.num_envs),
            eval_every=max(more // 20, agent.num_envs) if eval_every is None else eval_every,
            threads=agent.threads,
        )

    def in_segments(self, agent: Actor, steps: int) -> "RunConfig":
        """Return the same run in segments of `steps` steps, rounded up to whole rollouts.

        Raises:
            ValueError: no episode would come to its end.
        """
        least = (agent.source.max_episode_steps or 1) * agent.num_envs
        if steps < least:
            message = f"segment_steps is {steps}: expected at least {least:,}, for an episode that"
            raise ValueError(f"{message} goes on at the end of a segment is cut off")
        rollouts = -(-steps // agent.rollout_steps)
        return replace(self, segment_steps=rollouts * agent.rollout_steps)


class RunFolder(folder.RunFolder[RunConfig]):
    """`runs/<name>/` of an agent: with checkpoints/replay/, and an episode.gif.

    Args:
        path: the folder.
        trust: whether settings of later steps may be functions of any module.
    """

    config_type = RunConfig
    pictures = (*folder.RunFolder.pictures, "episode.gif")

    def __init__(self, path: str | Path, *, trust: bool = False) -> None:
        super().__init__(path)
        self.trust = trust
        self.replay = self.files.replay
        self.episode = self.path / "episode.gif"
        self._ends: deque[int] = deque(maxlen=KEPT_CHECKPOINTS)  # replay rows at each checkpoint

    def libraries(self, state: Mapping[str, Any]) -> tuple[str, ...]:
        """Return which libraries computed what a checkpoint holds: others round differently."""
        compiled = state["config"].get("kernel") == "fused"
        return (*super().libraries(state), *(["numba"] if compiled else []))

    def load_config(self) -> dict[str, Any]:
        """Return what `create` recorded.

        Raises:
            FileNotFoundError: the folder is not a run.
            ValueError: it is a run of something else.
        """
        record = super().load_config()
        if "model" in record and "algorithm" not in record:
            raise ValueError(f"{self.path} is a run of a generative model, and of no agent")
        return record

    @checked
    def create(self, agent: Actor, config: RunConfig, command: Sequence[str] = ()) -> None:
        """Begin a new run of an untrained agent.

        Args:
            agent: who is to be trained.
            config: how the run is cut up.
            command: what was typed, if anything was.

        Raises:
            FileExistsError: the folder holds a run already, or what is left of one.
            Occupied: another process owns it.
        """
        about = {"device": str(agent.device), "sources": _sources(agent)}
        if agent.begun_from:
            about["init_from"] = agent.begun_from
        self.begin(manifest_of(agent) | about, config, command)

    def change(self, agent: Actor, changes: Mapping[str, Any]) -> list[str]:
        """Record that a run goes on with other settings from the agent's step on; say which.

        Raises:
            ValueError: a setting cannot change, or nothing is left to be trained.
        """
        record, steps = self.load_config(), agent.steps
        if steps >= self.run_config().steps:
            message = f"{self.path} has all of its {steps:,} steps"
            raise ValueError(f"{message}: --steps N lets it go on with other settings")
        agent.adjust(**changes)
        config = to_plain(recorded(agent.config))
        require_found(recalled(type(agent.config), config, trust=self.trust), to_learn=True)
        defaults = to_plain(recorded(type(agent.config)()))  # of settings that came later
        before = defaults | config_at(record, steps)
        new = {name: value for name, value in config.items() if value != before[name]}
        save_record(self.config_file, changed(self._written(), steps, new))
        return [f"{name} {before[name]} -> {now} from step {steps:,}" for name, now in new.items()]

    def adjust(self, agent: Actor) -> float:
        """Give an agent the settings that hold after its step; return the step until which."""
        if not self.config_file.exists():
            return inf
        record = self.load_config()
        names = changed_names(record)
        if names:
            kept = {f.name: getattr(agent.config, f.name) for f in fields(agent.config)}
            kept = {name: value for name, value in kept.items() if name not in names}
            with fitting(self.config_file):
                values = config_at(record, agent.steps + 1)
                now = recalled(type(agent.config), values, kept, trust=self.trust)
                agent.adjust(**{name: getattr(now, name) for name in names})
        return next_change(record, agent.steps)

    def save(self, agent: Actor, progress: Mapping[str, Any], rows: Mark | None) -> None:
        """Write the replay rows of the segment, then the checkpoint that counts on them."""
        shard = agent.replay.shard()
        if shard is not None:
            file = self.replay / f"{shard['first_row']:012d}.pt"
            save_checkpoint(file, shard | {"record": self._record})
        self._ends.append(agent.replay.rows)
        state = self._described(agent) | {
            "progress": dict(progress),
            "replay_rows": agent.replay.rows,
            "replay_first": max(agent.replay.rows - agent.replay.capacity, 0),
            "replay_ends": list(self._ends),
        }
        self.write(agent.steps, state, rows)
        self._prune(agent.replay.capacity)

    def keep(self, agent: Actor, file: Path) -> None:
        """Write an agent of this run to one of its files, to look at, or as the best."""
        save_checkpoint(file, self._described(agent))

    def _described(self, agent: Actor) -> dict[str, Any]:
        """Return all of an agent, with places as they were written down when the run was begun."""
        state = agent.manifest() | {"agent": agent.state_dict()}
        if self._record is not None and agent.source.spec is not None:
            begun, places = self._record["config"], place_fields(agent.config_type)
            config = state["config"] | {name: begun[name] for name in places if name in begun}
            state |= {"env": self._record["env"], "config": config}
        return state

    def restore(self, agent: Actor) -> dict[str, Any]:
        """Bring `agent` to the last checkpoint; return the progress saved with it (or nothing).

        Where that, or a replay file that it counts on, is damaged, an earlier one is taken.

        Raises:
            Damaged: none of the checkpoints is whole, with all that was learned finite.
            CheckpointError: one is of another run, or does not fit; or a file that the run takes
                from elsewhere has changed.
        """
        self.check_sources(_sources(agent))
        state = self.newest(_identity(agent), partial(self._take, agent))
        if state is None:
            return {}
        self._prune(agent.replay.capacity)
        return state["progress"]

    def _take(self, agent: Actor, file: Path, state: dict[str, Any]) -> None:
        require_finite_file(file, state.get("agent"))
        replay = agent.replay
        replay.clear()
        with fitting(file):
            agent.load_state_dict(state["agent"])
            counts = [state[name] for name in ("steps", "segment", "replay_rows")]
            ends = state.get("replay_ends", counts[2:])
            if not all(type(count) is int and count >= 0 for count in (*counts, *ends)) or not ends:
                raise ValueError(f"its steps, segment and replay rows are {counts}, before: {ends}")
            agent.steps, agent.segment, rows = counts
            self._ends = deque(ends, maxlen=KEPT_CHECKPOINTS)
            _ = state["progress"]
        shards = self._shards(rows - replay.capacity, rows)
        for each in shards:
            shard = load_checkpoint(each)
            self.require_own(each, shard)
            with fitting(each):
                replay.load_shard(shard)
        oldest = max(rows - replay.capacity, 0)
        if replay.rows != rows or (shards and int(shards[0].stem) > oldest):
            raise Damaged(f"{self.replay} lacks files: {file} needs rows {oldest} to {rows}")

    def _shards(self, first: int, rows: int) -> list[Path]:
        """The replay files with rows from number `first` on, of `rows` rows, oldest first."""
        files = [file for file in self.files.shards() if int(file.stem) < rows]
        ends = [int(following.stem) for following in files[1:]] + [rows]
        return [file for file, end in zip(files, ends, strict=False) if end > first]

    def _prune(self, capacity: int) -> None:
        """Remove all but the last checkpoints, and the replay files that they need."""
        self.files.prune()
        live = self._shards(self._ends[0] - capacity, self._ends[-1])
        for file in set(self.files.shards()).difference(live):
            file.unlink()


def sources(config: Any, world: EnvSource) -> dict[str, Source]:
    """Return the files of others that an agent of `config`, or its world, takes something from."""
    named = {name: getattr(config, name, "") for name in ("expert", "pretrained")}
    recipe = world.describe()
    named["run"] = recipe.get("kwargs", {}).get("run", "")  # of the encoder of a latent world
    for wrapper in recipe.get("wrappers", ()):
        named["run"] = wrapper["kwargs"].get("run", named["run"])
    found = {name: checkpoint_source(path) for name, path in named.items() if path}
    return {name: source for name, source in found.items() if source is not None}


def _sources(agent: Actor) -> dict[str, Source]:
    """Return the files of others that an agent takes something from."""
    begun = checkpoint_source(agent.begun_from) if agent.begun_from else None
    return sources(agent.config, agent.source) | ({} if begun is None else {"init_from": begun})


def manifest_of(agent: Actor) -> dict[str, Any]:
    """Return what stays the same in the manifests of a run's agent."""
    return {k: v for k, v in agent.manifest().items() if k not in ("steps", "segment")}


def _identity(agent: Actor) -> dict[str, Any]:
    """Return the same without where others' files lie: their fingerprints are compared."""
    said, places = manifest_of(agent), place_fields(agent.config_type)
    return said | {"config": {k: v for k, v in said["config"].items() if k not in places}}
