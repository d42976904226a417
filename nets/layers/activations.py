"""Activation functions: torch's own, found by name, with the facts a choice depends on."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from ..keywords import Keywords
from ..registry import Registry

ActivationSpec: TypeAlias = (
    str | type[nn.Module] | nn.Module | partial[Any] | Callable[[Tensor], Tensor] | None
)


@dataclass(frozen=True)
class Activation:
    """An activation and what is known about it.

    Attributes:
        module: the class that computes it.
        formula: f(x), at the class's default arguments.
        derivative: f'(x), written with y = f(x) where that is shorter.
        low: infimum of the range.
        high: supremum of the range.
        saturation: where f' tends to 0, and how fast.
        gain: standard deviation of weights times √fan_in that keeps the signal's size.
    """

    module: type[nn.Module]
    formula: str
    derivative: str
    low: float
    high: float
    saturation: str
    gain: float


class Sign(nn.Module, Keywords):
    """+1 where x > 0, else -1: the perceptron's threshold, zero included (N-ACT-10).

    `torch.sign` differs: it is 0 at 0. The derivative is 0 everywhere.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the sign of `x`, of any shape."""
        return torch.sign(x) - (x == 0).to(x.dtype)


class Elementwise(nn.Module, Keywords):
    """A function of one tensor as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Return `function(x)`."""
        return self.function(x)

    def extra_repr(self) -> str:
        """Name the function in the module's representation."""
        return getattr(self.function, "__name__", repr(self.function))


_INF = math.inf
_RECTIFIER = "x < 0: f' = 0, the unit can die"
_BOTH = "both sides, exponentially"
_TAIL = "x → -∞, exponentially"

ACTIVATIONS = Registry(
    "activation",
    {
        "identity": Activation(nn.Identity, "x", "1", -_INF, _INF, "never", 1.0),
        "sigmoid": Activation(nn.Sigmoid, "1/(1 + e⁻ˣ)", "y(1 - y) ≤ 1/4", 0.0, 1.0, _BOTH, 1.0),
        "tanh": Activation(nn.Tanh, "(eˣ - e⁻ˣ)/(eˣ + e⁻ˣ)", "1 - y² ≤ 1", -1.0, 1.0, _BOTH, 5 / 3),
        "relu": Activation(
            nn.ReLU, "max(0, x)", "1[x > 0], 0 at 0", 0.0, _INF, _RECTIFIER, math.sqrt(2)
        ),
        "leaky_relu": Activation(
            nn.LeakyReLU,
            "max(0, x) + a·min(0, x), a = 0.01",
            "1 if x > 0 else a, a at 0",
            -_INF,
            _INF,
            "never",
            math.sqrt(2 / (1 + 0.01**2)),
        ),
        "prelu": Activation(
            nn.PReLU,
            "max(0, x) + a·min(0, x), a learned from 0.25",
            "1 if x > 0 else a, a at 0",
            -_INF,
            _INF,
            "never",
            math.sqrt(2 / (1 + 0.25**2)),
        ),
        "elu": Activation(
            nn.ELU, "x if x > 0 else eˣ - 1", "1 if x > 0 else y + 1", -1.0, _INF, _TAIL, 1.2452
        ),
        "selu": Activation(
            nn.SELU,
            "λ(x if x > 0 else α(eˣ - 1)), λ = 1.0507, α = 1.6733",
            "λ if x > 0 else y + λα",
            -1.0507009873554805 * 1.6732632423543772,
            _INF,
            _TAIL,
            1.0,
        ),
        "gelu": Activation(nn.GELU, "x·Φ(x)", "Φ(x) + x·φ(x)", -0.1700, _INF, _TAIL, 1.5335),
        "silu": Activation(
            nn.SiLU, "x·σ(x)", "σ(x)(1 + x(1 - σ(x)))", -0.2785, _INF, _TAIL, 1.6765
        ),
        "softplus": Activation(nn.Softplus, "log(1 + eˣ)", "σ(x)", 0.0, _INF, _TAIL, 1.0419),
        "softsign": Activation(
            nn.Softsign,
            "x/(1 + ∣x∣)",
            "1/(1 + ∣x∣)²",
            -1.0,
            1.0,
            "both sides, polynomially",
            2.3375,
        ),
        "softmax": Activation(
            nn.Softmax,
            "eˣʲ/Σₖ eˣᵏ along dim",
            "diag(y) - y·yᵀ",
            0.0,
            1.0,
            "one entry far above the others",
            1.0,
        ),
        "log_softmax": Activation(
            nn.LogSoftmax,
            "xⱼ - log Σₖ eˣᵏ along dim",
            "I - 1·softmax(x)ᵀ",
            -_INF,
            0.0,
            "for the entry far above the others",
            1.0,
        ),
        "sign": Activation(Sign, "+1 if x > 0 else -1", "0", -1.0, 1.0, "everywhere", 1.0),
    },
    aliases={"linear": "identity", "none": "identity", "swish": "silu", "logistic": "sigmoid"},
)


def activation(spec: ActivationSpec, **arguments: Any) -> nn.Module:
    """Build the activation that `spec` describes (N-ACT-01 to N-ACT-10).

    Args:
        spec: a name (`"relu"`), a module class or a `functools.partial` of one, a module
            (copied, so that two layers never share parameters), any other function of one
            tensor (wrapped), or None for the identity.
        **arguments: arguments of the class, for names and classes
            (`activation("leaky_relu", negative_slope=0.2)`).

    Raises:
        ValueError: if the name is unknown, or a softmax is not told its `dim`.
        TypeError: if `spec` is none of these, or does not take `arguments`.
    """
    if spec is None:
        spec = nn.Identity
    if isinstance(spec, str):
        spec = ACTIVATIONS[spec].module
    if isinstance(spec, type) and issubclass(spec, nn.Module):
        if spec in (nn.Softmax, nn.LogSoftmax) and arguments.get("dim") is None:
            raise ValueError(f"{spec.__name__} needs the dimension it sums over, as in dim=-1")
        return spec(**arguments)
    if arguments:
        raise TypeError(f"{spec!r} is built already and takes no {sorted(arguments)}")
    if isinstance(spec, nn.Module):
        return copy.deepcopy(spec)
    if isinstance(spec, partial) and isinstance(spec.func, type):
        return spec()
    if callable(spec) and not isinstance(spec, type):
        return Elementwise(spec)
    raise TypeError(f"expected a name, class, module, function or None, got {spec!r}")


def gain(spec: ActivationSpec) -> float:
    """Return the initialisation gain recommended before the activation `spec`.

    Weights of standard deviation gain/√fan_in keep the signal's size through the layer. Leaky
    slopes are read off the module: √(2/(1 + a²)) (N-ACT-04).

    Raises:
        ValueError: if nothing is known about the activation; give the gain as a number then.
    """
    module = activation(spec) if not isinstance(spec, str) else ACTIVATIONS[spec].module()
    if isinstance(module, nn.LeakyReLU):
        return math.sqrt(2 / (1 + module.negative_slope**2))
    if isinstance(module, nn.PReLU):
        return math.sqrt(2 / (1 + module.init**2))
    for name in ACTIVATIONS:
        if type(module) is ACTIVATIONS[name].module:
            return ACTIVATIONS[name].gain
    raise ValueError(f"no gain is known for {module!r}; give it as a number")
