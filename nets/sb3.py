"""Our encoders inside Stable-Baselines3, as features extractors.

The one file of `nets` that imports gymnasium and stable_baselines3: `import nets` leaves it out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self, TypeAlias

from gymnasium import Space
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.preprocessing import get_flattened_obs_dim
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from .layers.mlp import MLP
from .networks.encoders import ENCODERS
from .registry import Registry

EncoderSpec: TypeAlias = str | type[nn.Module] | Callable[[Space], nn.Module]


class EncoderExtractor(BaseFeaturesExtractor):
    """A features extractor that hands SB3's preprocessed observations to an encoder.

    SB3 scales uint8 images to float32 in [0, 1] itself; our encoders leave floats alone.
    Observations that are not images are flattened, except for an encoder built by a function.
    The orthogonal initialisation that PPO and A2C apply to every extractor is kept off: the
    encoder's own stays.

    Args:
        observation_space: space of the observations before SB3's preprocessing.
        encoder: see `sb3_extractor`.
        arguments: keyword arguments of the encoder.
    """

    def __init__(
        self, observation_space: Space, encoder: EncoderSpec, arguments: dict[str, Any]
    ) -> None:
        net, flat = _build(encoder, observation_space, arguments)
        out_features = getattr(net, "out_features", None)
        if not isinstance(out_features, int):
            raise TypeError(f"{type(net).__name__} has no out_features, the size of its output")
        super().__init__(observation_space, out_features)
        self.encoder = net
        self.flat = flat

    def forward(self, observations: Tensor) -> Tensor:
        """Map a batch of preprocessed observations to features `[B, out_features]`."""
        return self.encoder(observations.flatten(1) if self.flat else observations)

    def apply(self, fn: Callable[[nn.Module], None]) -> Self:
        """Apply `fn` to every part, unless it is SB3's orthogonal initialisation."""
        if isinstance(fn, partial) and fn.func is BasePolicy.init_weights:
            return self
        return super().apply(fn)


def sb3_extractor(
    encoder: EncoderSpec,
    *,
    net_arch: Sequence[int] | dict[str, list[int]] | None = None,
    **arguments: Any,
) -> dict[str, Any]:
    """Return the `policy_kwargs` that put an encoder of ours into an algorithm of SB3.

    `PPO("MlpPolicy", env, policy_kwargs=dict(**sb3_extractor("mlp")))`, and with images
    `DQN("CnnPolicy", env, policy_kwargs=dict(**sb3_extractor("nature")))`.

    Args:
        encoder: `"nature"`, `"impala"`, `"small-cnn"` or `"mlp"` (by default one layer of 64,
            tanh, orthogonal); or a module class, called with the shape (C, H, W) of an image
            space and with the flat size of any other; or any other function, called with the
            observation space. The module built has `.out_features`.
        net_arch: layers of SB3 between the encoder and the outputs. None is one layer of 64 after
            `"mlp"`, in PPO and A2C one for the policy and one for the value (on CartPole they
            learn much slower without), and no layer after any other encoder.
        **arguments: keyword arguments for the encoder, such as `out_features` or `hidden`.

    Raises:
        ValueError: if the name is unknown.
        TypeError: if `encoder` is a module that is built already: SB3 needs several.
    """
    if isinstance(encoder, str):
        encoder = BUILDERS.canonical(encoder)
    elif isinstance(encoder, nn.Module) or not callable(encoder):
        raise TypeError(
            f"expected a name, a class or a function of the observation space, got {encoder!r}"
        )
    if net_arch is None:
        net_arch = [64] if encoder == "mlp" else []
    return {
        "features_extractor_class": EncoderExtractor,
        "features_extractor_kwargs": {"encoder": encoder, "arguments": arguments},
        "net_arch": net_arch if isinstance(net_arch, dict) else list(net_arch),
    }


def _build(encoder: EncoderSpec, space: Space, arguments: dict[str, Any]) -> tuple[nn.Module, bool]:
    """Build the encoder for `space`, and say whether it takes flat observations `[B, D]`."""
    if not isinstance(encoder, str | type):
        return encoder(space, **arguments), False
    if space.shape is None:
        raise TypeError(f"{space} has no one shape: give a function that builds its encoder")
    if isinstance(encoder, str):
        flat, encoder = BUILDERS.canonical(encoder) == "mlp", BUILDERS[encoder]
    else:
        flat = len(space.shape) != 3
    return encoder(get_flattened_obs_dim(space) if flat else space.shape, **arguments), flat


def _mlp(in_features: int, **arguments: Any) -> MLP:
    defaults = {"hidden": (64,), "activation": "tanh", "init": "orthogonal"}
    return MLP(in_features, **(defaults | arguments))


BUILDERS: Registry[Callable[..., nn.Module]] = Registry(
    "encoder",
    {name: ENCODERS[name] for name in ENCODERS} | {"mlp": _mlp},
    aliases={"small": "small-cnn"},
)
