"""How many latents a table is worth: as many as its columns have in common."""

import torch
from torch import Tensor

COPIES = 10  # of the rows, whose columns are shuffled


def common_factors(x: Tensor, label: Tensor | None = None, most: int = 10) -> int:
    """Count the principal components that say more than those of columns without any relation.

    The k-th counts where its eigenvalue λ_k of the correlations exceeds the mean of those of rows
    whose columns were shuffled, as all before it do. Parallel analysis, Horn (1965): what is left
    is each column's own, which a decoder takes for noise. At least 1.

    Args:
        x: columns `[N, D]`.
        label: classes `[N]` that a decoder is told: what the means of each class say is left out.
        most: the result at most.
    """
    generator = torch.Generator().manual_seed(0)
    x = x.double()
    if label is not None:
        x = x - _class_means(x, label)
    x = (x - x.mean(0)) / x.std(0, correction=0).clamp(min=1e-12)
    orders = (torch.rand(x.shape, generator=generator).argsort(0) for _ in range(COPIES))
    noise = torch.stack([_eigenvalues(x.gather(0, order)) for order in orders]).mean(0)
    stand_out = (_eigenvalues(x) > noise).long().cumprod(0)  # [min(N, D)]
    return min(max(1, int(stand_out.sum())), most)


def _eigenvalues(x: Tensor) -> Tensor:
    """Return those of xᵀx that are not 0 in any case, the largest first."""
    gram = x.T @ x if x.shape[1] <= len(x) else x @ x.T
    return torch.linalg.eigvalsh(gram).flip(0)  # type: ignore[no-any-return, unused-ignore]


def _class_means(x: Tensor, label: Tensor) -> Tensor:
    """Return the mean of each row's class, `[N, D]`."""
    _, index, counts = label.unique(return_inverse=True, return_counts=True)
    sums = x.new_zeros(len(counts), x.shape[1]).index_add_(0, index, x)
    return (sums / counts[:, None])[index]
