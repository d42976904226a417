"""A world of vectors as an ensemble: several networks foresee the change, one is drawn per step."""

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from nets.layers.mlp import MLP

from ..model import Loss
from .config import WorldConfig
from .contract import State, Step, WorldModel
from .episodes import Episodes, Window
from .rewards import RewardValues
from .scales import symexp, symlog
from .sight import Vectors
from .spaces import WorldSpec


class EnsembleWorld(WorldModel):
    """Lowers, for each of K networks, |δ − δ̂|²/D + (r − r̂)² + the cross-entropy of the end.

    δ is the change of the observation, less its mean over its standard deviation; r the reward
    likewise, on the scale sign(r)·log(1 + |r|) if `config.symlog`: where costs go into the
    thousands, as of one who is thrown far, those near a goal would else not count.
    Drawing the network anew at each step keeps a policy from exploiting the errors of one
    (Chua et al., 2018, "Deep reinforcement learning in a handful of trials").

    Args:
        spec: the world, of vectors.
        config: settings.
        rewards: what rewards there are; where these are few, the nearest is given.

    Raises:
        ValueError: observations are no vectors.
    """

    draws = 1
    mean: Tensor
    std: Tensor

    def __init__(self, spec: WorldSpec, config: WorldConfig, rewards: RewardValues) -> None:
        super().__init__()
        if spec.kind != "vector":
            message = f"observations of {spec.env_id} are {spec.observation_space}"
            raise ValueError(f"{message}: an ensemble foresees vectors")
        self.spec, self.rewards, self.symlog = spec, rewards, config.symlog
        self.sight = Vectors(spec)
        size = self.sight.size
        read = size * (1 + config.symlog) + spec.action_size
        self.members = nn.ModuleList(
            MLP(read, [config.hidden] * 2, size + 2, activation="silu")
            for _ in range(config.members)
        )
        self.register_buffer("mean", torch.zeros(size + 1))  # of changes and rewards
        self.register_buffer("std", torch.ones(size + 1))

    def study(self, episodes: Episodes) -> None:
        """Take the scales of observations, of their changes and of rewards."""
        self.sight.study(episodes)
        change = (episodes.after.double() - episodes.before.double()).flatten(1)
        reward = self._scaled(episodes.reward.double())
        targets = torch.cat([change, reward[:, None]], 1)  # [N, D + 1]
        std = targets.std(0, correction=0)
        self.mean.copy_(targets.mean(0))
        self.std.copy_(torch.where(std > 1e-6, std, 1.0))

    def begin(self, observation: Tensor, u: Tensor) -> State:
        """Know what is seen."""
        return (observation,)

    def step(self, state: State, action: Tensor, u: Tensor) -> Step:
        """Let one network per row foresee what follows."""
        (observation,) = state
        outputs = self._foreseen(observation, action)  # [K, B, D + 2]
        member = (u[:, 0] * len(self.members)).long()
        drawn = outputs[member, torch.arange(len(member), device=member.device)]  # [B, D + 2]
        change, reward = (drawn[:, :-1] * self.std + self.mean).tensor_split([-1], dim=1)
        after = self.sight.within(observation.flatten(1) + change)
        return Step((after,), after, self._paid(reward.squeeze(1)), drawn[:, -1] > 0)

    def loss(self, window: Window) -> Loss:
        """Return the mean of the sum above, of the first steps of windows."""
        before, after = window.observation[0], window.observation[1]
        outputs = self._foreseen(before, window.action[0])  # [K, B, D + 2]
        change = (after.float() - before.float()).flatten(1)
        targets = torch.cat([change, self._scaled(window.reward[0])[:, None]], 1)  # [B, D + 1]
        error = (outputs[..., :-1] - (targets - self.mean) / self.std).square()  # [K, B, D + 1]
        ends = window.terminated[0].float().expand(outputs.shape[:2])
        terms = {
            "observation": error[..., :-1].mean(),
            "reward": error[..., -1].mean(),
            "end": binary_cross_entropy_with_logits(outputs[..., -1], ends),
        }
        metrics = {name: term.detach() for name, term in terms.items()}
        return Loss(terms["observation"] + terms["reward"] + terms["end"], metrics)

    def _foreseen(self, observation: Tensor, action: Tensor) -> Tensor:
        read = [self.sight.read(observation), self.spec.actions(action)]
        if self.symlog:
            read.append(symlog(observation.flatten(1).float()))
        x = torch.cat(read, -1)
        return torch.stack([member(x) for member in self.members])

    def _scaled(self, reward: Tensor) -> Tensor:
        return symlog(reward) if self.symlog else reward

    def _paid(self, scaled: Tensor) -> Tensor:
        """Return rewards `[B]`: of few values the nearest, else at most e times what was seen."""
        values = self.rewards.values
        if self.symlog:
            seen = symlog(values)
            scaled = symexp(scaled.clamp(seen[0] - 1, seen[-1] + 1))
        if not self.rewards.exact:
            return scaled
        return values[(scaled[:, None] - values).abs().argmin(1)]
