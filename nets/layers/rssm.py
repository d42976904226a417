"""The recurrent state-space model: a memory that goes on for sure, latents that are drawn.

    memory      hₜ = GRU(hₜ₋₁, f(zₜ₋₁, aₜ₋₁))
    prior       zₜ ~ p(zₜ | hₜ)
    posterior   zₜ ~ q(zₜ | hₜ, eₜ)        of what is seen

z is G categorical draws of one of C classes each, every class with a probability of 1 % / C at
least, so that no KL divergence is infinite. Sources: Hafner et al., 2019, "Learning latent dynamics
for planning from pixels"; 2021, "Mastering Atari with discrete world models"; 2023, "Mastering
diverse domains through world models".
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, one_hot

from ..keywords import Keywords
from .mlp import MLP

UNIFORM = 0.01  # the share of every draw that is uniform


class RSSM(nn.Module, Keywords):
    """A recurrent state-space model with categorical latents.

    Args:
        embedding: numbers that tell what is seen, E.
        actions: numbers that tell what is done, A.
        memory: size of h.
        groups: categorical draws, G.
        classes: of each, C.
        hidden: units of every hidden layer.
        span: steps that the slowest units of a memory hold on for, before anything is learned: its
            gates begin as Tallec and Ollivier have them (2018, "Can recurrent neural networks warp
            time?").
    """

    def __init__(
        self,
        embedding: int,
        actions: int,
        memory: int,
        groups: int,
        classes: int,
        hidden: int,
        span: int = 2,
    ) -> None:
        super().__init__()
        self.memory, self.groups, self.classes = memory, groups, classes
        latents = groups * classes
        self.out_features = memory + latents
        self.entrance = MLP(latents + actions, (hidden,), norm="layer", activation="silu")
        self.cell = nn.GRUCell(hidden, memory)
        self.cell.bias_ih.detach().chunk(3)[1].uniform_(1, max(span, 2)).log_()
        self.prior_logits = MLP(memory, (hidden,), latents, norm="layer", activation="silu")
        self.posterior_logits = MLP(
            memory + embedding, (hidden,), latents, norm="layer", activation="silu"
        )

    def forward(self, h: Tensor, z: Tensor, action: Tensor) -> Tensor:
        """Return the memory `[B, H]` after an action `[B, A]`, of h `[B, H]` and z `[B, G, C]`."""
        return gru_step(self.cell, self.entrance(torch.cat([z.flatten(-2), action], -1)), h)

    def prior(self, h: Tensor) -> Tensor:
        """Return p(z | h) `[*, G, C]` of memories `[*, H]`."""
        return self._probabilities(self.prior_logits(h))

    def posterior(self, h: Tensor, embedding: Tensor) -> Tensor:
        """Return q(z | h, e) `[*, G, C]` of memories `[*, H]` and embeddings `[*, E]`."""
        return self._probabilities(self.posterior_logits(torch.cat([h, embedding], -1)))

    def features(self, h: Tensor, z: Tensor) -> Tensor:
        """Return all that is known, `[*, H + G·C]`."""
        return torch.cat([h, z.flatten(-2)], -1)

    def _probabilities(self, logits: Tensor) -> Tensor:
        rows = logits.unflatten(-1, (self.groups, self.classes))
        p = (rows - rows.detach().amax(-1, keepdim=True)).exp_()  # softmax() is slow on short rows
        return (p * ((1.0 - UNIFORM) / p.sum(-1, keepdim=True))).add_(UNIFORM / self.classes)


def gru_step(cell: nn.GRUCell, x: Tensor, h: Tensor) -> Tensor:
    """Return what `cell(x, h)` does, `[B, H]`, with fewer passes over memory.

    The products of x and h that make the gates r and z are summed by the second of them:

        r, z = σ(W·x + b + U·h),  n = tanh(Wₙ·x + bₙ + r ⊙ (Uₙ·h + cₙ)),  h′ = (1 − z) ⊙ n + z ⊙ h
    """
    size = 2 * cell.hidden_size
    (w, w_n), (u, u_n) = cell.weight_ih.tensor_split([size]), cell.weight_hh.tensor_split([size])
    (b, b_n), (c, c_n) = cell.bias_ih.tensor_split([size]), cell.bias_hh.tensor_split([size])
    gates = linear(x, w, b + c)
    h = h.to(gates.dtype)  # of another under autocast
    r, z = gates.addmm_(h, u.to(h.dtype).t()).sigmoid_().chunk(2, 1)
    n = linear(x, w_n, b_n).addcmul_(r, linear(h, u_n, c_n)).tanh_()
    return torch.lerp(n, h, z)


def straight_through(probabilities: Tensor) -> Tensor:
    """Draw one-hot latents `[*, G, C]` from torch's generator; gradients pass as if undrawn."""
    rows = probabilities.detach().flatten(0, -2)
    drawn = torch.multinomial(rows, 1).view(probabilities.shape[:-1])
    hot = one_hot(drawn, probabilities.shape[-1]).to(probabilities)
    return hot + probabilities - probabilities.detach()


def inverse_cdf(probabilities: Tensor, u: Tensor) -> Tensor:
    """Draw from distributions `[*, C]` by uniform numbers `[*]`: the class whose sum passes u.

    Returns:
        Classes `[*]`, int64.
    """
    passed = (probabilities.cumsum(-1) <= u.unsqueeze(-1)).sum(-1)
    return passed.clamp(max=probabilities.shape[-1] - 1)


def categorical_kl(p: Tensor, q: Tensor) -> Tensor:
    """Return KL(p ‖ q) `[*]` of independent categorical draws, probabilities `[*, G, C]`."""
    return (p * (p.log() - q.log())).sum((-1, -2))
