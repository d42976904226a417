"""Down a constant slope: momentum's terminal speed, Adagrad's dying rate (N-OPT-05, N-OPT-09).

Where the gradient g stays the same, momentum β speeds up to lr · g / (1 − β), the terminal velocity
of what falls through air: ten times plain descent for β = 0.9. Adagrad divides by the root of all
squares so far, and its t-th step is lr / √t, whatever g is: it never stops, and ever slows.
Averages that forget, as RMSprop's and Adam's, keep their pace.
"""

import begin
import torch
from picture import Figure, panels

from nets import optimizer
from nets.drawing.figures import reference
from nets.drawing.style import COLOURS_OF

STEPS, RATE, SLOPE = 100, 0.01, 2.0
NAMES = ("sgd", "momentum", "adagrad", "rmsprop", "adam")


def speeds(name: str) -> torch.Tensor:
    """Return how far each step of an optimiser goes, `[T]`, where the gradient is the same."""
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    opt, places = optimizer(name, [weight], lr=RATE), [0.0]
    for _ in range(STEPS):
        weight.grad = torch.full_like(weight, SLOPE)
        opt.step()
        places.append(-weight.item())
    return torch.tensor(places, dtype=torch.float64).diff()


def draw() -> Figure:
    """Draw the speed of each, and the terminal speed that is foretold."""
    figure, axes = panels(1, title="Speed down a constant slope", size=4.4, wide=1.4)
    (axis,) = axes.flat
    for name in NAMES:
        axis.semilogy(range(1, STEPS + 1), speeds(name), color=COLOURS_OF[name], label=name)
    for value, words in ((RATE * SLOPE / 0.1, "lr · g / (1 − β)"), (RATE * SLOPE, "lr · g")):
        reference(axis, value, words)
    axis.set(xlabel="steps", ylabel=f"distance of a step, lr {RATE}, g {SLOPE:g}")
    figure.legend(loc="outside right center")
    return figure


if __name__ == "__main__":
    begin.demo(draw)
