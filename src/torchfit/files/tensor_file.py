"""Named tensors in a file of their own."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from torchfit.exceptions import ConfigError, DataError


def hash_of_tensor(tensor: Tensor) -> str:
    """Hash a tensor: its type, its shape and its numbers, bit by bit.

    Args:
        tensor: The tensor.

    Returns:
        Hexadecimal sha256.
    """
    values = tensor.detach().cpu().contiguous()
    digest = hashlib.sha256(f"{values.dtype} {tuple(values.shape)} ".encode())
    digest.update(values.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors; the same ones give the same bytes.

    Args:
        path: File to write, best a temporary one.
        tensors: Tensors by name.
    """
    # Not save_file, which lets nobody but the user read the file.
    path.write_bytes(save({name: tensor.contiguous() for name, tensor in tensors.items()}))


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Load tensors, each in memory of its own.

    The last bits of a matrix product depend on where its factors lie in memory: all that PyTorch
    allocates is aligned alike, what lies somewhere in a file is not.

    Args:
        path: File to load.

    Returns:
        Tensors by name.

    Raises:
        OSError: If it cannot be read.
        SafetensorError: If it is damaged, or a file of another kind.
    """
    return {name: tensor.clone() for name, tensor in load_file(path).items()}


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read what :func:`write_tensors` has written.

    Args:
        path: File to read.

    Returns:
        Tensors by name.

    Raises:
        ConfigError: If it is not there.
        DataError: If it is damaged, or a file of another kind.
    """
    if not path.is_file():
        raise ConfigError(f"no such file: {path}")
    try:
        return load_tensors(path)
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path} cannot be read ({error})") from error
