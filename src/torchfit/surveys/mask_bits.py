"""Masks of pixels whose bits have names."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool

from torchfit.exceptions import ConfigError, SpectrumError

_MAX_BITS = 63


def mask_of(names: Sequence[str], bits: Mapping[str, int], what: str) -> int:
    """Put bits together.

    Args:
        names: Names of the bits that count.
        bits: All bits by name.
        what: Key of the configuration.

    Returns:
        The number with these bits.

    Raises:
        ConfigError: If there is no such bit.
    """
    unknown = [name for name in names if name not in bits]
    if unknown:
        raise ConfigError(f"{what}: no bit {', '.join(unknown)}; there are {', '.join(bits)}")
    return sum(1 << bits[name] for name in set(names))


def names_in(value: int, bits: Mapping[str, int]) -> str:
    """Names of the bits of a number, for a reason.

    Args:
        value: The number.
        bits: All bits by name.
    """
    named = [name for name, bit in bits.items() if value >> bit & 1]
    return ", ".join(named) or str(value)


def has_bits(mask: np.ndarray, wanted: int, source: str) -> Bool[np.ndarray, "*shape"]:
    """Tell the pixels that have any of some bits.

    Args:
        mask: Whole numbers, of any type.
        wanted: The bits.
        source: What to call the spectrum.

    Raises:
        SpectrumError: If the mask holds other than whole numbers.
    """
    if mask.dtype.kind == "f":
        whole = np.isfinite(mask) & (mask == np.rint(mask)) & (np.abs(mask) < 2.0**_MAX_BITS)
        if not whole.all():
            raise SpectrumError(f"{source}: its mask holds other than whole numbers")
    return (mask.astype(np.int64) & wanted) != 0
