"""Optimisers on the same nets and data, each with the best of six rates (N-OPT-16).

Left: the median of ten seeds, of which each has its own spirals, weights and batches. Right: where
each seed ends. Ranks of single seeds change; that of the medians is worth as much as its gaps.
"""

from collections.abc import Sequence

import begin
import torch
from picture import Figure, panels
from torch.func import functional_call, stack_module_state, vmap

from nets import MLP, optimizer
from nets.drawing.style import COLOURS_OF, paper
from nets.gradients.averaging import moving_average

NAMES = ("sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "adam", "nadam")
RATES = [10.0 ** (k / 2) for k in range(-4, 2)]
STEPS, BATCH, SEEDS, ROWS = 300, 32, 10, 512


def spirals(seed: int) -> tuple[torch.Tensor, torch.Tensor, MLP]:
    """Return points `[N, 2]` of two spirals, which each is of `[N]`, and a net of a seed."""
    torch.manual_seed(seed)
    turn, side = torch.rand(ROWS) * 3.0 + 0.5, torch.arange(ROWS) % 2
    angle = 2.0 * turn + torch.pi * side
    x = torch.stack([turn * angle.cos(), turn * angle.sin()], 1) / 3.0
    x += 0.02 * torch.randn(ROWS, 2)
    return x, side.float(), MLP(2, [32, 32], 1, activation="tanh")


def losses(name: str, rates: Sequence[float]) -> torch.Tensor:
    """Train nets to tell spirals apart, all at once; return each step's losses `[T, R, S]`."""
    points, sides, nets_of = zip(*map(spirals, range(SEEDS)), strict=True)
    x, side = torch.stack(points), torch.stack(sides)  # [S, N, 2], [S, N]
    start, _ = stack_module_state(list(nets_of))  # [S, ...]
    weights = [{n: w.detach().clone().requires_grad_() for n, w in start.items()} for _ in rates]
    groups = [{"params": [*w.values()], "lr": rate} for w, rate in zip(weights, rates, strict=True)]
    opt, found = optimizer(name, groups), []
    seed = torch.arange(SEEDS)[:, None]

    def loss(weight: dict[str, torch.Tensor], x: torch.Tensor, side: torch.Tensor) -> torch.Tensor:
        logit = functional_call(nets_of[0], weight, (x,))[:, 0]
        return torch.nn.functional.binary_cross_entropy_with_logits(logit, side)

    for _ in range(STEPS):
        rows = torch.randint(ROWS, (SEEDS, BATCH))
        opt.zero_grad()
        every = {n: torch.stack([w[n] for w in weights]) for n in start}  # [R, S, ...]
        each = vmap(vmap(loss), (0, None, None))(every, x[seed, rows], side[seed, rows])  # [R, S]
        each.sum().backward()
        opt.step()
        found.append(each.detach())
    return torch.stack(found).nan_to_num(1e9)


def best(name: str) -> tuple[float, torch.Tensor]:
    """Return the rate whose median of the last 50 steps is least, and its losses `[T, S]`."""
    found = losses(name, RATES)
    k = int(found[-50:].mean(0).median(1).values.argmin())
    return RATES[k], found[:, k]


def draw() -> Figure:
    """Draw the smoothed losses of each under its best rate, and how they end."""
    title = f"Optimisers on two spirals, {SEEDS} seeds, the best of {len(RATES)} rates for each"
    figure, ((curves, ends),) = panels(2, title=title, size=4.4, wide=1.15)
    found = {name: best(name) for name in NAMES}
    ranked = sorted(NAMES, key=lambda name: -float(found[name][1][-50:].mean(0).median()))
    for place, name in enumerate(ranked):
        rate, loss = found[name]
        smooth = torch.stack([moving_average(one, 0.9) for one in loss.T])  # [S, T]
        curves.plot(smooth.median(0).values, color=COLOURS_OF[name])
        last = loss[-50:].mean(0)
        ends.plot(last, [place] * SEEDS, "o", color=COLOURS_OF[name], alpha=0.5, markersize=5)
        ends.plot(last.median(), place, "|", color=paper().ink, markersize=14)
        ranked[place] = f"{name}\nlr {rate:.2g}"
    curves.set(xlabel="steps", ylabel="loss (nats), median, smoothed", ylim=(0, 0.8))
    ends.set(xscale="log", xlabel="loss of the last 50 steps (nats): each seed, and the median")
    ends.set_yticks(range(len(NAMES)), ranked)
    return figure


if __name__ == "__main__":
    begin.demo(draw)
