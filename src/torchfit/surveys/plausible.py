"""What a spectrum and its star can be at all: numbers beyond are damage, not measurements."""

import math

import numpy as np
from jaxtyping import Bool, Float64

from torchfit.exceptions import SpectrumError
from torchfit.names import SPEED_OF_LIGHT

_MAX_SNR = 1e5
"""Ten thousand million photons a pixel, a hundred thousand times what a detector holds."""
_MAX_IVAR = 1e4
"""In units of the median of a spectrum: an error a hundred times smaller than the others."""
_ENOUGH = 256
"""Pixels, spread evenly, whose median is near enough that of all."""
_MIN_CHI2 = 0.01
_NIGHTS = (15_000, 90_000)
"""Modified Julian Days from 1899 to 2105."""

MAX_REDSHIFT = 0.004
"""Largest redshift of a star, 1200 km/s: beyond it lies the end of the pipelines' own searches."""


def is_measured(
    flux: Float64[np.ndarray, " pix"], ivar: Float64[np.ndarray, " pix"]
) -> Bool[np.ndarray, " pix"]:
    """Tell the pixels whose flux and inverse variance can be a measurement.

    One pixel of absurd weight would outweigh all others.

    Args:
        flux: Flux.
        ivar: Inverse variance.

    Returns:
        False where a value is not finite, the inverse variance is not positive or far above that
        of the other pixels, or the signal-to-noise ratio is impossible.
    """
    with np.errstate(all="ignore"):
        # False of whatever is not finite, too.
        good = (flux * flux * ivar <= _MAX_SNR**2) & (ivar > 0)
    some = ivar[good]
    if some.size:
        some = some[:: max(1, some.size // _ENOUGH)]
        good &= ivar <= _MAX_IVAR * np.median(some)
    return good


def demand_noise(
    flux: Float64[np.ndarray, " pix"], ivar: Float64[np.ndarray, " pix"], source: str
) -> None:
    r"""Demand that the inverse variance is that of the flux.

    Flux is signal and noise, so the mean of :math:`f^2 w` over the pixels is 1 at least, of a
    spectrum without any signal. Errors overestimated tenfold are still let through.

    Args:
        flux: Flux of the good pixels.
        ivar: Their inverse variance.
        source: What to call the spectrum.

    Raises:
        SpectrumError: If there is no good pixel, or the flux scatters far less than its errors.
    """
    if not flux.size:
        raise SpectrumError(f"{source}: no good pixel (masked, not finite or no measurement)")
    chi2 = float(np.mean(flux * flux * ivar))
    if chi2 < _MIN_CHI2:
        raise SpectrumError(
            f"{source}: the inverse variance is not that of the flux (flux is {chi2**0.5:.1g} of "
            "its error)"
        )


def measured_ivar(
    flux: Float64[np.ndarray, " pix"],
    ivar: Float64[np.ndarray, " pix"],
    good: Bool[np.ndarray, " pix"],
    source: str,
) -> Float64[np.ndarray, " pix"]:
    """Inverse variance of the pixels that are measurements.

    Args:
        flux: Flux.
        ivar: Its inverse variance.
        good: Pixels that are not masked.
        source: What to call the spectrum.

    Returns:
        ``ivar``; 0 in pixels that are masked or cannot be a measurement (:func:`is_measured`).

    Raises:
        SpectrumError: As :func:`demand_noise`.
    """
    good = good & is_measured(flux, ivar)
    demand_noise(flux[good], ivar[good], source)
    return np.where(good, ivar, 0.0)


def sky_position(ra: float, dec: float) -> tuple[float, float]:
    """Right ascension and declination in degrees, both NaN if they are no position."""
    return (ra, dec) if 0 <= ra <= 360 and -90 <= dec <= 90 else (math.nan, math.nan)


def night(mjd: float) -> int | None:
    """Modified Julian Day, ``None`` if no telescope was observing then."""
    return int(mjd) if _NIGHTS[0] <= mjd <= _NIGHTS[1] else None


def demand_stellar_redshift(z: float, source: str) -> float:
    """Demand that a redshift can be that of a star, where there is one.

    Args:
        z: The redshift.
        source: What to call the spectrum.

    Returns:
        The redshift; NaN, that none is stated, for whatever is no number.

    Raises:
        SpectrumError: If it is beyond :data:`MAX_REDSHIFT`.
    """
    if not math.isfinite(z):
        return math.nan
    if abs(z) > MAX_REDSHIFT:
        velocity = z * SPEED_OF_LIGHT
        raise SpectrumError(f"{source}: no usable redshift (Z of {velocity:.0f} km/s for a star)")
    return z


def name_by_position(ra: float, dec: float) -> str:
    """Name from the position to about 0.4 arcsec, so that repeat visits share it."""
    return f"J{ra:.4f}{dec:+.4f}" if math.isfinite(ra) and math.isfinite(dec) else ""
