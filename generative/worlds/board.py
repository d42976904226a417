"""A world of boards as convolutions: every cell is foreseen from its neighbourhood."""

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from nets.layers.conv import ConvBlock

from ..model import Loss
from .boards import Boards
from .config import WorldConfig
from .contract import State, Step, WorldModel
from .episodes import Episodes, Window
from .rewards import RewardValues
from .spaces import WorldSpec

LAYERS = 5  # of 3x3: a cell is foreseen from those at a distance of 5 and less
STAYS = 6.0  # logits between a cell that is set and one that is not, before anything is learned


class BoardWorld(WorldModel):
    """Lowers the cross-entropies of the next board, summed over cells, of the reward and the end.

    There are no latents: what the board does not show is not known. Where one cell alone of a plane
    is set, which one is drawn; of all others the likeliest value is dreamed, cell by cell.

    Args:
        spec: the world, of boards `[H, W]`, `[C, H, W]` or `[H, W, C]`.
        config: settings.
        rewards: what rewards there are.

    Raises:
        ValueError: observations are no boards.
    """

    def __init__(self, spec: WorldSpec, config: WorldConfig, rewards: RewardValues) -> None:
        super().__init__()
        if spec.kind != "board" or len(spec.shape) > 3:
            message = f"observations of {spec.env_id} are {spec.observation_space}"
            raise ValueError(f"{message}: convolutions foresee boards of cells in [0, 1]")
        self.spec, self.rewards, self.sight = spec, rewards, Boards(spec)
        planes = self.sight.read_planes
        self.draws = 2 + self.sight.planes
        width, layers = planes + spec.action_size + 1, []
        for _ in range(LAYERS):
            layers.append(ConvBlock(width, config.filters, 3, padding=1, activation="relu"))
            width = config.filters
        self.body = nn.Sequential(*layers)
        self.cells = nn.Conv2d(width, planes, 1)
        self.head = nn.Linear(2 * width, len(rewards) + 1)

    def study(self, episodes: Episodes) -> None:
        """Find what the planes of boards hold."""
        self.sight.study(episodes)

    def begin(self, observation: Tensor, u: Tensor) -> State:
        """Know what is seen."""
        return (observation,)

    def step(self, state: State, action: Tensor, u: Tensor) -> Step:
        """Foresee every cell, the reward, and whether it is the end."""
        cells, reward, end = self._foreseen(state[0], action)
        after = self.sight.draw(cells, u[:, 2:])
        terminated = u[:, 1] < end.sigmoid()
        return Step((after,), after, self.rewards.draw(reward, u[:, 0]), terminated)

    def loss(self, window: Window) -> Loss:
        """Return the mean of the sum above, of the first steps of windows."""
        cells, reward, end = self._foreseen(window.observation[0], window.action[0])
        after, terminated = self.sight.read(window.observation[1]), window.terminated[0].float()
        terms = {
            "observation": self.sight.loss(cells, after).mean(),
            "reward": self.rewards.loss(reward, window.reward[0]).mean(),
            "end": binary_cross_entropy_with_logits(end, terminated),
        }
        metrics = {name: term.detach() for name, term in terms.items()}
        return Loss(terms["observation"] + terms["reward"] + terms["end"], metrics)

    def _foreseen(self, observation: Tensor, action: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits of cells `[B, D]`, of rewards `[B, R]` and of the end `[B]`."""
        x = self.sight.split(self.sight.read(observation)).unflatten(-1, self.sight.sides)
        acted = self.spec.actions(action)[:, :, None, None].expand(-1, -1, *x.shape[2:])
        inside = torch.ones_like(x[:, :1])  # beyond the edge the padding has 0
        found = self.body(torch.cat([x, acted, inside], 1))  # [B, F, H, W]
        cells = self.cells(found) + STAYS * (x - 0.5)  # [B, C', H, W]
        whole = torch.cat([found.mean((2, 3)), found.amax((2, 3))], 1)  # [B, 2F]
        head = self.head(whole)
        return self.sight.joined(cells.flatten(2)), head[:, :-1], head[:, -1]
