"""Wavelengths in air and in vacuum.

The rest of the package knows vacuum only; a reader of a library in air converts here.
"""

import numpy as np
from jaxtyping import Float64


def _squared_wavenumber(wave: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """Square of the wavenumber in inverse square micrometres of ``wave`` in Angstrom."""
    return (1e4 / wave) ** 2


def air_to_vacuum(wave: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    r"""Convert wavelengths in air to vacuum.

    .. math:: n - 1 = 8.336624212083 \cdot 10^{-5}
        + \frac{0.02408926869968}{130.1065924522 - s^2}
        + \frac{1.599740894897 \cdot 10^{-4}}{38.92568793293 - s^2},
        \quad s = 10^4 / \lambda_\mathrm{air}

    It is the inverse of :func:`vacuum_to_air` to better than 1e-5 Angstrom in the optical.

    Args:
        wave: Wavelength in standard air in Angstrom, above 2000.

    Returns:
        Wavelength in vacuum in Angstrom.

    References:
        N. Piskunov, documentation of the Vienna Atomic Line Database (VALD),
        "Air-to-vacuum conversion".
    """
    s2 = _squared_wavenumber(wave)
    excess = (
        8.336624212083e-5
        + 2.408926869968e-2 / (130.1065924522 - s2)
        + 1.599740894897e-4 / (38.92568793293 - s2)
    )
    return wave * (1.0 + excess)


def vacuum_to_air(wave: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    r"""Convert wavelengths in vacuum to standard air.

    .. math:: n - 1 = 8.34254 \cdot 10^{-5} + \frac{0.02406147}{130 - s^2}
        + \frac{1.5998 \cdot 10^{-4}}{38.9 - s^2}, \quad s = 10^4 / \lambda_\mathrm{vac}

    Args:
        wave: Wavelength in vacuum in Angstrom, above 2000.

    Returns:
        Wavelength in air in Angstrom.

    References:
        Morton 2000, ApJS 130, 403, equation 8.
    """
    s2 = _squared_wavenumber(wave)
    excess = 8.34254e-5 + 2.406147e-2 / (130.0 - s2) + 1.5998e-4 / (38.9 - s2)
    return wave / (1.0 + excess)
