"""Augmentation where there are no pictures: noise upon sound, other words (curriculum N-REG-13).

Both draw from torch's global generator, and run on the data's device. What keeps a label is the
data's affair here, too.
"""

import torch
from torch import Tensor

from ..arguments import checked
from ..kinds import Share


@checked
def add_noise(sound: Tensor, decibels: float) -> Tensor:
    """Return x + ε, white noise so many decibels below the sound: 10 · log₁₀(P_x / P_ε) = decibels.

    Args:
        sound: x, floats `[..., T]`; the power P_x is that of each row.
        decibels: the ratio of signal to noise.

    Raises:
        ValueError: the sound is no floats.
    """
    if not sound.is_floating_point() or sound.dim() == 0:
        raise ValueError(f"sound is {sound.dtype} of {list(sound.shape)}: expected floats [..., T]")
    power = sound.square().mean(-1, keepdim=True)  # [..., 1]
    return sound + torch.randn_like(sound) * (power * 10.0 ** (-decibels / 10.0)).sqrt()


@checked
def replace_tokens(tokens: Tensor, others: Tensor, share: Share) -> Tensor:
    """Return texts in which a share of all words, each on its own, gives way to one of its others.

    Args:
        tokens: int64 `[..., T]`, words by their number.
        others: int64 `[V, K]`, for each of V words K to take its place, such as its synonyms; who
            has fewer is filled up with itself.
        share: of the words that give way, in [0, 1].

    Raises:
        ValueError: the numbers are no int64, or a word has no row in `others`.
    """
    for name, given in (("tokens", tokens), ("others", others)):
        if given.dtype != torch.int64:
            raise ValueError(f"{name} are {given.dtype}: expected int64, words by their number")
    if others.dim() != 2 or not others.numel():
        raise ValueError(f"others are of shape {list(others.shape)}: expected [V, K]")
    if tokens.numel() and not 0 <= int(tokens.min()) <= int(tokens.max()) < len(others):
        found = int(tokens.max()) if int(tokens.min()) >= 0 else int(tokens.min())
        raise ValueError(f"tokens hold {found}: expected numbers from 0 to {len(others) - 1}")
    drawn = torch.randint(others.shape[1], tokens.shape, device=tokens.device)  # [..., T]
    gives_way = torch.rand(tokens.shape, device=tokens.device) < share
    return torch.where(gives_way, others[tokens, drawn], tokens)
