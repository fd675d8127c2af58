"""Named tensors in a file of their own."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from torchfit.exceptions import ConfigError, DataError


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors; the same ones give the same bytes.

    Args:
        path: File to write, best a temporary one.
        tensors: Tensors by name.
    """
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, path)


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
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path} cannot be read ({error})") from error
