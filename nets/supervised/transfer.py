"""Transfer learning: keep a trained trunk, replace its head, then fine-tune
(curriculum S-TL-01).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from ..arguments import checked
from ..gradients.modes import freeze as freeze
from ..gradients.modes import unfreeze as unfreeze


@checked
def replace_head(
    network: nn.Module, out_features: int, *, init: Callable[[nn.Linear], object] | None = None
) -> nn.Linear:
    """Put a new dense layer in the place of the last one of `network`, and return it.

    Args:
        network: changed in place; its last `nn.Linear`, in order of definition, is the head. Its
            `out_features`, and those of the parts that hold the head, become the new ones.
        out_features: of the new head.
        init: called on the new head; None keeps torch's initialisation.

    Raises:
        ValueError: the network has no dense layer, or is one itself.
    """
    dense = [(name, m) for name, m in network.named_modules() if isinstance(m, nn.Linear) and name]
    if not dense:
        raise ValueError(f"{type(network).__name__} contains no dense layer that could be its head")
    name, old = dense[-1]
    outputs = old.out_features
    head = nn.Linear(
        old.in_features,
        out_features,
        old.bias is not None,
        device=old.weight.device,
        dtype=old.weight.dtype,
    )
    if init is not None:
        init(head)
    network.set_submodule(name, head)
    for module in network.modules():  # whoever says how much the old head gave
        around = module is network or any(child is head for child in module.modules())
        if module is not head and around and getattr(module, "out_features", None) == outputs:
            module.out_features = out_features  # type: ignore[assignment]
    return head


@checked
def load_part(module: nn.Module, state: Mapping[str, Any]) -> str:
    """Give `module` the weights of the part of a saved state that is built as it is.

    A part is all that lies under one name, as the encoder of an autoencoder under
    `weights.encoder.0`. It fits if it has the names and shapes of `module`, all of them and no
    more; the first that fits is taken.

    Args:
        module: changed in place.
        state: of a network, or a tree of such states: what `load_checkpoint` returns.

    Returns:
        The name of the part.

    Raises:
        ValueError: nothing fits; the message tells what comes nearest.
    """
    wanted = {name: tensor.shape for name, tensor in module.state_dict().items()}
    tensors = dict(_tensors(state))
    if not wanted:
        raise ValueError(f"{type(module).__name__} has no weights to load")
    nearest, missing = None, 0
    for prefix in _prefixes(tensors, next(iter(wanted))):
        part = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
        shapes = {name: tensor.shape for name, tensor in part.items()}
        if shapes == wanted:
            module.load_state_dict(part)
            return prefix.removesuffix(".")
        wrong = [k for k in wanted | shapes if shapes.get(k) != wanted.get(k)]
        if nearest is None or len(wrong) < missing:
            missing, name = len(wrong), wrong[0]
            found, expected = (
                str(tuple(sizes[name])) if name in sizes else "missing"
                for sizes in (shapes, wanted)
            )
            nearest = f"{prefix}{name} is {found}, expected {expected}"
    kind = type(module).__name__
    raise ValueError(f"no part of it is built as this {kind}" + (f": {nearest}" if nearest else ""))


def _tensors(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of nested mappings, each with the path to it."""
    for key, value in tree.items():
        if isinstance(value, Tensor):
            yield f"{prefix}{key}", value
        elif isinstance(value, Mapping):
            yield from _tensors(value, f"{prefix}{key}.")


def _prefixes(names: Mapping[str, Tensor], last: str) -> Iterator[str]:
    """Yield what stands before `last` in names that end so, "" or something with a dot."""
    for name in names:
        if name == last or name.endswith(f".{last}"):
            yield name.removesuffix(last)
