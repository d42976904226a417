"""What is inside a torch file, found out before torch reads it: no code, and no more than is there.

`torch.load(weights_only=True)` runs no code, but believes what a file says of its own sizes: it
inflates what is compressed, and takes a tensor to be as large as it claims to be.
"""

import math
import pickle
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch

from .entries import opened

MOST_STRUCTURE = 2**25  # bytes of everything but tensors
DEEPEST = 100  # containers in each other
MOST_DIMENSIONS = 64  # of a tensor
KEYS = (str, int, float, bool, type(None))


class _Storage(NamedTuple):
    """Numbers that lie in an entry of the archive."""

    nbytes: int
    itemsize: int


class _Tensor(NamedTuple):
    """A tensor, unread."""

    numel: int


def inspect(path: Path) -> None:
    """Refuse a file that torch should not read.

    Raises:
        zipfile.BadZipFile: it is no whole archive.
        pickle.UnpicklingError: it holds Python objects; none has been made.
        ValueError: it is not as torch writes files: compressed, or larger inside than outside.
    """
    with opened(path) as (archive, entries):
        structures = [name for name in entries if name.endswith("/data.pkl")]
        if len(structures) != 1:
            raise ValueError(f"it has {len(structures)} entries data.pkl, expected one")
        if entries[structures[0]] > MOST_STRUCTURE:
            raise ValueError(f"its data.pkl has more than {MOST_STRUCTURE:,} bytes")
        structure = archive.read(structures[0])
    data = structures[0].removesuffix(".pkl") + "/"
    sizes = {name.removeprefix(data): n for name, n in entries.items() if name.startswith(data)}
    _walk(_Census(structure, sizes).load(), most=max(2**20, len(structure)))


class _Census(pickle._Unpickler):  # the one in C reserves memory for as many objects as it is told
    """Reads what torch pickled, with stand-ins for tensors; calls nothing that a file names."""

    def __init__(self, structure: bytes, sizes: Mapping[str, int]) -> None:
        super().__init__(BytesIO(structure))
        self._sizes = sizes

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name.

        Raises:
            pickle.UnpicklingError: it is none of those that tensors and dicts need.
        """
        found = _NAMES.get(f"{module}.{name}")
        if found is None and module == "torch" and name.isidentifier():
            found = getattr(torch, name, None)
            found = found if isinstance(found, torch.dtype) else None
        if found is None:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return found

    def persistent_load(self, pid: Any) -> _Storage:
        """Return the storage that is described.

        Raises:
            ValueError: the archive has no entry of its size.
        """
        _, dtype, key, _, numel = pid
        if type(key) is not str or type(numel) is not int:
            raise pickle.UnpicklingError("a storage has no name or no size")
        nbytes = numel * dtype.itemsize
        if self._sizes.get(key) != nbytes:
            message = f"its storage {key!r} is to have {nbytes:,} bytes"
            raise ValueError(f"{message}, its entry has {self._sizes.get(key)}")
        return _Storage(nbytes, dtype.itemsize)

    def load_build(self) -> None:
        """Set attributes of a state dict, which has some, and of nothing else."""
        if type(self.stack[-2]) is not OrderedDict:  # type: ignore[attr-defined]
            raise pickle.UnpicklingError("it sets attributes")
        super().load_build()  # type: ignore[misc]

    def load_setitems(self) -> None:
        """Put items into a dict, whose keys are plain: others may take for ever to hash."""
        items = self.pop_mark()  # type: ignore[attr-defined]
        self._fill(self.stack[-1], items)  # type: ignore[attr-defined]

    def load_setitem(self) -> None:
        """Put one item into a dict."""
        value, key = self.stack.pop(), self.stack.pop()  # type: ignore[attr-defined]
        self._fill(self.stack[-1], [key, value])  # type: ignore[attr-defined]

    def _fill(self, target: Any, items: list[Any]) -> None:
        if type(target) not in (dict, OrderedDict):
            raise pickle.UnpicklingError("it sets items of what is no dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) not in KEYS:
                raise pickle.UnpicklingError(f"a key is a {type(key).__name__}")
            target[key] = value

    dispatch: ClassVar[dict[int, Any]] = pickle._Unpickler.dispatch | {
        pickle.BUILD[0]: load_build,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
    }
    for code in (pickle.DICT, pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET):
        del dispatch[code[0]]  # torch never writes them, and they hash what they find


def _tensor(
    storage: _Storage,
    offset: int,
    size: Sequence[int],
    stride: Sequence[int],
    requires_grad: bool,
    hooks: Mapping[int, Any],
    dtype: torch.dtype | None = None,
    metadata: None = None,
) -> _Tensor:
    """Return a tensor whose every number has a place of its own in the storage.

    Raises:
        ValueError: it claims more numbers than that.
        pickle.UnpicklingError: there is more to it than numbers.
    """
    if hooks or metadata is not None:
        raise pickle.UnpicklingError("a tensor has hooks or metadata")
    numbers = (offset, *size, *stride)
    if len(size) > MOST_DIMENSIONS or not all(type(n) is int and n < 2**63 for n in numbers):
        raise ValueError("a tensor has a shape that no tensor can have")
    numel, ends = math.prod(size), [(n - 1) * s for n, s in zip(size, stride, strict=True)]
    itemsize = storage.itemsize if dtype is None else dtype.itemsize
    needed = itemsize * max(numel, offset + sum(ends) + 1) if numel else 0
    if min(offset, *size, *stride, 0) < 0 or needed > storage.nbytes:
        message = f"a tensor of shape {list(size)} and strides {list(stride)} at {offset} is larger"
        raise ValueError(f"{message} than its storage of {storage.nbytes:,} bytes")
    return _Tensor(numel)


def _ordered() -> OrderedDict[Any, Any]:
    """Return an empty one: its items are set one by one."""
    return OrderedDict()


def _parameter(data: _Tensor, requires_grad: bool, hooks: Mapping[int, Any]) -> _Tensor:
    return data


_KINDS = {
    "Double": torch.float64,
    "Float": torch.float32,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
    "ComplexDouble": torch.complex128,
    "ComplexFloat": torch.complex64,
}
_NAMES: dict[str, Any] = {f"torch.{kind}Storage": dtype for kind, dtype in _KINDS.items()} | {
    "torch.storage.UntypedStorage": torch.uint8,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "collections.OrderedDict": _ordered,
}


def _walk(tree: Any, most: int) -> None:
    """Refuse values that are not plain, or more of them, by repetition, than a file can hold."""
    rest = [(tree, 0)]
    for _ in range(most):
        if not rest:
            return
        value, depth = rest.pop()
        if type(value) in (dict, OrderedDict):
            rest += ((each, depth + 1) for pair in value.items() for each in pair)
        elif type(value) in (list, tuple):
            rest += ((each, depth + 1) for each in value)
        elif type(value) not in (_Tensor, bool, int, float, str, type(None)):
            raise pickle.UnpicklingError(f"it holds a {type(value).__name__}")
        if depth > DEEPEST:
            raise ValueError(f"it is nested deeper than {DEEPEST}")
    raise ValueError("it repeats its values without end")
