"""Losses of adversarial training, as pure functions of what the discriminator says.

`real` and `fake` are its outputs for data x and for samples G(z): logits for a GAN, where
D(x) = σ(logit), scores of any size for a Wasserstein critic. Each loss is a mean over the batch.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.special import entr

from nets.inputs import explained


@explained
def game_value(real: Tensor, fake: Tensor) -> Tensor:
    """Return V(D, G) = E[log D(x)] + E[log(1 − D(G(z)))], Goodfellow et al. (2014),
    curriculum G-GAN-01.

    D raises it and G lowers it. At the optimum of both it is −log 4.

    Args:
        real: logits of data `[B]`.
        fake: logits of samples `[B']`.
    """
    return F.logsigmoid(real).mean() + F.logsigmoid(-fake).mean()


@explained
def discriminator_loss(real: Tensor, fake: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Return the cross-entropy of calling data 1 − ε and samples 0, curriculum G-GAN-03, N-LOSS-09.

    −E[(1 − ε) log D(x) + ε log(1 − D(x))] − E[log(1 − D(G(z)))], which is −V(D, G) at ε = 0. Only
    the label of data is smoothed (Salimans et al., 2016): the best D is then (1 − ε) p / (p + q).
    A label β > 0 of samples would add β q / (p + q), and hold samples where there is no data.

    Args:
        real: logits of data `[B]`.
        fake: logits of samples `[B']`.
        label_smoothing: ε in [0, 1); 0.1 makes the label of data 0.9.
    """
    target = torch.full_like(real, 1.0 - label_smoothing)
    on_data = F.binary_cross_entropy_with_logits(real, target)
    return on_data + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))


@explained
def saturating_loss(fake: Tensor) -> Tensor:
    """Return E[log(1 − D(G(z)))], the part of V(D, G) that G moves, curriculum G-GAN-02.

    Its slope in the logit is −D: nothing, where D is sure that it sees a sample.

    Args:
        fake: logits of samples `[B]`.
    """
    return F.logsigmoid(-fake).mean()


@explained
def non_saturating_loss(fake: Tensor) -> Tensor:
    """Return −E[log D(G(z))], curriculum G-GAN-02: the same fixed point, and a slope of D − 1.

    Args:
        fake: logits of samples `[B]`.
    """
    return -F.logsigmoid(fake).mean()


@explained
def critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Return E[D(G(z))] − E[D(x)], Arjovsky et al. (2017), curriculum G-GAN-08.

    At its minimum over 1-Lipschitz D it is minus the Wasserstein-1 distance of data and samples.

    Args:
        real: scores of data `[B]`.
        fake: scores of samples `[B']`.
    """
    return fake.mean() - real.mean()


@explained
def wasserstein_generator_loss(fake: Tensor) -> Tensor:
    """Return −E[D(G(z))] of the scores `[B]` of samples, curriculum G-GAN-08."""
    return -fake.mean()


@explained
def gradient_norm(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return ‖∇ₓD(x)‖₂ per row, `[B]`, itself differentiable in the critic's parameters.

    Args:
        critic: maps `[B, ...]` to scores `[B]`, each of its own row alone: no batch norm.
        x: where to look, `[B, ...]`.
    """
    with torch.enable_grad():
        at = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(critic(at).sum(), at, create_graph=True)
    return torch.linalg.vector_norm(gradient.flatten(1), dim=1)


@explained
def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """Return E[(‖∇D(x̂)‖₂ − 1)²] at x̂ = u·x + (1 − u)·G(z), Gulrajani et al. (2017),
    curriculum G-GAN-08.

    u is uniform in [0, 1], one per row: a critic that is best has slope 1 on these lines.

    Args:
        critic: maps `[B, ...]` to scores `[B]`, each of its own row alone: no batch norm.
        real: data `[B, ...]`.
        fake: samples `[B, ...]`.
    """
    u = torch.rand(len(real), *[1] * (real.dim() - 1), dtype=real.dtype, device=real.device)
    between = fake.detach().lerp(real, u)  # [B, ...]
    return (gradient_norm(critic, between) - 1.0).square().mean()


@explained
def optimal_discriminator(p: Tensor, q: Tensor) -> Tensor:
    """Return D*(x) = p(x) / (p(x) + q(x)), the best reply to a generator of q, curriculum G-GAN-01.

    Args:
        p: density or probability of the data at each x, `[...]`.
        q: that of the samples, `[...]`; not both 0.
    """
    return p / (p + q)


@explained
def jensen_shannon_divergence(p: Tensor, q: Tensor) -> Tensor:
    """Return ½ KL(p ‖ m) + ½ KL(q ‖ m) with m = ½(p + q), in nats, curriculum G-GAN-07.

    V(D*, G) = 2 JSD(p, q) − log 4: it is what a GAN lowers. Of disjoint p and q it is log 2 however
    far apart they are, so its gradient does not say where to go; the Wasserstein distance's does.

    Args:
        p: probabilities `[..., K]`, summing to 1.
        q: probabilities `[..., K]`, summing to 1.
    """
    return (entr(0.5 * (p + q)) - 0.5 * (entr(p) + entr(q))).sum(-1)
