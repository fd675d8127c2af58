"""Resolutions as a user gives them: a number, an array, a quantity."""

from typing import Any

import astropy.units as u
import numpy as np

from torchfit.exceptions import SpectrumError
from torchfit.surveys.quantities import convert


def widths_of(lsf_fwhm: Any, wave: np.ndarray) -> np.ndarray | float:
    """A resolution in Angstrom.

    Args:
        lsf_fwhm: Full width at half maximum: one number or one per pixel, in Angstrom, or a
            quantity.
        wave: Wavelengths of the pixels.

    Raises:
        SpectrumError: If it is anything else, or not positive.
    """
    if isinstance(lsf_fwhm, u.Quantity):
        lsf_fwhm = convert(lsf_fwhm, u.AA, "lsf_fwhm")
    value = np.asarray(lsf_fwhm)
    is_number = value.dtype.kind in "iuf" and value.shape in ((), wave.shape)
    if not is_number or not ((value > 0) & np.isfinite(value)).all():
        raise SpectrumError("lsf_fwhm must be positive: one number, or one per pixel, in Angstrom")
    return float(value) if value.ndim == 0 else value.astype(np.float64)
