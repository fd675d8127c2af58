"""Counts what makes the processor wait for an accelerator, or send something to it."""

from collections import Counter
from contextlib import contextmanager

import torch

_WAITS = {
    "_local_scalar_dense", "nonzero", "masked_select", "_unique", "_unique2", "unique_dim",
    "unique_consecutive", "unique_dim_consecutive", "bincount", "equal", "_linalg_check_errors",
    "repeat_interleave",
}  # fmt: skip
"""Operators whose result, or its size, must be known before the processor goes on."""
_COPIES = {"_to_copy", "copy_", "_copy_from", "_copy_from_and_resize"}
_CHOICES = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index"}
_counters = []


class Traffic(Counter):
    """How often each operator made the processor wait; ``to device`` counts what was sent there."""

    @property
    def waits(self):
        """Times that the processor has waited for the device."""
        return sum(self.values()) - self["to device"]


@contextmanager
def counted():
    """Count the traffic of a block.

    Yields:
        The counts so far.
    """
    _counters.append(traffic := Traffic())
    try:
        yield traffic
    finally:
        _counters.remove(traffic)


def note_traffic(func, args, sims, target):
    """Count an operator that is about to be computed.

    Args:
        func: The operator.
        args: What it is given.
        sims: The tensors among it that are on the device.
        target: Where the result will be.
    """
    if _counters and (kind := _kind(func._schema.name.removeprefix("aten::"), args, sims, target)):
        for counter in _counters:
            counter[kind] += 1


def _kind(name, args, sims, target):
    if name in _COPIES:
        return _kind_of_copy(args, sims, target)
    if name in _CHOICES:
        return _kind_of_choice(name, args, sims)
    return name if name in _WAITS and sims else None


def _kind_of_copy(args, sims, target):
    on_device = (
        [isinstance(each, type(sims[0])) for each in args[:2] if _is_tensor(each)] if sims else []
    )
    if not sims or (all(on_device) and target.type != "cpu"):
        return None
    return "to cpu" if target.type == "cpu" else "to device"


def _kind_of_choice(name, args, sims):
    """A mask must be counted, unless one number is put wherever it is true."""
    indices = [each for each in args[1] if each is not None]
    if any(each.device.type == "cpu" for each in indices) and sims:
        return "to device"
    fills = name != "index" and len(args) > 2 and args[2].numel() == 1 and len(indices) == 1
    masks = any(each.dtype in (torch.bool, torch.uint8) for each in indices)
    return f"{name} by mask" if masks and sims and not fills else None


def _is_tensor(value):
    return isinstance(value, torch.Tensor)
