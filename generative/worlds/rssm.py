"""A world as a recurrent state-space model: what is seen is drawn from memory and latents."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot

from nets.layers.mlp import MLP
from nets.layers.rssm import RSSM, categorical_kl, inverse_cdf, straight_through

from ..model import Loss
from .config import WorldConfig
from .contract import State, Step, WorldModel, mean_over
from .episodes import Episodes, Window
from .rewards import RewardValues
from .sight import sight
from .spaces import WorldSpec


class RSSMWorld(WorldModel):
    """Lowers, over all steps t that were lived, the sum of

        −log p(oₜ | hₜ, zₜ) − log p(rₜ | hₜ, zₜ) − log p(endₜ | hₜ, zₜ)
        + β₁·max(KL(sg q ‖ p), free) + β₂·max(KL(q ‖ sg p), free),

    q the posterior of zₜ, p its prior, sg without gradient (Hafner et al., 2021, "KL balancing").
    Of a first look there is only what is seen: dreams begin with one.

    Dreams draw latents in proportion to p^(1/τ). What follows for sure is learned long before its
    codes are: of groups that are each a little unsure, nearly every draw is one that no decoder has
    seen, and the likeliest is right (Ha and Schmidhuber, 2018, have a temperature too).

    Args:
        spec: the world.
        config: settings.
        rewards: what rewards there are.
    """

    def __init__(self, spec: WorldSpec, config: WorldConfig, rewards: RewardValues) -> None:
        super().__init__()
        self.spec, self.config, self.rewards = spec, config, rewards
        self.sight = sight(spec)
        size, hidden = self.sight.size, config.hidden
        self.encoder = MLP(size, (hidden,), hidden, norm="layer", activation="silu")
        shape = config.memory, config.groups, config.classes, hidden, config.window - 1
        self.rssm = RSSM(hidden, spec.action_size, *shape)
        known = self.rssm.out_features
        self.decoder = MLP(known, (hidden, hidden), size, norm="layer", activation="silu")
        self.reward = MLP(known, (hidden,), len(rewards), norm="layer", activation="silu")
        outputs = spec.action_size * len(rewards)
        self.deed = MLP(known, (hidden,), outputs, norm="layer", activation="silu")
        self.end = MLP(known, (hidden,), 1, norm="layer", activation="silu")
        self.draws = config.groups + 2

    def study(self, episodes: Episodes) -> None:
        """Take the scales of observations."""
        self.sight.study(episodes)

    def begin(self, observation: Tensor, u: Tensor) -> State:
        """Draw the latents of a first look."""
        seen = self.encoder(self.sight.read(observation))  # [B, E]
        h = seen.new_zeros(len(seen), self.rssm.memory)
        return h, self._draw(self.rssm.posterior(h, seen), u)

    def step(self, state: State, action: Tensor, u: Tensor) -> Step:
        """Draw latents of the prior, and of them the reward and whether it is the end."""
        acted = self.spec.actions(action)
        h = self.rssm(*state, acted)
        z = self._draw(self.rssm.prior(h), u)
        known = self.rssm.features(h, z)
        reward = self._reward(self.rssm.features(*state), acted, known)  # [B, R]
        return Step(
            (h, z),
            self.sight.show(self.decoder(known)),
            self.rewards.draw(reward, u[:, -2]),
            u[:, -1] < self.end(known).squeeze(-1).sigmoid(),
        )

    def looked(self, observation: Tensor) -> State:
        """Take the likeliest latents of a first look."""
        seen = self.encoder(self.sight.read(observation))  # [B, E]
        h = seen.new_zeros(len(seen), self.rssm.memory)
        return h, self._likeliest(h, seen)

    def filtered(self, state: State, action: Tensor, observation: Tensor) -> State:
        """Remember, and take the likeliest latents of what is seen."""
        h = self.rssm(*state, self.spec.actions(action))
        return h, self._likeliest(h, self.encoder(self.sight.read(observation)))

    def known(self, state: State) -> Tensor:
        """Return memory and latents, `[B, H + G·C]`."""
        return self.rssm.features(*state)

    def loss(self, window: Window) -> Loss:
        """Return the mean of the sum above."""
        read, action = self.sight.read(window.observation), self.spec.actions(window.action)
        embedding = self.encoder(read)  # [T + 1, B, E]
        memories: list[Tensor] = []
        latents: list[Tensor] = []
        posteriors: list[Tensor] = []
        h = embedding.new_zeros(embedding.shape[1], self.rssm.memory)
        for t, seen in enumerate(embedding):
            if t:
                h = self.rssm(h, latents[-1], action[t - 1])
            memories.append(h)
            posteriors.append(self.rssm.posterior(h, seen))
            latents.append(straight_through(posteriors[-1]))
        memory = torch.stack(memories)
        known = self.rssm.features(memory, torch.stack(latents))  # [T + 1, B, *]
        lived = window.lived.float()  # [T, B]
        shown = torch.cat([torch.ones_like(lived[:1]), lived])  # [T + 1, B]
        ends = self.end(known[1:]).squeeze(-1)  # [T, B]
        end = binary_cross_entropy_with_logits(ends, window.terminated.float(), reduction="none")
        rewards = self._reward(known[:-1], action, known[1:])  # [T, B, R]
        terms = {
            "observation": mean_over(self.sight.loss(self.decoder(known), read), shown),
            "reward": mean_over(self.rewards.loss(rewards, window.reward), lived),
            "end": mean_over(end, lived),
        }
        q, p = torch.stack(posteriors[1:]), self.rssm.prior(memory[1:])  # [T, B, G, C]
        free = self.config.free_nats
        prior = mean_over(categorical_kl(q.detach(), p).clamp(min=free), lived)
        posterior = mean_over(categorical_kl(q, p.detach()).clamp(min=free), lived)
        penalty = self.config.kl_prior * prior + self.config.kl_posterior * posterior
        kl = mean_over(categorical_kl(q, p).detach(), lived)
        metrics = {name: term.detach() for name, term in terms.items()} | {"kl": kl}
        return Loss(sum(terms.values(), penalty), metrics)

    def _reward(self, before: Tensor, action: Tensor, after: Tensor) -> Tensor:
        """Return logits of rewards `[*, R]`: of what is known after, and of each action before.

        What an action brings may hang on what is remembered: as a sum over actions this is learned
        at first order, while of what comes after, networks had to find the product of the two.
        """
        each = self.deed(before).unflatten(-1, (self.spec.action_size, -1))  # [*, A, R]
        return self.reward(after) + (action.unsqueeze(-2) @ each).squeeze(-2)

    def _likeliest(self, h: Tensor, seen: Tensor) -> Tensor:
        """Return the mode of the posterior as one-hot latents `[B, G, C]`."""
        q = self.rssm.posterior(h, seen)
        return one_hot(q.argmax(-1), self.rssm.classes).to(q)

    def _draw(self, probabilities: Tensor, u: Tensor) -> Tensor:
        """Return one-hot latents `[B, G, C]`, drawn in proportion to p^(1/τ)."""
        share = probabilities / probabilities.amax(-1, keepdim=True)
        share = share.pow_(1 / self.config.temperature)
        drawn = inverse_cdf(share.div_(share.sum(-1, keepdim=True)), u[:, : self.rssm.groups])
        return one_hot(drawn, self.rssm.classes).to(probabilities)
