"""A world as a VAE that sees and an LSTM that remembers and foresees: the classic world model.

Source: Ha and Schmidhuber, 2018, "Recurrent world models facilitate policy evolution". Two players
take turns: the VAE lowers its own loss, the memory that of the latents which the VAE gives it.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from nets.layers.mlp import MLP
from nets.layers.rssm import inverse_cdf

from ..autoencoders.losses import reparameterize, standard_normal_kl
from ..model import Loss, Player
from .config import WorldConfig
from .contract import Sight, State, Step, WorldModel, mean_over
from .episodes import Episodes, Window
from .rewards import RewardValues
from .sight import sight
from .spaces import WorldSpec

SMALLEST = 1e-4  # of a uniform number that a normal one is made of, as far as it is from 0 and 1
LOG_STD = (-5.0, 2.0)


class Vision(nn.Module):
    """The VAE: latents z of an observation, and an observation of latents.

    Args:
        eyes: reads and shows observations.
        config: settings.
    """

    def __init__(self, eyes: Sight, config: WorldConfig) -> None:
        super().__init__()
        hidden, self.size = config.hidden, config.latent
        self.sight = eyes
        self.encoder = MLP(
            eyes.size, (hidden, hidden), 2 * self.size, norm="layer", activation="silu"
        )
        self.decoder = MLP(self.size, (hidden, hidden), eyes.size, norm="layer", activation="silu")

    def posterior(self, read: Tensor) -> tuple[Tensor, Tensor]:
        """Return μ and log σ² `[*, Z]` of what was read `[*, D]`."""
        mean, logvar = self.encoder(read).chunk(2, dim=-1)
        return mean, logvar.clamp(-10.0, 10.0)


class Memory(nn.Module):
    """The LSTM: of latents and actions, a mixture of K Gaussians for each of the next latents.

    Args:
        spec: the world.
        config: settings.
        rewards: how many values of rewards there are.
    """

    def __init__(self, spec: WorldSpec, config: WorldConfig, rewards: int) -> None:
        super().__init__()
        self.size, self.mixtures = config.latent, config.mixtures
        self.cell = nn.LSTMCell(self.size + spec.action_size, config.memory)
        outputs = 3 * self.mixtures * self.size + rewards + 1
        self.head = MLP(config.memory, (config.hidden,), outputs, norm="layer", activation="silu")

    def foreseen(self, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return what memories `[*, H]` foresee.

        Returns:
            Log π, μ and log σ `[*, Z, K]` of the next latents, logits of rewards `[*, R]` and of
            the end `[*]`.
        """
        mixtures = 3 * self.mixtures * self.size
        numbers, others = self.head(h).tensor_split([mixtures], dim=-1)
        weight, mean, log_std = numbers.unflatten(-1, (self.size, 3, self.mixtures)).unbind(-2)
        low, high = LOG_STD
        log_std = low + (high - low) * torch.sigmoid(log_std)
        return weight.log_softmax(-1), mean, log_std, others[..., :-1], others[..., -1]


class VAELSTMWorld(WorldModel):
    """Lowers −ELBO of observations, and −log p(zₜ, rₜ, endₜ | hₜ) of the latents that they have.

    Args:
        spec: the world.
        config: settings.
        rewards: what rewards there are.
    """

    def __init__(self, spec: WorldSpec, config: WorldConfig, rewards: RewardValues) -> None:
        super().__init__()
        self.spec, self.config, self.rewards = spec, config, rewards
        self.vision = Vision(sight(spec), config)
        self.memory = Memory(spec, config, len(rewards))
        self.draws = 2 * config.latent + 2

    def players(self) -> Sequence[Player]:
        """Return who sees and who remembers."""
        return (
            Player("vision", self.vision, self.vision_loss, batch=Window._make),
            Player("memory", self.memory, self.memory_loss, batch=Window._make),
        )

    def study(self, episodes: Episodes) -> None:
        """Take the scales of observations."""
        self.vision.sight.study(episodes)

    def begin(self, observation: Tensor, u: Tensor) -> State:
        """Draw the latents of a first look, with nothing to remember."""
        mean, logvar = self.vision.posterior(self.vision.sight.read(observation))
        z = mean + (0.5 * logvar).exp() * _normal(u[:, : self.config.latent])
        blank = z.new_zeros(len(z), self.config.memory)
        return z, blank, blank

    def step(self, state: State, action: Tensor, u: Tensor) -> Step:
        """Remember, draw the next latents, and of them what is seen."""
        z, h, c = state
        h, c = self.memory.cell(torch.cat([z, self.spec.actions(action)], -1), (h, c))
        log_weight, mean, log_std, reward, end = self.memory.foreseen(h)  # [B, Z, K], ...
        size = self.config.latent
        which = inverse_cdf(log_weight.exp(), u[:, :size]).unsqueeze(-1)  # [B, Z, 1]
        mean, log_std = (x.gather(-1, which).squeeze(-1) for x in (mean, log_std))
        z = mean + log_std.exp() * _normal(u[:, size : 2 * size])
        return Step(
            (z, h, c),
            self.vision.sight.show(self.vision.decoder(z)),
            self.rewards.draw(reward, u[:, -2]),
            u[:, -1] < end.sigmoid(),
        )

    def looked(self, observation: Tensor) -> State:
        """Take the mean latents of a first look."""
        z, _ = self.vision.posterior(self.vision.sight.read(observation))
        blank = z.new_zeros(len(z), self.config.memory)
        return z, blank, blank

    def filtered(self, state: State, action: Tensor, observation: Tensor) -> State:
        """Remember, and take the mean latents of what is seen."""
        z, h, c = state
        h, c = self.memory.cell(torch.cat([z, self.spec.actions(action)], -1), (h, c))
        z, _ = self.vision.posterior(self.vision.sight.read(observation))
        return z, h, c

    def known(self, state: State) -> Tensor:
        """Return latents and memory, `[B, Z + H]`."""
        z, h, _ = state
        return torch.cat([z, h], -1)

    def loss(self, window: Window) -> Loss:
        """Return the sum of what both lower."""
        seen, remembered = self.vision_loss(window), self.memory_loss(window)
        return Loss(seen.value + remembered.value, {**seen.metrics, **remembered.metrics})

    def vision_loss(self, window: Window) -> Loss:
        """Return −ELBO: what is not seen again in z, and KL(q(z | o) ‖ N(0, I))."""
        read = self.vision.sight.read(window.observation)  # [T + 1, B, D]
        mean, logvar = self.vision.posterior(read)
        z = reparameterize(mean, logvar)
        shown = torch.cat([torch.ones_like(window.lived[:1]), window.lived]).float()
        seen = mean_over(self.vision.sight.loss(self.vision.decoder(z), read), shown)
        kl = mean_over(
            standard_normal_kl(mean.flatten(0, 1), logvar.flatten(0, 1)).view(shown.shape), shown
        )
        return Loss(seen + kl, {"observation": seen.detach(), "kl": kl.detach()})

    def memory_loss(self, window: Window) -> Loss:
        """Return −log p of the next latents, rewards and ends, under what is remembered."""
        with torch.no_grad():
            mean, logvar = self.vision.posterior(self.vision.sight.read(window.observation))
            z = reparameterize(mean, logvar)  # [T + 1, B, Z]
        action, lived = self.spec.actions(window.action), window.lived.float()
        h = c = z.new_zeros(z.shape[1], self.config.memory)
        memories = []
        for seen, acted in zip(z[:-1], action, strict=True):
            h, c = self.memory.cell(torch.cat([seen, acted], -1), (h, c))
            memories.append(h)
        log_weight, mean, log_std, reward, ends = self.memory.foreseen(torch.stack(memories))
        distance = (z[1:].unsqueeze(-1) - mean) / log_std.exp()  # [T, B, Z, K]
        density = -0.5 * distance.square() - log_std - 0.5 * math.log(2 * math.pi)
        latents = -(log_weight + density).logsumexp(-1).sum(-1)  # [T, B]
        end = binary_cross_entropy_with_logits(ends, window.terminated.float(), reduction="none")
        terms = {
            "latents": mean_over(latents, lived),
            "reward": mean_over(self.rewards.loss(reward, window.reward), lived),
            "end": mean_over(end, lived),
        }
        metrics = {name: term.detach() for name, term in terms.items()}
        return Loss(terms["latents"] + terms["reward"] + terms["end"], metrics)


def _normal(u: Tensor) -> Tensor:
    """Return standard normal numbers of uniform ones, by the inverse of their distribution."""
    return torch.special.ndtri(u.double().clamp(SMALLEST, 1 - SMALLEST)).float()
