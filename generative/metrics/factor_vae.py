"""The score of FactorVAE, Kim & Mnih (2018), curriculum G-VAE-10."""

import numpy as np
from torch import Tensor

from nets.inputs import explained


@explained
def factor_vae_score(
    codes: Tensor,
    factors: Tensor,
    *,
    votes: int = 800,
    rows: int = 64,
    least_variance: float = 0.05,
    seed: int = 0,
) -> float:
    """Return how well the latent that varies least tells which factor is held fixed, in [0, 1].

    A vote: choose a factor and a value, take rows that have it, and find the latent with the least
    variance, in units of its variance in all data. A latent stands for the factor that most of its
    votes are about; the score is how often that is right of as many new votes. A code that knows
    nothing scores about one over the number of factors.

    Args:
        codes: latent means, `[N, D]`.
        factors: int `[N, F]`, at least two of which vary; the others are left out.
        votes: to learn what each latent stands for, and as many to judge it.
        rows: of each vote.
        least_variance: latents that vary less in all data are not used, as N(0, 1) would be 1.
        seed: of the votes.

    Raises:
        ValueError: fewer than two factors vary.
    """
    z, v = codes.double().cpu().numpy(), factors.cpu().numpy()
    v = v[:, v.min(0) != v.max(0)]
    if v.shape[1] < 2:
        raise ValueError(f"{v.shape[1]} varying factors: expected at least 2")
    variance = z.var(axis=0, ddof=1)
    used = variance >= least_variance
    if not used.any():
        return 0.0
    z, variance = z[:, used], variance[used]
    random = np.random.default_rng(seed)
    by_value = [[np.flatnonzero(column == value) for value in np.unique(column)] for column in v.T]
    table = np.zeros((2, z.shape[1], v.shape[1]), int)  # votes to learn from, votes to judge
    for vote in range(2 * votes):
        factor = random.integers(v.shape[1])
        members = by_value[factor][random.integers(len(by_value[factor]))]
        chosen = z[random.choice(members, rows)]
        latent = (chosen.var(axis=0, ddof=1) / variance).argmin()
        table[vote % 2, latent, factor] += 1
    stands_for = table[0].argmax(axis=1)  # [D]
    return float(table[1, np.arange(len(stands_for)), stands_for].sum() / votes)
