"""Moving frozen dataclasses of tensors between devices."""

import copy
import dataclasses
from typing import TypeVar

import torch

T = TypeVar("T")


def to_device(value: T, device: torch.device) -> T:
    """Copy a value with every tensor inside it on another device.

    Args:
        value: A tensor, a module, a dataclass of such (nested as deep as it may be), or anything
            else, which is returned as it is.
        device: Where to.

    Returns:
        The copy; what is already there is shared. The original stays where it is.
    """
    if isinstance(value, torch.Tensor):
        return value.to(device)  # type: ignore[return-value]
    if isinstance(value, torch.nn.Module):
        # Module.to moves in place, and would leave the caller's object on two devices.
        there = all(tensor.device == device for tensor in value.state_dict().values())
        return value if there else copy.deepcopy(value).to(device)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        moved = {
            field.name: to_device(getattr(value, field.name), device)
            for field in dataclasses.fields(value)
        }
        return dataclasses.replace(value, **moved)
    return value
