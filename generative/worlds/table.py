"""A world of states that can be counted: how often each followed on each."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from nets.layers.rssm import inverse_cdf

from ..model import Loss
from .config import WorldConfig
from .contract import State, Step, WorldModel
from .episodes import Episodes, Window
from .rewards import RewardValues
from .sight import States
from .spaces import WorldSpec

LARGEST = 2**24  # counts


class TableWorld(WorldModel):
    """p(s', end | s, a) = N(s, a, s', end) / N(s, a), r(s, a, s', end) the mean reward there.

    These are the likeliest numbers, and nothing is left for gradients. After what was never done in
    a state, everything stays as it is, for the lowest reward that was seen: a planner that hoped
    for more would look for what is not known (Kidambi et al., 2020, "MOReL").

    Args:
        spec: the world, of discrete observations and actions.
        config: settings.
        rewards: what rewards there are.

    Raises:
        ValueError: observations or actions are not discrete, or too many to be counted.
    """

    draws = 1
    counts: Tensor
    reward: Tensor

    def __init__(self, spec: WorldSpec, config: WorldConfig, rewards: RewardValues) -> None:
        super().__init__()
        if spec.kind != "discrete" or spec.action_space.shape != ():
            spaces = f"{spec.observation_space} and {spec.action_space}"
            raise ValueError(f"{spec.env_id} has the spaces {spaces}: a table counts Discrete ones")
        states, actions = spec.num_states, spec.action_size
        if 2 * states * actions * states > LARGEST:
            message = f"{spec.env_id} has {states} states and {actions} actions"
            raise ValueError(f"{message}: a table holds up to {LARGEST:,} counts")
        self.spec, self.sight = spec, States(spec)
        size = states, actions, 2 * states  # the second half: where it is the end
        self.register_buffer("counts", torch.zeros(size))
        self.register_buffer("reward", torch.zeros(size))  # the mean

    def study(self, episodes: Episodes) -> None:
        """Count."""
        outcome = self._outcome(episodes.after, episodes.terminated)
        before = self.spec.states(episodes.before)
        action = self.spec.actions(episodes.action).argmax(-1)
        where, ones = (before, action, outcome), torch.ones(len(episodes))
        self.counts.zero_().index_put_(where, ones, accumulate=True)
        self.reward.zero_().index_put_(where, episodes.reward, accumulate=True)
        self.reward /= self.counts.clamp(min=1)
        state, action = (self.counts.sum(-1) == 0).nonzero().T
        self.reward[state, action, state] = episodes.reward.min()

    @property
    def probability(self) -> Tensor:
        """p(s', end | s, a), `[S, A, 2S]`, ends in the second half."""
        total = self.counts.sum(-1, keepdim=True)  # [S, A, 1]
        states = torch.arange(len(self.counts), device=self.counts.device)
        stays = one_hot(states, 2 * len(states)).to(self.counts)[:, None]  # [S, 1, 2S]
        return torch.where(total > 0, self.counts / total.clamp(min=1), stays)

    def model(self) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
        """Return what follows, as Gymnasium's tabular worlds tell it: `P[s][a]`."""
        probability, reward, size = self.probability.double(), self.reward, self.spec.num_states

        def outcomes(s: int, a: int) -> list[tuple[float, int, float, bool]]:
            found = probability[s, a].nonzero().squeeze(-1).tolist()
            values = [(probability[s, a, k].item(), reward[s, a, k].item()) for k in found]
            total = sum(p for p, _ in values)
            pairs = zip(found, values, strict=True)
            return [(p / total, k % size, r, k >= size) for k, (p, r) in pairs]

        actions = range(self.spec.action_size)
        return {s: {a: outcomes(s, a) for a in actions} for s in range(size)}

    def begin(self, observation: Tensor, u: Tensor) -> State:
        """Know what is seen."""
        return (observation,)

    def step(self, state: State, action: Tensor, u: Tensor) -> Step:
        """Draw what follows by how often it did."""
        s, a = self.spec.states(state[0]), self.spec.actions(action).argmax(-1)
        total = self.counts[s, a].sum(-1)  # [B]
        drawn = inverse_cdf(self.counts[s, a] / total.clamp(min=1)[:, None], u[:, 0])
        outcome = torch.where(total > 0, drawn, s)
        after = outcome % self.spec.num_states + self.sight.start
        return Step((after,), after, self.reward[s, a, outcome], outcome >= self.spec.num_states)

    def loss(self, window: Window) -> Loss:
        """Return the mean of −log p of what followed, with half a count of everything added."""
        s = self.spec.states(window.observation[0])
        a = self.spec.actions(window.action[0]).argmax(-1)
        outcome = self._outcome(window.observation[1], window.terminated[0])
        counts = self.counts[s, a] + 0.5  # [B, 2S]
        share = counts.gather(-1, outcome[:, None]).squeeze(-1) / counts.sum(-1)
        return Loss(-share.log().mean(), {})

    def _outcome(self, after: Tensor, terminated: Tensor) -> Tensor:
        return self.spec.states(after) + self.spec.num_states * terminated.long()


def initial_distribution(spec: WorldSpec, starts: Tensor) -> Any:
    """Return how often episodes began in each state, `[S]` float64."""
    counted = torch.bincount(spec.states(starts), minlength=spec.num_states).double()
    return (counted / counted.sum()).numpy()
