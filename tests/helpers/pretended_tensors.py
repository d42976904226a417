"""Tensors that say that they lie on cuda:0, and what every operation on them comes to."""

import warnings
from copy import deepcopy

import torch
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

aten = torch.ops.aten
COPIES = {aten._to_copy.default: 0, aten.copy_.default: 1}  # and which argument is copied from
INDEXING = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default}
WAITING = {  # their result is a number, or its shape hangs on numbers
    aten._local_scalar_dense.default,
    aten.equal.default,
    aten.is_nonzero.default,
    aten.nonzero.default,
    aten.masked_select.default,
    aten._unique2.default,
}


class Pretended(torch.Tensor):
    """A tensor that says that it lies on cuda:0; its numbers are in `held`, on the CPU."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held):
        strides, offset = held.stride(), held.storage_offset()
        form = {"strides": strides, "storage_offset": offset, "dtype": held.dtype}
        self = torch.Tensor._make_wrapper_subclass(cls, held.shape, device="cuda:0", **form)
        self.held = held
        return self

    @property
    def data(self):
        """The same numbers without history; what is set takes their place."""
        return torch.Tensor.data.__get__(self)

    @data.setter
    def data(self, other):
        torch.Tensor.data.__set__(self, other)
        self.held = other.held

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = copy = Pretended(self.held.detach().clone())
            copy.__dict__.update({k: v for k, v in self.__dict__.items() if k != "held"})
            copy.requires_grad_(self.requires_grad)
            copy.grad = deepcopy(self.grad, memo)
        return memo[id(self)]

    def tolist(self):
        """The numbers, once they have come."""
        return self.cpu().tolist()

    def __repr__(self):
        return f"Pretended({self.held})"

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return computed(operation, args, kwargs or {})


class Pretending(TorchDispatchMode):
    """While it is entered there is a device "cuda"."""

    def __enter__(self):
        """Answer for the driver, and take every operation."""
        self._before = {name: getattr(torch.cuda, name) for name in FACTS}
        for name, fact in FACTS.items():
            setattr(torch.cuda, name, fact)
        torch._C._set_only_lift_cpu_tensors(True)  # torch.tensor(x, device="cuda") is a transfer
        # `module.to` makes new parameters: those whose data were set would stay on the CPU
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        return super().__enter__()

    def __exit__(self, *raised):
        """Leave torch as it was."""
        super().__exit__(*raised)
        torch.__future__.set_overwrite_module_params_on_conversion(False)
        torch._C._set_only_lift_cpu_tensors(False)
        for name, fact in self._before.items():
            setattr(torch.cuda, name, fact)

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return computed(operation, args, kwargs or {})


def computed(operation, args, kwargs):
    """What an operation comes to, refused where a real device would refuse it."""
    asked = kwargs.get("device")
    flat = list(_tensors((*args, *kwargs.values())))
    there = any(isinstance(x, Pretended) for x in flat)
    if not there and asked is None:
        return operation(*args, **kwargs)
    onto = there if asked is None else torch.device(asked).type == "cuda"
    if operation in COPIES:
        source = args[COPIES[operation]]
        onto = isinstance(args[0], Pretended) if operation is aten.copy_.default else onto
        if isinstance(source, Pretended) and not onto:
            _wait(operation)
    else:
        _refuse_mixed(operation, args, flat, there)
        if there and (operation in WAITING or _by_mask(operation, args)):
            _wait(operation)
    generator = kwargs.get("generator")
    if onto and generator is not None and generator.device.type == "cpu":
        raise RuntimeError(f"{operation}: a generator of the CPU draws on cuda:0")
    if asked is not None:
        kwargs = kwargs | {"device": torch.device("cpu") if onto else asked}
    kernel = KERNELS.get(operation, operation) if there else operation
    held = {name: _mapped(_held, value) for name, value in kwargs.items()}
    result = kernel(*_mapped(_held, args), **held)
    if not onto:
        return result
    result = _mapped(Pretended, result)
    return return_and_correct_aliasing(operation, args, kwargs, result) if there else result


def _wait(operation):
    """Say that the processor waits for the device, as it was asked to be said."""
    message = f"called a synchronizing CUDA operation: {operation}"
    if debug[-1] == "error":
        raise RuntimeError(message)
    if debug[-1] == "warn":
        warnings.warn(message, stacklevel=2)


def _refuse_mixed(operation, args, flat, there):
    """Raise where tensors of two devices meet, but for single numbers and indices of the CPU."""
    here = any(not isinstance(x, Pretended) and x.ndim for x in flat)
    if not (there and here) or (operation in INDEXING and isinstance(args[0], Pretended)):
        return
    raise RuntimeError(f"{operation}: expected all tensors on one device, found cuda:0 and cpu")


def _by_mask(operation, args):
    kinds = (getattr(index, "dtype", None) for index in args[1]) if operation in INDEXING else ()
    return any(kind in (torch.bool, torch.uint8) for kind in kinds)


def _tensors(tree):
    """All tensors of what an operation is given; PyTorch's own walk, for any tree, takes longer."""
    for x in tree:
        if isinstance(x, torch.Tensor):
            yield x
        elif isinstance(x, tuple | list):
            yield from _tensors(x)


def _mapped(change, x):
    """Return a tree of tuples and lists with its tensors changed."""
    if isinstance(x, torch.Tensor):
        return change(x)
    return type(x)(_mapped(change, y) for y in x) if isinstance(x, tuple | list) else x


def _held(x):
    return x.held if isinstance(x, Pretended) else x


def _lstm_cell(of_x, of_h, c, b_x=None, b_h=None):
    """c' = f c + i g, h' = o tanh c'; the last of three is what `_lstm_cell_backward` needs."""
    total = of_x + of_h if b_x is None else of_x + of_h + b_x + b_h
    i, f, g, o = total.chunk(4, 1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    after = f * c + i * g
    return o * after.tanh(), after, torch.cat([i, f, g, o], 1)


def _lstm_cell_backward(dh, dc, before, after, gates, has_bias):
    i, f, g, o = gates.chunk(4, 1)
    squashed = after.tanh()
    dh = torch.zeros_like(after) if dh is None else dh
    total = dh * o * (1 - squashed**2) + (0 if dc is None else dc)
    slopes = [i * (1 - i) * g, f * (1 - f) * before, (1 - g**2) * i]
    slopes = [*(total * slope for slope in slopes), dh * squashed * o * (1 - o)]
    d = torch.cat(slopes, 1)
    return d, total * f, d.sum(0) if has_bias else None


def _gru_cell(of_x, of_h, h, b_x=None, b_h=None):
    """h' = n + z (h − n), n = tanh(n_x + r n_h); the second is what `_gru_cell_backward` needs."""
    if b_x is not None:
        of_x, of_h = of_x + b_x, of_h + b_h
    (r_x, z_x, n_x), (r_h, z_h, n_h) = of_x.chunk(3, 1), of_h.chunk(3, 1)
    r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
    n = (n_x + r * n_h).tanh()
    return n + z * (h - n), torch.cat([r, z, n, h, n_h], 1)


def _gru_cell_backward(dh, kept, has_bias):
    r, z, n, h, n_h = kept.chunk(5, 1)
    dn = dh * (1 - z) * (1 - n**2)
    dz, dr = dh * (h - n) * z * (1 - z), dn * n_h * r * (1 - r)
    of_x, of_h = torch.cat([dr, dz, dn], 1), torch.cat([dr, dz, dn * r], 1)
    return of_x, of_h, dh * z, *((of_x.sum(0), of_h.sum(0)) if has_bias else (None, None))


KERNELS = {  # what only CUDA has
    aten._thnn_fused_lstm_cell.default: _lstm_cell,
    aten._thnn_fused_lstm_cell_backward_impl.default: _lstm_cell_backward,
    aten._thnn_fused_gru_cell.default: _gru_cell,
    aten._thnn_fused_gru_cell_backward.default: _gru_cell_backward,
    aten._fused_sdp_choice.default: lambda *args, **kwargs: 0,  # the formula, not a fused kernel
}
debug = ["default"]
FACTS = {  # what `torch.cuda` asks the driver
    "_lazy_init": lambda: None,
    "is_available": lambda: True,
    "is_initialized": lambda: True,
    "device_count": lambda: 1,
    "current_device": lambda: 0,
    "set_device": lambda device: None,
    "get_device_name": lambda device=None: "a pretended GPU",
    "get_device_capability": lambda device=None: (9, 0),
    "is_bf16_supported": lambda *args, **kwargs: True,
    "_exchange_device": lambda device: 0,
    "_maybe_exchange_device": lambda device: 0,
    "manual_seed_all": lambda seed: None,
    "get_rng_state_all": list,
    "set_sync_debug_mode": debug.append,
}
