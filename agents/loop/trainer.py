"""Training: segments between checkpoints, each begun anew from a seed, so that runs resume exactly.

A segment, in an uninterrupted run as in a resumed one, starts with fresh environments and freshly
seeded generators, all derived from the run's seed and the segment's number: no generator state is
ever saved. Episodes still open at a segment's end are truncated.
"""

from collections.abc import Collection, Sequence
from contextlib import closing, nullcontext
from copy import deepcopy
from dataclasses import asdict, replace
from time import perf_counter
from typing import Any

from nets.arguments import checked
from nets.glance import Shown
from nets.kinds import Whole
from nets.near import shortened
from nets.process.device import cpu_settings
from nets.process.distributed import ALONE, Team
from nets.process.interrupts import left_at
from nets.process.progress import Bar, progress_bar
from nets.process.seeding import give_way, hash31, seeded
from nets.runs.checkpoint import fitting
from nets.runs.divergence import still_interrupted
from nets.runs.records import save_record
from nets.runs.run_log import RunLog
from nets.settings import required
from nets.tracking.opening import open_log
from nets.tracking.tracking import Tracking

from .actor import Actor
from .divergence import answerable, require_finite, require_finite_losses
from .evaluation import Evaluation, evaluate
from .experience import Stream
from .joining import bring_together
from .progress import Callback, Progress, raw_of
from .run import RunConfig, RunFolder, manifest_of


class Trainer(Shown):
    """Trains one agent, and leaves a run folder when given one.

    Args:
        agent: the agent; its environment is its own.
        run: where to write; None trains in memory.
        config: how the run is cut up; None: as `run` says, or else in suitable lengths.
        callbacks: called after every step with a `Progress`; returning False stops.
        team: the processes that train together; each brings an agent of the same kind, environment,
            settings and seed, and all see the run's folder, to which the first writes.
        progress: whether to draw a progress bar.
        track: tells a tracker of the training; whoever made it closes it.

    Raises:
        ValueError: such an agent can only learn alone.
    """

    @checked
    def __init__(
        self,
        agent: Actor,
        run: RunFolder | None = None,
        config: RunConfig | None = None,
        *,
        callbacks: Sequence[Callback] = (),
        team: Team = ALONE,
        progress: bool = True,
        track: Tracking | None = None,
    ) -> None:
        agent.join(team)
        self.agent, self.run_folder, self.config, self.team = agent, run, config, team
        self.callbacks, self.show_progress, self.track = callbacks, progress and team.leads, track
        self.progress = Progress(agent)
        self.stopped = False
        self._found: dict[str, Any] | None = None  # what `agent` was before the first checkpoint
        self._log = RunLog()

    @property
    def facts(self) -> dict[str, Any]:
        """Who learns, where that is written, and how far it is."""
        run = None if self.run_folder is None else str(self.run_folder.path)
        told = {"agent": self.agent.name, "env": self.agent.source.name, "run": run}
        return told | self.progress.facts

    def run(self, steps: int) -> Progress:
        """Train until the agent has taken `steps` environment steps in all.

        Raises:
            KeyboardInterrupt: Ctrl-C, after a clean stop: `checkpoints/interrupted.pt` shows the
                state at that moment, and the next call, as a resumed run, goes on from the last
                segment. Without a folder, where nothing can be gone back to, it goes on from that
                moment, in new episodes.
            Diverged: a loss, an action, or what the agent has learned is not finite; nothing of it
                is saved.
            InvalidExperience: the environment returned what nothing can be learned from.
            Occupied: another process trains in the folder.
        """
        steps = required("steps", steps, Whole)
        with nullcontext() if self.run_folder is None else self.run_folder.owned(self.team.leads):
            return self._run(steps)

    def _run(self, steps: int) -> Progress:
        agent, self.stopped = self.agent, False
        config = self.config
        if self.run_folder is not None:
            if config is None and self.run_folder.config_file.exists():
                config = self.run_folder.run_config()
            self._open(self.run_folder)
        config = replace(config or RunConfig.default(agent, steps), steps=steps)
        agent.horizon = steps
        if agent.steps:
            agent.require()
        else:
            agent.begin()
        if self.team.leads:
            record = manifest_of(agent) | {"run": asdict(config)}
            self._log = open_log(self.run_folder, agent.steps, self.track, record)
        bar = progress_bar(steps, agent.steps, shown=self.show_progress)
        with cpu_settings(config.threads), bar:
            try:
                while agent.steps < steps and not self.stopped:
                    self._segment(config, bar)
            except KeyboardInterrupt as interruption:
                with still_interrupted(interruption):
                    self.snapshot()
                what, run = f"{agent.name} on {agent.source.name}", self.run_folder
                folder = None if run is None else run.path
                interruption.add_note(left_at(what, agent.steps, folder, "episodes"))
                raise
            finally:
                self._log.close()
        return self.progress

    def snapshot(self) -> None:
        """Save the agent of this moment as `checkpoints/interrupted.pt`, to look at.

        A run never goes on from there: its environments are between two resets.

        Raises:
            Diverged: it is not finite; nothing is saved.
        """
        if self.run_folder is not None and self.team.leads:
            require_finite(self.agent)
            self.run_folder.keep(self.agent, self.run_folder.files.interrupted)

    def _open(self, run: RunFolder) -> None:
        """Go to the last checkpoint; where there is none, to what the agent was at first."""
        agent, progress = self.agent, self.progress
        saved = self.team.tell(run.restore(agent) if self.team.leads else {})
        if saved:
            bring_together(agent, self.team)
            with fitting(run.path):
                progress.load_state_dict(saved)
            if progress.best_return is not None and not self.team.tell(
                self.team.leads and run.has_best()
            ):
                progress.best_return = None
        elif self._found is None:
            state = {"agent": agent.state_dict(), "progress": progress.state_dict()}
            self._found = deepcopy(state | {"steps": agent.steps, "segment": agent.segment})
        else:
            found = deepcopy(self._found)
            agent.load_state_dict(found["agent"])
            agent.steps, agent.segment = found["steps"], found["segment"]
            progress.load_state_dict(found["progress"])

    def _segment(self, config: RunConfig, bar: Bar) -> None:
        agent, run = self.agent, self.run_folder
        seed = hash31(agent.seed, "segment", agent.segment)
        end = min(agent.steps + config.segment_steps, config.steps)
        if run is not None:
            end = int(min(end, run.adjust(agent)))
        try:
            with seeded(seed):
                agent.reseed(hash31(seed, "agent"))
                with closing(agent.stream(hash31(seed, "environment"))) as stream:
                    while agent.steps < end and not self.stopped:
                        give_way()
                        self._advance(stream, config, end, bar)
            require_finite(agent)
        except BaseException:
            if run is None:  # nothing is gone back to: what comes next is another segment
                agent.segment += 1
            raise
        agent.segment += 1
        if run is not None and self.team.leads:
            self._log.flush()
            run.save(agent, self.progress.state_dict(), self._log.mark())
        self._found = None

    def _advance(
        self, stream: Stream, config: RunConfig, end: int, bar: Bar, *, cut: bool = True
    ) -> None:
        """Go to the next moment at which something other than a step happens."""
        self.team.heed(self.agent.device)
        agent, before, started = self.agent, self.agent.steps, perf_counter()
        target = min(end, _next(before, config.log_every), _next(before, config.eval_every))
        if self.callbacks:
            target = min(target, before + agent.num_envs)
        whole = -(-(target - before) // agent.num_envs) * agent.num_envs  # rounds of all copies
        with answerable(agent):
            metrics = stream.advance(whole, last=cut and before + whole >= end)
        self.progress.count(stream.episodes, metrics)
        stream.episodes.clear()
        for callback in self.callbacks:
            self.stopped |= _stops(callback(self.progress))
        if self.callbacks:
            self.stopped = self.team.tell(self.stopped)
        bar.total = max(bar.total, agent.steps)  # a whole rollout may go past the end
        bar.update(agent.steps - before)
        row: dict[str, float] = {}
        if _passed(before, agent.steps, config.eval_every) or agent.steps >= config.steps:
            row |= self.evaluate(config)
        if row or _passed(before, agent.steps, config.log_every):
            speed = (agent.steps - before) / (perf_counter() - started)
            self._write(row, speed, bar)

    def evaluate(self, config: RunConfig) -> dict[str, float]:
        """Evaluate greedily on fresh environments, keep the best agent so far, return a log row."""
        agent, progress = self.agent, self.progress
        if not config.eval_every or agent.source.spec is None:
            return {}
        result = self.team.tell(self._evaluated(config) if self.team.leads else None)
        assert result is not None
        progress.evaluation = result
        if progress.best_return is None or result.mean_return > progress.best_return:
            progress.best_return = result.mean_return
            if self.run_folder is not None and self.team.leads:
                self.run_folder.keep(agent, self.run_folder.files.best)
                record = {"step": agent.steps} | result.to_json()
                save_record(self.run_folder.files.evaluation, record)
        row = {"eval_return": result.mean_return, "eval_std": result.std_return}
        own = result.mean_raw_return
        return row if own is None else row | {"eval_raw_return": own}

    def _evaluated(self, config: RunConfig) -> Evaluation:
        agent, seed = self.agent, hash31(self.agent.seed, "evaluation")
        episodes, max_steps = config.eval_episodes, config.eval_max_steps
        return evaluate(agent, episodes=episodes, seed=seed, max_steps=max_steps)

    def _write(self, row: dict[str, float], speed: float, bar: Bar) -> None:
        episodes, self.progress.unlogged = self.progress.unlogged, []
        full: dict[str, float] = {"episodes": self.progress.episodes}
        if episodes:
            _, returns, lengths, _ = zip(*episodes, strict=True)
            full["return"] = _mean(returns)
            full["length"] = _mean(lengths)
        if own := raw_of(episodes):
            full["raw_return"] = _mean(own)
        metrics = self.progress.numbers()
        require_finite_losses(self.agent, metrics)
        full |= metrics | row
        self._log.write(self.agent.steps, full, timed={"steps_per_second": speed})
        if bar.disable:
            return
        recent = {"return": self.progress.recent, "raw return": self.progress.recent_raw}
        shown = {name: f"{_mean(values):.1f}" for name, values in recent.items() if values}
        if self.progress.best_return is not None:
            shown["best eval"] = f"{self.progress.best_return:.1f}"
        bar.set_postfix(shown, refresh=False)


def _stops(said: Any) -> bool:
    """Whether what a callback returned is false, as NumPy's False is; None is not."""
    try:
        return said is not None and not said
    except (RuntimeError, ValueError) as error:  # arrays and tensors of several
        message = f"a callback returned {shortened(said)}: expected True, False or None"
        raise TypeError(message) from error


def _next(step: int, every: int) -> int:
    """The first multiple of `every` after `step`."""
    return (step // every + 1) * every if every else step + 2**62


def _mean(values: Collection[float]) -> float:
    return sum(values) / len(values)


def _passed(before: int, after: int, every: int) -> bool:
    return every > 0 and before // every != after // every
