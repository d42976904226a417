"""A run is a folder: everything that training leaves, and all it takes to go on or to play."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nets.runs import folder
from nets.runs.checkpoint import CheckpointError, fitting, load_checkpoint, save_checkpoint
from nets.settings import Count

from .actor import Actor


@dataclass(frozen=True)
class RunConfig(folder.RunConfig):
    """How a run is cut up, in environment steps; part of the run, since results depend on it."""

    eval_episodes: Count = 20
    """Episodes of an evaluation."""
    threads: Count = 1
    """CPU threads of torch while training."""

    @classmethod
    def default(cls, agent: Actor, steps: int, eval_every: int | None = None) -> "RunConfig":
        """Choose lengths that suit `agent` and a training of `steps` more steps.

        A segment has at least ten time limits per environment, and whole rollouts.
        """
        more = max(steps - agent.steps, 1)
        limit = 10 * (agent.source.max_episode_steps or 1000) * agent.num_envs
        rollouts = -(-max(limit, more // 20) // agent.rollout_steps)
        return cls(
            steps=steps,
            segment_steps=rollouts * agent.rollout_steps,
            log_every=max(more // 200, agent.num_envs),
            eval_every=max(more // 20, agent.num_envs) if eval_every is None else eval_every,
            threads=agent.threads,
        )


class RunFolder(folder.RunFolder[RunConfig]):
    """`runs/<name>/` of an agent: with checkpoints/replay/, and an episode.gif."""

    config_type = RunConfig
    pictures = (*folder.RunFolder.pictures, "episode.gif")

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self.replay = self.files.replay
        self.episode = self.path / "episode.gif"

    def create(self, agent: Actor, config: RunConfig, command: Sequence[str]) -> None:
        """Begin a new run of an untrained agent.

        Raises:
            FileExistsError: the folder holds a run already.
            Occupied: another process owns it.
        """
        manifest = agent.manifest()
        del manifest["steps"], manifest["segment"]
        self.begin(manifest | {"device": str(agent.device)}, config, command)

    def save(self, agent: Actor, progress: Mapping[str, Any]) -> None:
        """Write the replay rows of the segment, then the checkpoint that counts on them."""
        shard = agent.replay.shard()
        if shard is not None:
            save_checkpoint(self.replay / f"{shard['first_row']:012d}.pt", shard)
        state = agent.manifest() | {
            "agent": agent.state_dict(),
            "progress": dict(progress),
            "replay_rows": agent.replay.rows,
        }
        save_checkpoint(self.files.of_step(agent.steps), state)
        self._prune(agent)

    def restore(self, agent: Actor) -> dict[str, Any]:
        """Bring `agent` to the last checkpoint; return the progress saved with it (or nothing).

        Raises:
            CheckpointError: the checkpoint, or a replay file that it counts on, is damaged.
        """
        self.clean()
        files = self.files.list()
        if not files:
            return {}
        state = load_checkpoint(files[-1])
        with fitting(files[-1]):
            agent.load_state_dict(state["agent"])
            agent.steps, agent.segment = state["steps"], state["segment"]
            rows, progress = state["replay_rows"], state["progress"]
        replay = agent.replay
        shards = self._live_shards(rows, replay.capacity)
        for file in shards:
            with fitting(file):
                replay.load_shard(load_checkpoint(file))
        oldest = max(rows - replay.capacity, 0)
        if replay.rows != rows or (shards and int(shards[0].stem) > oldest):
            message = f"{self.replay} lacks files: {files[-1]} needs rows {oldest} to {rows}"
            raise CheckpointError(message)
        self._prune(agent)
        return progress

    def _live_shards(self, rows: int, capacity: int) -> list[Path]:
        """The replay files that hold the last `capacity` of `rows` rows, oldest first."""
        files = [file for file in sorted(self.replay.glob("*.pt")) if int(file.stem) < rows]
        last = [int(following.stem) for following in files[1:]] + [rows]
        return [file for file, end in zip(files, last, strict=False) if end > rows - capacity]

    def _prune(self, agent: Actor) -> None:
        self.files.prune()
        live = self._live_shards(agent.replay.rows, agent.replay.capacity)
        for file in set(self.replay.glob("*.pt")).difference(live):
            file.unlink()
