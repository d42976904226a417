"""The mutual information gap in the two variants people publish, curriculum G-VAE-10.

MIG = 1/K Σ_k (I(z_j*; v_k) − max_{j ≠ j*} I(z_j; v_k)) / H(v_k), where j* tells most about factor
k: 1 if every factor has a latent of its own that knows it, 0 if two share each. They differ in
what z is, and figures of one do not compare with the other's.
"""

import math

import numpy as np
import torch
from torch import Tensor

from nets.inputs import explained

from .aggregate import log_densities


@torch.no_grad()
@explained
def mig_chen(
    mean: Tensor,
    logvar: Tensor,
    factors: Tensor,
    *,
    samples: int = 10_000,
    generator: torch.Generator | None = None,
) -> float:
    """Return the gap of Chen et al. (2018): z is drawn from q(z | x), densities are exact.

    I(z_j; v_k) = E[log q(z_j | v_k) − log q(z_j)], where q(z_j) is the mean of all posteriors and
    q(z_j | v_k) the mean of those with that value. The data should be a full grid of the factors,
    or drawn from one evenly.

    Args:
        mean: of the posteriors of the data, `[N, D]`, D at least 2.
        logvar: of the posteriors of the data, `[N, D]`.
        factors: int `[N, F]`, each from 0; those that do not vary are left out.
        samples: draws of z, of as many rows chosen with replacement.
        generator: on the device of `mean`; torch's global one when None.
    """
    rows = torch.randint(len(mean), (samples,), generator=generator, device=mean.device)
    noise = torch.empty(samples, mean.shape[1], dtype=mean.dtype, device=mean.device)
    z = mean[rows] + torch.exp(0.5 * logvar[rows]) * noise.normal_(generator=generator)
    factors = factors[:, factors.amin(0) != factors.amax(0)].to(mean.device)
    # one column for each value of each factor
    values = [torch.nn.functional.one_hot(v).to(mean.dtype) for v in factors.unbind(1)]  # [N, V]
    information = torch.zeros(len(values), mean.shape[1], dtype=mean.dtype, device=mean.device)
    for part, pairs in log_densities(z, mean, logvar):  # [S', N, D]
        top = pairs.amax(1, keepdim=True)  # [S', 1, D]
        density = (pairs - top).exp_().transpose(1, 2)  # [S', D, N]
        log_marginal = density.mean(-1).log()  # [S', D], both up to `top`
        for k, value in enumerate(values):
            given = (density @ value) / value.sum(0)  # [S', D, V]: q(z_d | v_k) at every value
            own = factors[rows[part], k].view(-1, 1, 1).expand(-1, given.shape[1], 1)
            log_given = given.gather(2, own).squeeze(2).log()  # [S', D]
            information[k] += (log_given - log_marginal).sum(0) / samples
    return _gap(information.double().cpu().numpy(), factors.cpu().numpy())


@explained
def mig_locatello(mean: Tensor, factors: Tensor, *, bins: int = 20) -> float:
    """Return the gap of Locatello et al. (2019): z is the latent mean, cut into 20 equal bins.

    A factor of more values than bins cannot reach 1, however good the code.

    Args:
        mean: latent means of the data, `[N, D]`, D at least 2.
        factors: int `[N, F]`, each from 0; those that do not vary are left out.
        bins: between the least and the greatest of each latent.
    """
    from sklearn.metrics import mutual_info_score

    z, v = mean.double().cpu().numpy(), factors.cpu().numpy()
    v = v[:, v.min(0) != v.max(0)]
    cut = [np.digitize(column, np.histogram_bin_edges(column, bins)[:-1]) for column in z.T]
    information = [[mutual_info_score(value, column) for column in cut] for value in v.T]
    return _gap(np.array(information), v)


def _gap(information: np.ndarray, factors: np.ndarray) -> float:
    """Return the mean gap of I(z_j; v_k) `[K, D]`, in units of the factors' entropies.

    Raises:
        ValueError: there are fewer than two latents, or no factor varies.
    """
    if information.shape[0] < 1 or information.shape[1] < 2:
        raise ValueError(
            f"{information.shape[1]} latents and {information.shape[0]} varying factors: "
            "expected at least 2 and 1"
        )
    ordered = np.sort(information, axis=1)
    counts = [np.bincount(column) for column in factors.T]
    entropy = [-sum(c * math.log(c) for c in n[n > 0] / n.sum()) for n in counts]
    return float(np.mean((ordered[:, -1] - ordered[:, -2]) / entropy))
