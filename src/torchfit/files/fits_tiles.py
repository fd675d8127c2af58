"""Tile-compressed images, as ``fpack`` writes them; astropy unpacks them."""

import io
import math
import warnings

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from torchfit.exceptions import DataError
from torchfit.files.fits_header import FitsHeader

_MAX_AXES = 9
_EMPTY = fits.PrimaryHDU().header.tostring().encode("ascii")


def is_tiled(header: FitsHeader) -> bool:
    """Whether the table of a unit stands for a compressed image."""
    return header.logical("ZIMAGE") is True


def tiled_image(header: FitsHeader, raw: bytes, limit: int) -> np.ndarray:
    """Unpack a compressed image.

    Args:
        header: Of the unit.
        raw: The unit, header and data in whole blocks.
        limit: Most bytes of the image.

    Returns:
        The image as native float64.

    Raises:
        DataError: If the image is larger, or its axes make no sense.
    """
    n_axes = header.whole("ZNAXIS")
    if not 0 < n_axes <= _MAX_AXES:
        raise DataError(f"ZNAXIS must lie within 1 and {_MAX_AXES}")
    for key, default in (("ZNAXIS", 0), ("ZTILE", 1)):
        axes = [header.whole(f"{key}{axis}", default) for axis in range(1, n_axes + 1)]
        if min(axes) < 1 or math.prod(axes) * abs(header.whole("ZBITPIX")) > 8 * limit:
            raise DataError(f"{key} makes no image of up to {limit >> 20} MiB")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        with fits.open(io.BytesIO(_EMPTY + raw), memmap=False) as units:
            return np.asarray(units[1].data, dtype=np.float64)
