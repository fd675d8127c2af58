"""Resolutions as a user gives them: a number, an array, a quantity."""

from typing import Any

import astropy.units as u
import numpy as np

from torchfit.exceptions import SpectrumError
from torchfit.names import WIDEST_LSF
from torchfit.surveys.quantities import array_of, convert, plain


def widths_of(lsf_fwhm: Any, wave: np.ndarray) -> np.ndarray | float:
    """A resolution in Angstrom.

    Args:
        lsf_fwhm: Full width at half maximum: one number or one per pixel, in Angstrom, or a
            quantity.
        wave: Wavelengths of the pixels.

    Raises:
        SpectrumError: If it is anything else, not positive, or 500 Angstrom and more.
    """
    lsf_fwhm = plain(lsf_fwhm)
    if isinstance(lsf_fwhm, u.Quantity):
        lsf_fwhm = convert(lsf_fwhm, u.AA, "lsf_fwhm")
    value = array_of(lsf_fwhm)
    is_number = value.dtype.kind in "iuf" and value.shape in ((), wave.shape)
    if not is_number or not ((value > 0) & np.isfinite(value)).all():
        raise SpectrumError("lsf_fwhm must be positive: one number, or one per pixel, in Angstrom")
    if value.max() >= WIDEST_LSF:
        raise SpectrumError(
            f"lsf_fwhm={value.max():g} is too wide for a full width at half maximum in Angstrom: "
            "of a resolving power R it is wavelength / R"
        )
    return float(value) if value.ndim == 0 else value.astype(np.float64)
