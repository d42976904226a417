"""Sequences of experience, from which a memory learns (Hausknecht & Stone, 2015)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from ..loop.experience import Array, Transition
from .rows import Minibatches, mask_storage, observations, storage


@dataclass(frozen=True)
class History:
    """Observations as a memory comes to know them: K minibatches of B sequences, or one of them.

    Of L rows, the first warm the state up (the burn-in), T or more are meant by `row`.
    """

    observation: Tensor  # [K, L, B, *observation]
    state: Tensor  # [K, S, layers, B, H] of the memory, before the first row
    starts: Tensor  # [K, L, B] bool, where an episode begins
    row: Tensor  # [K, T, B] the observations meant, counted from the end of the burn-in

    def __getitem__(self, k: int) -> "History":
        return History(*(getattr(self, each.name)[k] for each in fields(self)))

    def __iter__(self) -> Iterator["History"]:
        return (self[k] for k in range(len(self.row)))

    def columns(self, part: slice) -> "History":
        """Return some sequences of one minibatch."""
        starts, row = self.starts[:, part], self.row[:, part]
        return History(self.observation[:, part], self.state[:, :, part], starts, row)

    def to(self, device: torch.device) -> "History":
        """Move every tensor to `device`."""
        return History(*(getattr(self, each.name).to(device) for each in fields(self)))


class Sequences(NamedTuple):
    """M sequences to remember, as arrays `[M, *]`: T steps, after a burn-in and before n rows."""

    observation: Any  # [M, L, *observation], L = burn-in + T + n
    action: Any  # [M, T, *action]
    reward: Any  # [M, T] summed over the row's n steps, discounted
    discount: Any  # [M, T] γⁿ · (1 − terminated)
    after: Any  # [M, T] the row n steps later, counted from the end of the burn-in
    valid: Any  # [M, T] 1 for steps, 0 for what fills a sequence up
    starts: Any  # [M, L] bool
    state: Any  # [M, S, layers, H]

    def batch(self, weight: Tensor) -> Minibatches:
        """Return drawn sequences, tensors `[K, B, *]`, with their weights `[K, B]`.

        The weights of a minibatch's steps are those of their sequences, over the number of steps.
        """
        observation = self.observation.transpose(1, 2)  # [K, L, B, *]
        state, starts = self.state.movedim(1, 3), self.starts.transpose(1, 2)
        action, reward, discount, after, valid = (
            each.transpose(1, 2) for each in self[1:6]
        )  # [K, T, B]
        now = torch.arange(after.shape[1], device=after.device)[:, None].expand_as(after)
        sequences, steps = weight.shape[1], valid.sum(dim=(1, 2), keepdim=True)  # [K, 1, 1]
        return Minibatches(
            observation=History(observation, state, starts, now),
            action=action,
            reward=reward,
            discount=discount,
            next_observation=History(observation, state, starts, after),
            weight=weight.unsqueeze(1) * valid * sequences / steps,
        )


class MaskedSequences(NamedTuple):
    """Sequences that also say which actions the row `after` allows."""

    observation: Any
    action: Any
    reward: Any
    discount: Any
    after: Any
    valid: Any
    starts: Any
    state: Any
    next_mask: Any  # bool [M, T, A]

    def batch(self, weight: Tensor) -> Minibatches:
        """Return drawn sequences, tensors `[K, B, *]`, with their weights `[K, B]`."""
        plain = Sequences(*self[:8]).batch(weight)
        return plain._replace(next_mask=self.next_mask.transpose(1, 2))  # [K, T, B, A]


@dataclass
class _Episode:
    """The part of an open episode that sequences still need; row 0 is its step `first`."""

    observations: list[Array] = field(default_factory=list)
    actions: list[Array] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    states: list[Array | float] = field(default_factory=list)
    next_masks: list[Array | None] = field(default_factory=list)
    first: int = 0
    begin: int = 0  # the first step that is in no sequence yet

    @property
    def end(self) -> int:
        """How many steps the episode has."""
        return self.first + len(self.rewards)

    def forget(self, before: int) -> None:
        """Drop steps before `before`."""
        count = max(before - self.first, 0)
        columns = self.observations, self.actions, self.rewards, self.states, self.next_masks
        for column in columns:
            del column[:count]
        self.first += count


class Sequencer:
    """Cuts the experience of N environments into sequences that lie within an episode.

    Every step is in the trained part of one sequence. The burn-in repeats the steps before it; at
    the beginning of an episode, where there are none, a start flag zeroes the state. The last
    sequence of an episode is filled up with rows that do not count.

    Args:
        length: T, steps of a sequence.
        burn_in: rows before them.
        n: steps of reward before the bootstrap.
        discount: γ.
        spaces: of observations and actions.
        state_shape: [S, layers, H] of the memory's state.
        num_envs: N.
        masks: whether to keep which actions are allowed.
    """

    def __init__(
        self,
        length: int,
        burn_in: int,
        n: int,
        discount: float,
        spaces: tuple[gym.Space, gym.Space],
        state_shape: tuple[int, ...],
        num_envs: int,
        *,
        masks: bool = False,
    ) -> None:
        self.length, self.burn_in, self.n, self.discount = length, burn_in, n, discount
        self._spaces, self._state_shape, self._masks = spaces, state_shape, masks
        self._open = [_Episode() for _ in range(num_envs)]

    def zeros(self, sequences: int) -> Sequences | MaskedSequences:
        """Allocate memory for sequences."""
        (observation,) = observations(self._spaces[0], 1, sequences, self._rows)
        return self._around(observation)

    @property
    def _rows(self) -> int:
        return self.burn_in + self.length + self.n

    def _around(self, observation: Any) -> Sequences | MaskedSequences:
        """Allocate memory for sequences whose observations `[M, L, *]` there is memory for."""
        sequences, action = len(observation), self._spaces[1]
        steps = sequences, self.length
        plain = Sequences(
            observation=observation,
            action=storage(action, *steps),
            reward=np.zeros(steps, np.float32),
            discount=np.zeros(steps, np.float32),
            after=np.zeros(steps, np.int64),
            valid=np.zeros(steps, np.float32),
            starts=np.zeros((sequences, self._rows), bool),
            state=np.zeros((sequences, *self._state_shape), np.float32),
        )
        return MaskedSequences(*plain, mask_storage(action, *steps)) if self._masks else plain

    def push(self, transition: Transition) -> Sequences | MaskedSequences | None:
        """Take a transition of N environments; return the sequences that became complete.

        Its extras hold `state`, the memory's before the step, `[S, layers, N, H]`, or nothing
        where that is 0.
        """
        done: list[Sequences | MaskedSequences] = []
        states, masks = transition.extras.get("state"), transition.next_mask
        for k, episode in enumerate(self._open):
            if not transition.valid[k]:
                continue
            episode.observations.append(transition.observation[k])
            episode.actions.append(transition.action[k])
            episode.rewards.append(float(transition.reward[k]))
            episode.states.append(0.0 if states is None else states[:, :, k])
            episode.next_masks.append(None if masks is None else masks[k])
            terminated = bool(transition.terminated[k])
            over = terminated or bool(transition.truncated[k])
            whole = self.length + self.n - 1  # steps until all of a sequence is known
            while episode.begin < episode.end and (over or episode.end >= episode.begin + whole):
                done.append(self._cut(episode, transition.next_observation[k], terminated))
                episode.begin += self.length
                episode.forget(episode.begin - self.burn_in)
            if over:
                self._open[k] = _Episode()
        return type(done[0])(*map(np.concatenate, zip(*done, strict=True))) if done else None

    def _cut(self, episode: _Episode, last: Array, terminated: bool) -> Sequences | MaskedSequences:
        """Return the next sequence of an episode, whose observation after the last step is `last`.

        Args:
            episode: its step `begin` is the first of the sequence's T.
            last: the observation after its last step.
            terminated: whether its last step ended it.
        """
        begin, end = episode.begin, episode.end
        cut = self._around(storage(self._spaces[0], 1, self._rows))
        top = begin - self.burn_in  # the episode's step in row 0; below 0 where it has none
        known = [*episode.observations, last]
        for row in range(max(-top, 0), min(end - top + 1, cut.starts.shape[1])):
            cut.observation[0, row] = known[top + row - episode.first]
        if top >= 0:
            cut.state[0] = episode.states[top - episode.first]
        if top <= 0:
            cut.starts[0, -top] = True
        cut.action[0] = episode.actions[begin - episode.first]  # what fills up is of the space, too
        for t in range(min(self.length, end - begin)):
            now, span = begin + t - episode.first, min(self.n, end - begin - t)
            rewards = episode.rewards[now : now + span]
            cut.action[0, t] = episode.actions[now]
            cut.reward[0, t] = sum(self.discount**j * reward for j, reward in enumerate(rewards))
            goes_on = not (terminated and begin + t + span == end)
            cut.discount[0, t] = self.discount**span * goes_on
            cut.after[0, t], cut.valid[0, t] = t + span, 1.0
            if isinstance(cut, MaskedSequences):
                cut.next_mask[0, t] = episode.next_masks[now + span - 1]
        return cut
