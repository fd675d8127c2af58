"""A simulated accelerator: tensors that say they live on device ``sim``, computed on the CPU.

What mixes devices raises as on CUDA, and every number is the CPU's. So what runs on an accelerator
runs in the tests of a machine that has none. Not simulated: streams, the order in which an
accelerator adds numbers up, and of the memory all but what tensors hold.

Importing this module registers the device; every process that uses it must.
"""

from functools import partial

import torch
from tests.simulated.memory import METER, held
from tests.simulated.traffic import note_traffic
from torch.utils._mode_utils import no_dispatch
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "sim"
_ANYWHERE = {"aten::_to_copy", "aten::copy_", "aten::_copy_from", "aten::_copy_from_and_resize"}
_INDEXING = {
    "aten::index",
    "aten::index_put",
    "aten::index_put_",
    "aten::_index_put_impl_",
    "aten::_unsafe_index",
}
_RESIZING = ("arange", "eye", "linspace", "logspace", "randperm")
"""What torch makes empty on other devices, and lets grow."""
_WITH_SCALARS = {"aten::fill", "aten::fill_", "aten::masked_fill", "aten::masked_fill_"}


class SimTensor(torch.Tensor):
    """A tensor of the simulated device; ``inner`` holds its numbers."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner, device):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=device,
        )

    def __init__(self, inner, device):
        self.inner, self.held = inner, held(inner)

    def __repr__(self):
        return f"SimTensor({self.inner!r}, device={self.device})"

    def __format__(self, spec):
        return format(self.item() if self.dim() == 0 else repr(self), spec)

    def __deepcopy__(self, memo):
        return self.detach().clone().requires_grad_(self.requires_grad)

    def numpy(self, *, force=False):
        if force:
            return self.detach().cpu().numpy()
        raise TypeError(f"can't convert {self.device} tensor to numpy; use Tensor.cpu() first")

    def __array__(self, dtype=None):
        return self.numpy()

    def tolist(self):
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _compute(func, args, kwargs or {})


class _CurrentDevice:
    """What ``torch.sim`` is."""

    number = 0

    def is_initialized(self):
        return True

    def is_available(self):
        return True

    def current_device(self):
        return self.number

    def set_device(self, device):
        self.number = torch.device(device).index or 0

    def _is_in_bad_fork(self):
        return False

    def manual_seed_all(self, seed):
        pass

    def device_count(self):
        return 8

    def __getattr__(self, name):
        if name == "mem_get_info" and METER.room is not None:
            return METER.info
        raise AttributeError(name)


_current = _CurrentDevice()


def _compute(func, args, kwargs):
    """Compute on the CPU; the result is on the device that an accelerator would have it on."""
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    sims = [tensor for tensor in tensors if isinstance(tensor, SimTensor)]
    _demand_one_device(func, args, tensors)
    target = _target(func, args, kwargs, sims)
    _demand_generator(func, args, kwargs, target)
    note_traffic(func, args, sims, target)
    inner = dict(kwargs)
    if inner.get("device") is not None:
        inner["device"] = torch.device("cpu")
    inner.pop("pin_memory", None)
    result = func(*_inner(args), **_inner(inner))
    if target.type != NAME:
        return result
    # What was changed in place, or written to with out=, is returned itself.
    known = {id(sim.inner): sim for sim in sims}
    if torch.Tag.inplace_view in func.tags:
        with no_dispatch():
            func(*args, **kwargs)
    if any(sim.shape != sim.inner.shape for sim in sims):
        raise NotImplementedError(f"{func._schema.name} resizes a tensor of the simulated device")
    return tree_map_only(
        torch.Tensor,
        lambda each: known[id(each)] if id(each) in known else SimTensor(each, target),
        result,
    )


def _inner(tree):
    return tree_map_only(SimTensor, lambda sim: sim.inner, tree)


def _target(func, args, kwargs, sims):
    """Where the result is."""
    if func._schema.name == "aten::copy_":
        return args[0].device
    asked = kwargs.get("device")
    if asked is None:
        return sims[0].device if sims else torch.device("cpu")
    asked = torch.device(asked)
    number = _current.number if asked.index is None else asked.index
    return torch.device(NAME, number) if asked.type == NAME else asked


def _demand_one_device(func, args, tensors):
    """Raise where CUDA would: what an operator takes must be on one device.

    A number on the CPU (no dimension) may meet a tensor of an accelerator element by element, and
    an index on the CPU may choose from it.
    """
    name = func._schema.name
    if name in _ANYWHERE:
        return
    if name in _INDEXING:
        _demand_indices(name, args)
        indices = {id(each) for each in args[1] if each is not None}
        tensors = [each for each in tensors if id(each) not in indices]
    devices = {each.device for each in tensors if not _is_number(func, each)}
    devices = devices or {each.device for each in tensors}
    if len(devices) > 1:
        raise RuntimeError(
            f"{name}: expected all tensors on one device, found {sorted(map(str, devices))}"
        )


def _is_number(func, tensor):
    scalars = torch.Tag.pointwise in func.tags or func._schema.name in _WITH_SCALARS | _INDEXING
    return scalars and tensor.device.type == "cpu" and tensor.dim() == 0


def _demand_indices(name, args):
    places = {each.device for each in args[1] if each is not None}
    if any(place not in (args[0].device, torch.device("cpu")) for place in places):
        raise RuntimeError(
            f"{name}: indices should be on the CPU or on the device of the indexed tensor "
            f"({args[0].device}), found {sorted(map(str, places))}"
        )


def _demand_generator(func, args, kwargs, target):
    generators = [g for g in (*args, *kwargs.values()) if isinstance(g, torch.Generator)]
    if any(generator.device.type != target.type for generator in generators):
        raise RuntimeError(f"{func._schema.name}: expected a generator of {target.type}")


def _fallback(func, *args, **kwargs):
    return _compute(func, args, kwargs)


def _copy_from(source, target, non_blocking=False):
    """What ``torch.tensor(..., device="sim")`` asks of a device, past the class above."""
    note_traffic(
        torch.ops.aten._copy_from.default,
        (source, target),
        [each for each in (source, target) if isinstance(each, SimTensor)],
        target.device,
    )
    _inner(target).copy_(_inner(source))
    return target


_setup_privateuseone_for_python_backend(NAME, backend_module=_current)
_everything = torch.library.Library("_", "IMPL", "PrivateUse1")
_everything.fallback(_fallback)
_some = torch.library.Library("aten", "IMPL")
_some.impl("_copy_from", _copy_from, "PrivateUse1")
for _name in _RESIZING:
    _overload = getattr(torch.ops.aten, _name)
    for _kind in _overload.overloads():
        if not _kind.endswith("out"):
            _made = partial(_fallback, getattr(_overload, _kind))
            _some.impl(f"{_name}.{_kind}".removesuffix(".default"), _made, "PrivateUse1")
# A device of Python has no threads for the derivatives.
torch.autograd.set_multithreading_enabled(False)
