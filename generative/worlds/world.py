"""A learned world: one of four models, and where its dreams may begin."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import torch
from torch import Tensor

from nets.runs.configurations import recalled

from ..classes import Label
from ..data.dataset import chosen
from ..model import GenerativeModel, Metrics, Player
from .board import BoardWorld
from .boards import levels_of
from .config import SUITED, WorldConfig
from .contract import State, Step, WorldModel
from .ensemble import EnsembleWorld
from .episodes import Episodes
from .rewards import RewardValues, reward_values
from .rssm import RSSMWorld
from .spaces import WorldSpec
from .table import TableWorld
from .vae_lstm import VAELSTMWorld

MODELS: dict[str, type[WorldModel]] = {
    "table": TableWorld,
    "ensemble": EnsembleWorld,
    "board": BoardWorld,
    "rssm": RSSMWorld,
    "vae-lstm": VAELSTMWorld,
}
DREAMED = 8  # steps of a sample
KEPT = 1024  # observations that dreams may begin at: first ones, and ones of any step


class World(GenerativeModel[WorldConfig]):
    """A world to dream in; build one `of` experience.

    Args:
        spec: what it shows and takes.
        config: its settings; those that suit the observations when None.
        rewards: what rewards there are.
        kept: how many first observations, and how many of any step, it keeps.
        longest: steps of the longest episode.
        dataset_size: steps of experience, N.

    Raises:
        ValueError: the model does not suit the world.
    """

    name = "world"
    config_type = WorldConfig
    starts: Tensor
    anywhere: Tensor

    def __init__(
        self,
        spec: WorldSpec,
        config: WorldConfig | None = None,
        *,
        rewards: RewardValues,
        kept: tuple[int, int],
        longest: int,
        dataset_size: int,
    ) -> None:
        config = WorldConfig.suited(spec.kind) if config is None else config
        if config.model == "auto":
            config = replace(config, model=SUITED[spec.kind])
        super().__init__(spec.shape, config, dataset_size=dataset_size)
        self.spec, self.rewards, self.longest = spec, rewards, longest
        self.dynamics = MODELS[config.model](spec, config, rewards)
        for name, count in zip(("starts", "anywhere"), kept, strict=True):
            self.register_buffer(name, torch.zeros(count, *spec.shape, dtype=spec.dtype))

    @classmethod
    def of(cls, spec: WorldSpec, episodes: Episodes, config: WorldConfig | None = None) -> Self:
        """Build the world of some experience, before it has learned from it.

        Raises:
            ValueError: the model does not suit the world.
        """
        world = cls(
            replace(spec, levels=levels_of(spec, episodes)),
            config,
            rewards=RewardValues(*reward_values(episodes.reward)),
            kept=(min(KEPT, len(episodes.lengths)), min(KEPT, len(episodes))),
            longest=int(episodes.lengths.max()),
            dataset_size=len(episodes),
        )
        world.study(episodes)
        return world

    @classmethod
    def require_suited(cls, spec: WorldSpec, config: WorldConfig) -> None:
        """Raise `ValueError` where the model does not suit the world, before any of it is lived."""
        nothing = RewardValues([0.0], True)
        cls(spec, config, rewards=nothing, kept=(1, 1), longest=1, dataset_size=1)

    def usual(self) -> WorldConfig:
        """Return the settings that suit what it shows, and its model."""
        return WorldConfig.suited(self.spec.kind, self.config.model)

    def players(self) -> Sequence[Player]:
        """Return who learns; nobody where there is nothing to learn by gradients."""
        return self.dynamics.players()

    @torch.no_grad()
    def begin(self, observation: Tensor, u: Tensor) -> State:
        """Return what is known after a look at `[B, *]`; see `WorldModel.begin`."""
        return self.dynamics.begin(observation, u)

    @torch.no_grad()
    def step(self, state: State, action: Tensor, u: Tensor) -> Step:
        """Dream one step on; see `WorldModel.step`."""
        return self.dynamics.step(state, action, u)

    def sample(self, n: int, label: Label = None) -> Tensor:
        """Dream n worlds on, by random actions, and return what they show then, `[n, *shape]`."""
        n = self.many(n)
        self.asked(n, label)  # refuses one
        first = self.starts[torch.randint(len(self.starts), (n,), device=self.device)]
        state, shown = self.begin(first, self.noise(n)), first
        for _ in range(DREAMED):
            action = self.spec.random_actions(n).to(self.device)
            state, shown, _, _ = self.step(state, action, self.noise(n))
        return shown

    @torch.no_grad()
    def validate(self, batch: Any) -> Metrics:
        """Return the loss of held-out experience, and its terms."""
        loss = self.dynamics.loss(batch)
        return {"loss": loss.value, **loss.metrics}

    def study(self, episodes: Episodes) -> None:
        """Take from experience what is not learned by gradients."""
        self.dynamics.study(episodes)
        starts, every = episodes.starts, episodes.before
        self.starts.copy_(starts[chosen(len(starts), KEPT, 0)])
        self.anywhere.copy_(every[chosen(len(every), KEPT, 0)])

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return self.starts.device

    def manifest(self) -> dict[str, Any]:
        """Everything that it takes to build the world again, as plain values."""
        values = [float(value) for value in self.rewards.values]
        return super().manifest() | {
            "world": self.spec.describe(),
            "rewards": {"values": values, "exact": self.rewards.exact},
            "kept": [len(self.starts), len(self.anywhere)],
            "longest": self.longest,
        }

    @classmethod
    def from_manifest(
        cls,
        manifest: Mapping[str, Any],
        *,
        trust: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> Self:
        """Build the world that `manifest` describes; see `generative.load`."""
        first, anywhere = manifest["kept"]
        return cls(
            WorldSpec.restore(manifest["world"]),
            recalled(cls.config_type, manifest["config"], settings, trust=trust),
            rewards=RewardValues(**manifest["rewards"]),
            kept=(first, anywhere),
            longest=manifest["longest"],
            dataset_size=manifest["dataset_size"],
        )

    def noise(self, n: int) -> Tensor:
        """Draw what n rows need, `[n, draws]`, from torch's generator."""
        return torch.rand(n, self.dynamics.draws, device=self.device)
