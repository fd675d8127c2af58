"""Tile-compressed images, as ``fpack`` writes them; astropy unpacks them."""

import io
import math
import warnings

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from torchfit.exceptions import DataError
from torchfit.files.fits_header import FitsHeader
from torchfit.files.fits_table import TableLayout

_MAX_AXES = 9
_MAX_TILES = 4096
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
        DataError: If the image is larger, or its axes and tiles contradict the table.
    """
    n_rows = TableLayout.of(header).n_rows  # astropy would count to any TFIELDS.
    n_axes = header.whole("ZNAXIS")
    if not 0 < n_axes <= _MAX_AXES:
        raise DataError(f"ZNAXIS must lie within 1 and {_MAX_AXES}")
    axes = [header.whole(f"ZNAXIS{axis}") for axis in range(1, n_axes + 1)]
    tile = [header.whole(f"ZTILE{n}", axes[0] if n == 1 else 1) for n in range(1, n_axes + 1)]
    if min(axes + tile) < 1 or math.prod(axes) * abs(header.whole("ZBITPIX")) > 8 * limit:
        raise DataError(f"its axes make no image of up to {limit >> 20} MiB")
    if math.prod(tile) * abs(header.whole("ZBITPIX")) > 8 * limit:
        raise DataError(f"its tiles have more than {limit >> 20} MiB")
    n_tiles = math.prod(-(-n // size) for n, size in zip(axes, tile, strict=True))
    if n_tiles != n_rows or n_tiles > _MAX_TILES:
        raise DataError(f"{n_tiles} tiles do not make {n_rows} rows, or are too many")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        with fits.open(io.BytesIO(_EMPTY + raw), memmap=False) as units:
            return np.asarray(units[1].data, dtype=np.float64)
