"""What the quality table measures of autoencoders, beside what scikit-learn reaches."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..autoencoders.losses import reparameterize, squared_distance
from ..data.dataset import Dataset
from ..metrics.aggregate import kl_decomposition
from ..metrics.distances import squared_mmd
from ..metrics.gap import mig_chen, mig_locatello
from ..metrics.likelihood import held_out_terms, importance_log_likelihood
from ..metrics.measure import recognised
from .fitted import Fit

GREYS = 17  # of scikit-learn's digits
COMPONENTS = (8, 16, 24, 32, 40, 48)  # of factor analysis, of which the best counts
IMPORTANCE_SAMPLES = 5000


def beside_pca(fit: Fit) -> Mapping[str, Any]:
    """Compare reconstruction errors, means of ‖x − x̂‖² over rows, with PCA's of as many latents.

    On the rows that both were fitted to, no linear code has a smaller error than PCA's.
    """
    from sklearn.decomposition import PCA

    train, unseen = _values(fit.train), _values(fit.held_out)
    pca = PCA(fit.model.config.latent, svd_solver="full").fit(train)
    found: dict[str, float] = {}
    for name, values in (("train", train), ("held_out", unseen)):
        x = torch.from_numpy(values)  # [N, D]
        best = torch.from_numpy(pca.inverse_transform(pca.transform(values)))
        ours = fit.model.reconstruct(x.view(-1, *fit.model.shape)).flatten(1)
        error, least = (squared_distance(other, x).mean().item() for other in (ours, best))
        found |= {
            f"{name}_error": error,
            f"{name}_pca_error": least,
            f"{name}_ratio": error / least,
        }
    return found


def dequantised(digits: Dataset) -> Dataset:
    """Return scikit-learn's digits as vectors in [0, 1]: (v + u)/17, u ~ U(0, 1), v in 0..16.

    A density of grey levels as they are has no upper bound, as some pixels never vary; that of
    dequantised ones bounds the levels' probability from below, Theis et al. (2016).
    """
    levels = (digits.x[:].flatten(1).float() * ((GREYS - 1) / 255)).round()
    return replace(digits, x=(levels + torch.rand_like(levels)) / GREYS)


def beside_factor_analysis(fit: Fit) -> Mapping[str, Any]:
    """Compare the mean log-density of held-out rows, in nats, with that of factor analysis.

    Both are Gaussian given latents of N(0, I), with a variance of its own for each dimension. The
    number of factors is what suits the held-out rows best: no model is chosen for ours.
    """
    from sklearn.decomposition import FactorAnalysis

    train, unseen = _values(fit.train), _values(fit.held_out)
    scores = [FactorAnalysis(k, random_state=0).fit(train).score(unseen) for k in COMPONENTS]
    analysis = float(max(scores))
    found = described(fit)
    return found | {
        "factor_analysis": analysis,
        "components": COMPONENTS[int(np.argmax(scores))],
        "elbo_advantage": found["elbo"] - analysis,
        "log_likelihood_advantage": found["log_likelihood"] - analysis,
    }


def described(fit: Fit) -> dict[str, float]:
    """Return ELBO and importance-sampled log-likelihood of held-out rows, in nats per row."""
    x = fit.held_out.batch(slice(None)).x
    samples = IMPORTANCE_SAMPLES
    value = importance_log_likelihood(fit.model, x, samples=samples).double().mean().item()
    terms = held_out_terms(fit.model, fit.held_out)
    return {"elbo": terms["elbo"], "kl": terms["kl"], "log_likelihood": value, "nll": -value}


def latents_in_use(fit: Fit) -> dict[str, float]:
    """Return ELBO and KL of held-out rows, and the share of latents whose KL exceeds 0.01 there."""
    terms = held_out_terms(fit.model, fit.held_out)
    return {name: terms[name] for name in ("elbo", "kl", "active_latents")}


def codes_and_samples(fit: Fit) -> dict[str, float | None]:
    """Measure held-out rows' reconstruction and codes, and what a classifier says of samples.

    `latent_mmd` is MMD² of held-out latents and N(0, I), 0 where these are alike; `living` the
    share of latents whose variance over held-out rows exceeds 0.01.
    """
    z = fit.model.encode(fit.held_out.batch(slice(None)).x)
    found = held_out_terms(fit.model, fit.held_out) | {
        "latent_mmd": squared_mmd(torch.randn(len(z), z.shape[1]), z),
        "living": (z.var(0) > 0.01).float().mean().item(),
    }
    figures = recognised(fit.model, fit.train, fit.held_out, fit.seed)
    return found | {figure.name: figure.value for figure in figures}


def disentangled(fit: Fit) -> Mapping[str, Any]:
    """Return mutual information gaps and the KL's three parts, of the exact aggregate posterior."""
    data = fit.train
    assert data.factors is not None
    batches = (data.batch(rows).x for rows in torch.arange(len(data)).split(1024))
    parts = [fit.model.posterior(x) for x in batches]
    mean, logvar = (torch.cat(part) for part in zip(*parts, strict=True))
    z = reparameterize(mean, logvar)
    return {
        "mig": mig_chen(mean, logvar, data.factors),
        "mig_locatello": mig_locatello(mean, data.factors),
        **kl_decomposition(z, mean, logvar)._asdict(),
        **held_out_terms(fit.model, data),
    }


def _values(data: Dataset) -> np.ndarray:
    return data.batch(slice(None)).x.flatten(1).numpy()
