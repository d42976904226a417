"""Disentanglement, completeness and informativeness, Eastwood & Williams (2018),
curriculum G-VAE-10.
"""

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from torch import Tensor

from nets.inputs import explained

Classifier: TypeAlias = Literal["random_forest", "gradient_boosting"]


class DCI(NamedTuple):
    """Three scores in [0, 1]."""

    disentanglement: float
    """Whether each latent tells of one factor only."""
    completeness: float
    """Whether each factor is told by one latent only."""
    informativeness: float
    """How often the latents tell a factor's value, on rows not trained on."""


@explained
def dci(
    codes: Tensor,
    factors: Tensor,
    *,
    classifier: Classifier = "random_forest",
    test_fraction: float = 0.2,
    seed: int = 0,
) -> DCI:
    """Return the DCI scores of latents that predict each factor by scikit-learn's classifiers.

    R_jk is how much latent j matters to the classifier of factor k. Disentanglement is
    Σ_j ρ_j (1 − H(R_j· / Σ R_j·)), completeness the mean over k of 1 − H(R_·k / Σ R_·k), with
    entropies to the base of their length and ρ_j the share of latent j in all of R.

    Args:
        codes: latent means, `[N, D]`, D at least 2.
        factors: int `[N, F]`, at least two of which vary; the others are left out.
        classifier: `"random_forest"` of 10 trees that see all latents at each split, or
            `"gradient_boosting"`, the choice of Locatello et al. (2019), which takes minutes where
            factors have many values. Scores of one do not compare with the other's.
        test_fraction: of the rows, for informativeness.
        seed: of the split and the trees.

    Raises:
        ValueError: there are too few latents or factors, or the classifier is unknown.
    """
    from sklearn.model_selection import train_test_split

    z, v = codes.double().cpu().numpy(), factors.cpu().numpy()
    v = v[:, v.min(0) != v.max(0)]
    if min(z.shape[1], v.shape[1]) < 2:
        message = f"{z.shape[1]} latents and {v.shape[1]} varying factors: expected 2 of either"
        raise ValueError(message)
    z, z_test, v, v_test = train_test_split(z, v, test_size=test_fraction, random_state=seed)
    fitted = [_build(classifier, seed).fit(z, value) for value in v.T]
    accuracy = [model.score(z_test, value) for model, value in zip(fitted, v_test.T, strict=True)]
    importance = np.stack([model.feature_importances_ for model in fitted], axis=1)  # [D, F]
    return DCI(*scores(importance), float(np.mean(accuracy)))


def scores(importance: np.ndarray) -> tuple[float, float]:
    """Return disentanglement and completeness of R `[D, F]`."""
    share = importance.sum(1) / importance.sum()  # [D]
    disentanglement = float(share @ _concentration(importance))
    return disentanglement, float(_concentration(importance.T).mean())


def _concentration(rows: np.ndarray) -> np.ndarray:
    """Return 1 − H(row) `[M]` of rows `[M, L]` scaled to sum 1, H to the base L; 0 of zeros."""
    total = rows.sum(1, keepdims=True)
    p = np.divide(rows, total, out=np.full_like(rows, 1.0 / rows.shape[1]), where=total > 0)
    logs = np.log(p, out=np.zeros_like(p), where=p > 0) / np.log(rows.shape[1])
    return 1.0 + (p * logs).sum(1)


def _build(name: Classifier, seed: int):  # type: ignore[no-untyped-def] # scikit-learn has no types
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

    if name == "random_forest":
        return RandomForestClassifier(n_estimators=10, max_features=None, random_state=seed)
    if name == "gradient_boosting":
        return GradientBoostingClassifier(random_state=seed)
    message = f"classifier is {name!r}: expected 'random_forest' or 'gradient_boosting'"
    raise ValueError(message)
