"""Weight initialisation in place, by name."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvTransposeNd

from ..arguments import named
from ..registry import Registry
from .activations import ActivationSpec
from .activations import gain as activation_gain

ModuleT = TypeVar("ModuleT", bound=nn.Module)
InitSpec: TypeAlias = str | Callable[[nn.Module], object] | None


@dataclass(frozen=True)
class Weight:
    """One weight matrix as `[fan-out side, fan-in side, *kernel]` and its true fans."""

    tensor: Tensor
    fan_in: float
    fan_out: float


@dataclass(frozen=True)
class Scheme:
    """A way to fill weights.

    Attributes:
        fill: writes the weight in place, given the gain and the scale s.
        gain: the gain of the scheme as published.
        follows_activation: whether the gain is that of the activation after the layer.
    """

    fill: Callable[[Weight, float, float], object]
    gain: float = 1.0
    follows_activation: bool = False


def _variance_scaled(fan: Callable[[Weight], float], uniform: bool) -> Callable[..., object]:
    """Fill with mean 0 and variance gain²/fan, from a normal or a uniform distribution."""

    def fill(weight: Weight, gain: float, scale: float) -> None:
        std = gain / math.sqrt(fan(weight))
        if uniform:
            bound = math.sqrt(3) * std
            nn.init.uniform_(weight.tensor, -bound, bound)
        else:
            nn.init.normal_(weight.tensor, 0.0, std)

    return fill


def _fan_in(weight: Weight) -> float:
    return weight.fan_in


def _mean_fan(weight: Weight) -> float:
    return (weight.fan_in + weight.fan_out) / 2


def _orthogonal(weight: Weight, gain: float, scale: float) -> None:
    rows = weight.tensor.contiguous()  # orthogonal_ needs to flatten: a transposed view cannot
    weight.tensor.copy_(nn.init.orthogonal_(rows, gain))


@torch.no_grad()
@named
def init_(
    module: ModuleT,
    name: str,
    gain: float | ActivationSpec = None,
    *,
    scale: float = 0.01,
) -> ModuleT:
    """Initialise every dense, convolutional and recurrent weight in `module`; biases become 0.

    Norm layers, PReLU slopes and embeddings keep their values. The gates of a recurrent layer
    are filled one by one. Transposed convolutions count the kernel taps that reach one output.

    - `he_normal`, `he_uniform`: variance gain²/fan_in, gain √2 (N-INIT-01).
    - `lecun_*`: variance gain²/fan_in, gain 1; `glorot_*`: 2·gain²/(fan_in + fan_out)
      (N-INIT-02).
    - `orthogonal`: W·Wᵀ = gain²·I (N-INIT-06).
    - `normal` N(0, s²), `uniform` U(-s, s) (N-INIT-03), `truncated_normal` within ±2s
      (N-INIT-04), with s = `scale`; `zeros`, `ones` (N-INIT-05).
    - `forget_gate`: see `forget_gate_`; weights stay (N-INIT-07).

    Args:
        module: the module to fill, in place.
        name: the scheme; `kaiming`, `xavier` and `trunc_normal` are other names for them.
        gain: a number, or the activation that follows; None for the scheme's own gain.
        scale: s of the schemes with a fixed size.

    Returns:
        `module`.
    """
    scheme = SCHEMES[name]
    if not isinstance(scheme, Scheme):
        scheme(module)
        return module
    if gain is None:
        gain = scheme.gain
    elif not isinstance(gain, int | float):
        gain = activation_gain(gain)
    for owner in module.modules():
        weights = list(_weights(owner))
        for weight in weights:
            scheme.fill(weight, float(gain), scale)
        if weights:
            for key, parameter in owner.named_parameters(recurse=False):
                if key.startswith("bias"):
                    nn.init.zeros_(parameter)
    return module


def init_layer_(
    layer: nn.Module,
    init: InitSpec,
    *,
    follows: ActivationSpec = None,
    gain: float | None = None,
) -> None:
    """Initialise one layer of a larger net: by scheme, by function, or not at all for None.

    Args:
        layer: the layer to fill, in place.
        init: the scheme of `init_`, a function called on the layer, or None.
        follows: the activation after the layer; sets the gain of `he_*` and `orthogonal`.
        gain: the gain instead.
    """
    if isinstance(init, str):
        scheme = SCHEMES[init]
        if gain is None and isinstance(scheme, Scheme) and scheme.follows_activation:
            gain = activation_gain(follows)
        init_(layer, init, gain)
    elif init is not None:
        init(layer)


@torch.no_grad()
def forget_gate_(module: ModuleT, value: float = 1.0) -> ModuleT:
    """Make the forget-gate bias of every LSTM in `module` equal to `value` (N-INIT-07).

    torch adds two biases: the slice [H:2H] of `bias_ih` gets the value, of `bias_hh` zero.

    Raises:
        ValueError: if there is no LSTM with biases in `module`.
    """
    found = False
    for owner in module.modules():
        for key, parameter in owner.named_parameters(recurse=False):
            if key.startswith("bias_ih") and _gates(owner, key.removeprefix("bias_ih")) == 4:
                hidden = parameter.shape[0] // 4
                parameter[hidden : 2 * hidden] = value
                getattr(owner, f"bias_hh{key.removeprefix('bias_ih')}")[hidden : 2 * hidden] = 0.0
                found = True
    if not found:
        raise ValueError(f"there is no LSTM with biases in {type(module).__name__}")
    return module


def _weights(owner: nn.Module) -> Iterator[Weight]:
    """Yield the weight matrices that `owner` itself holds."""
    for key, parameter in owner.named_parameters(recurse=False):
        if parameter.dim() < 2 or isinstance(owner, nn.Embedding | nn.LayerNorm):
            continue
        if key.startswith(("weight_ih", "weight_hh")):
            for gate in parameter.chunk(_gates(owner, key[len("weight_ih") :])):
                yield Weight(gate, gate.shape[1], gate.shape[0])
        elif key == "weight":
            taps = math.prod(parameter.shape[2:])
            if isinstance(owner, _ConvTransposeNd):  # stored as [in, out / groups, *kernel]
                fan_in = parameter.shape[0] // owner.groups * taps / math.prod(owner.stride)
                yield Weight(parameter.transpose(0, 1), fan_in, parameter.shape[1] * taps)
            else:
                yield Weight(parameter, parameter.shape[1] * taps, parameter.shape[0] * taps)


def _gates(owner: nn.Module, layer: str) -> int:
    """Number of gates stacked in a recurrent layer: 1, 3 (GRU) or 4 (LSTM)."""
    recurrent = getattr(owner, f"weight_hh{layer}")  # [gates * H, H]
    return recurrent.shape[0] // recurrent.shape[1]


_SQRT2 = math.sqrt(2)

SCHEMES: Registry[Scheme | Callable[[nn.Module], nn.Module]] = Registry(
    "initialisation",
    {
        "he_normal": Scheme(_variance_scaled(_fan_in, False), _SQRT2, True),
        "he_uniform": Scheme(_variance_scaled(_fan_in, True), _SQRT2, True),
        "lecun_normal": Scheme(_variance_scaled(_fan_in, False)),
        "lecun_uniform": Scheme(_variance_scaled(_fan_in, True)),
        "glorot_normal": Scheme(_variance_scaled(_mean_fan, False)),
        "glorot_uniform": Scheme(_variance_scaled(_mean_fan, True)),
        "orthogonal": Scheme(_orthogonal, follows_activation=True),
        "truncated_normal": Scheme(
            lambda w, gain, s: nn.init.trunc_normal_(w.tensor, 0.0, s, -2 * s, 2 * s)
        ),
        "normal": Scheme(lambda w, gain, s: nn.init.normal_(w.tensor, 0.0, s)),
        "uniform": Scheme(lambda w, gain, s: nn.init.uniform_(w.tensor, -s, s)),
        "zeros": Scheme(lambda w, gain, s: nn.init.zeros_(w.tensor)),
        "ones": Scheme(lambda w, gain, s: nn.init.ones_(w.tensor)),
        "forget_gate": forget_gate_,
    },
    aliases={
        "he": "he_normal",
        "kaiming": "he_normal",
        "kaiming_normal": "he_normal",
        "kaiming_uniform": "he_uniform",
        "lecun": "lecun_normal",
        "glorot": "glorot_uniform",
        "xavier": "glorot_uniform",
        "xavier_normal": "glorot_normal",
        "xavier_uniform": "glorot_uniform",
        "trunc_normal": "truncated_normal",
        "lstm_forget_bias": "forget_gate",
    },
)
