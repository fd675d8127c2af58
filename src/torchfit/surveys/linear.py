"""Library spectra on a linear wavelength axis in air, published without errors."""

import numpy as np

from torchfit.exceptions import SpectrumError
from torchfit.files.fits_file import FitsUnit
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.medium import air_to_vacuum


def linear_air_spectrum(unit: FitsUnit, info: StarInfo) -> Spectrum:
    """Make a vacuum spectrum of a one-dimensional image whose cards give a linear air axis.

    Libraries fill what they did not observe with zeros, and noise around zero at the blue end
    of a cool star is no measurement either: a pixel is good when its flux is positive.

    Args:
        unit: The image with ``CRVAL1``, ``CDELT1`` (Angstrom) and ``CRPIX1``.
        info: What is known of the star.

    Raises:
        SpectrumError: If the image is not one row, the axis is missing, or no pixel is good.
    """
    flux = unit.image
    if flux is None or flux.ndim != 1:
        raise SpectrumError(f"{info.source}: the first unit is no one-dimensional image")
    pixel = 1.0 + np.arange(flux.size)
    wave = unit.number("CRVAL1") + unit.number("CDELT1") * (pixel - unit.number("CRPIX1"))
    good = np.isfinite(flux) & (flux > 0)
    return Spectrum(air_to_vacuum(wave), flux, good.astype(np.float64), info, has_ivar=False)
