"""The multilayer perceptron."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from ..arguments import checked
from .activations import ActivationSpec
from .activations import activation as build_activation
from .chain import Chain
from .init import InitSpec, init_layer_
from .norm import NormSpec, cancels_bias
from .norm import norm as build_norm


class MLP(Chain):
    """Dense layers: h ← dropout(g(norm(W·h + b))) per hidden layer, then a linear layer.

    Built without `init` it equals the same `nn.Sequential` written by hand, random draws
    included (N-LIN-03, N-LIN-04). A bias that batch norm would cancel is left out (N-NORM-05).

    Args:
        in_features: size of the last dimension of the input.
        hidden: sizes of the hidden layers; may be empty.
        out_features: size of the output layer; None ends with the last hidden layer.
        activation: g, see `nets.activation`; a list gives one per hidden layer.
        out_activation: applied to the output layer.
        norm: see `nets.layers.norm.norm`; a list gives one per hidden layer.
        dropout: probability of dropping a hidden unit in training, in [0, 1).
        bias: whether dense layers have biases.
        init: a scheme of `nets.init_`, or a function called on every dense layer; None
            keeps torch's own. `he_*` and `orthogonal` take the gain of the activation that
            follows the layer.
        out_gain: gain of the output layer instead (0.01 for a policy, 1 for a value).
        norm_first: whether the norm stands before the activation or after it (N-NORM-06).

    Raises:
        ValueError: if a size or probability is out of range, a list has the wrong length, or an
            output option is given without an output layer.
    """

    @checked
    def __init__(
        self,
        in_features: int,
        hidden: Sequence[int],
        out_features: int | None = None,
        *,
        activation: ActivationSpec | Sequence[ActivationSpec] = "relu",
        out_activation: ActivationSpec = None,
        norm: NormSpec | Sequence[NormSpec] = None,
        dropout: float = 0.0,
        bias: bool = True,
        init: InitSpec = None,
        out_gain: float | None = None,
        norm_first: bool = True,
    ) -> None:
        super().__init__()
        sizes = [in_features, *hidden] + ([] if out_features is None else [out_features])
        if min(sizes) < 1:
            raise ValueError(f"layer sizes must be positive, got {sizes}")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout must be in [0, 1), got {dropout}")
        if out_features is None and not (out_activation is None and out_gain is None):
            raise ValueError("out_activation and out_gain need out_features")
        if out_gain is not None and init is None:
            raise ValueError("out_gain needs init, as in init='orthogonal'")
        self.in_features = in_features
        self.out_features = sizes[-1]

        functions = per_layer(activation, len(hidden), "activation")
        norms = per_layer(norm, len(hidden), "norm")
        for i, (function, normalise) in enumerate(zip(functions, norms, strict=True)):
            middle = [] if normalise is None else [build_norm(normalise, sizes[i + 1])]
            needs_bias = bias and not (norm_first and any(map(cancels_bias, middle)))
            dense = nn.Linear(sizes[i], sizes[i + 1], needs_bias)
            init_layer_(dense, init, follows=function)
            middle += [] if function is None else [build_activation(function)]
            self.extend([dense, *(middle if norm_first else reversed(middle))])
            if dropout:
                self.append(nn.Dropout(dropout))
        if out_features is not None:
            dense = nn.Linear(sizes[-2], out_features, bias)
            init_layer_(dense, init, follows=out_activation, gain=out_gain)
            self.append(dense)
            if out_activation is not None:
                self.append(build_activation(out_activation))

    def forward(self, input: Tensor) -> Tensor:
        """Map `input` `[..., in_features]` to `[..., out_features]`."""
        return super().forward(input)


def per_layer(spec: Any, layers: int, kind: str) -> list[Any]:
    """Return one specification per layer: the list given, or the same one `layers` times.

    Raises:
        ValueError: if a list has another length than `layers`.
    """
    if not isinstance(spec, list | tuple):
        return [spec] * layers
    if len(spec) != layers:
        raise ValueError(f"{kind} needs one entry for each of {layers} hidden layers, got {spec}")
    return list(spec)
