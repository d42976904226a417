"""Training in memory, call by call: what one call leaves open, the next goes on with.

A run folder is cut into segments, so that it can be resumed from files. Memory needs none: twenty
calls of `learn(1_000)` are one of `learn(20_000)`, bit for bit. Episodes, rollouts, rows that wait
for their n-th reward, and the states of all generators live on from call to call.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from nets.process.progress import Bar
from nets.process.seeding import Generators, give_way, hash31
from nets.tracking.tracking import Tracking

from .actor import Actor
from .divergence import require_finite
from .experience import Stream
from .progress import Callback
from .run import RunConfig
from .trainer import Trainer


class Continuing(Trainer):
    """A trainer without a folder, whose `run` goes on where the last one stopped.

    An agent has its own. Between two runs it does not have the agent, so that what nobody uses any
    more is freed at once, with its replay and its environments.
    """

    _stream: Stream | None = None
    _generators: Generators
    _segment_after: int
    _whole = True  # whether the last stretch ended as it should

    @property
    def under_way(self) -> bool:
        """Whether there are episodes with which the next call goes on."""
        return self._stream is not None

    def run_more(
        self,
        agent: Actor,
        steps: int,
        config: RunConfig,
        callbacks: Sequence[Callback],
        track: Tracking | None = None,
    ) -> None:
        """Train for `steps` more steps; errors, and Ctrl-C, end what was open."""
        nobody: Any = None
        self.agent, self.progress = agent, replace(self.progress, agent=agent)
        self.config, self.callbacks, self.track = config, callbacks, track
        try:
            self.run(agent.steps + steps)
        finally:
            if not self._whole:
                self.end()
            self.agent, self.progress = nobody, replace(self.progress, agent=nobody)
            self.callbacks, self.track = (), None

    def end(self) -> None:
        """End what is open; the next call begins with new episodes."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(Exception):  # it was broken already
                stream.close()

    def _segment(self, config: RunConfig, bar: Bar) -> None:
        agent, self._whole = self.agent, False
        stream = self._stream
        if stream is None or agent.segment != self._segment_after:  # another trainer had the agent
            stream = self._begin()
        with self._generators.lent():
            while agent.steps < config.steps and not self.stopped:
                give_way()
                self._advance(stream, config, config.steps, bar, cut=False)
        require_finite(agent)
        self._whole = True

    def _begin(self) -> Stream:
        self.end()
        agent = self.agent
        seed = hash31(agent.seed, "segment", agent.segment)
        self._generators = Generators(seed)
        with self._generators.lent():
            agent.reseed(hash31(seed, "agent"))
            self._stream = stream = agent.stream(hash31(seed, "environment"))
        agent.segment += 1
        self._segment_after = agent.segment
        return stream
