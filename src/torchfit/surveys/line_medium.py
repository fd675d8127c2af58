"""Whether wavelengths are in air or in vacuum, found from the lines of a star of known redshift."""

import numpy as np
from jaxtyping import Float64

from torchfit.names import FWHM_PER_SIGMA
from torchfit.surveys.medium import air_to_vacuum

_LINES = np.array(
    [
        3934.78, 3969.59, 4102.89, 4227.92, 4341.68, 4862.68, 5168.76, 5174.13, 5185.05, 5891.58,
        5897.56, 6564.61, 8500.35, 8544.44, 8664.52,
    ]
)  # fmt: skip
"""Ca II K and H, H delta, Ca I, H gamma, H beta, Mg b, Na D, H alpha and the Ca II triplet, in
vacuum Angstrom: between them every star from O to M has some."""
_SIGMA = 3.0 / FWHM_PER_SIGMA
_HALF_WIDTH = 12.0
_MIN_GAIN = 25.0
_MIN_AGREEMENT = 1.75
"""Sum over norm: 1 where one line says it all, the root of their number where all say the same."""
_MAX_Z = 0.004


def lines_in_air(
    wave: Float64[np.ndarray, " pix"],
    flux: Float64[np.ndarray, " pix"],
    ivar: Float64[np.ndarray, " pix"],
    z: float,
) -> bool:
    r"""Tell whether strong lines lie where they do in air.

    Around every line a straight continuum and a Gaussian of the instrument's width are fitted,
    once with the wavelengths as they are and once converted to vacuum: the two places differ by
    83 km/s. What counts is the difference of :math:`\chi^2`, in units of what is left per degree
    of freedom where a line has another shape, and that the lines agree.

    Args:
        wave: Wavelength in Angstrom, in one of the two.
        flux: Flux.
        ivar: Inverse variance, 0 in bad pixels.
        z: Redshift of the star.

    Returns:
        Whether air fits better, by five standard deviations and not by one line alone.
    """
    if not abs(z) <= _MAX_Z:
        return False
    vacuum, _ = _misfit(wave / (1 + z), flux, ivar)
    air, n_free = _misfit(air_to_vacuum(wave) / (1 + z), flux, ivar)
    gain = (vacuum - air) / np.maximum(1.0, air / np.maximum(1, n_free))
    agreement = gain.sum() / max(1.0, float(np.linalg.norm(gain)))
    return bool(gain.sum() > _MIN_GAIN and agreement > _MIN_AGREEMENT)


def _misfit(wave: np.ndarray, flux: np.ndarray, ivar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared residuals of continuum and Gaussian, and degrees of freedom, of every line."""
    fits = [_line_misfit(wave - line, flux, ivar) for line in _LINES]
    chi2, n_free = np.array(fits).T
    return chi2, n_free


def _line_misfit(offset: np.ndarray, flux: np.ndarray, ivar: np.ndarray) -> tuple[float, int]:
    near = slice(*np.searchsorted(offset, (-_HALF_WIDTH, _HALF_WIDTH)))
    x, weight = offset[near], np.sqrt(ivar[near])
    shapes = np.stack([np.ones_like(x), x, np.exp(-0.5 * (x / _SIGMA) ** 2)], axis=1)
    n_free = int((weight > 0).sum()) - shapes.shape[1]
    if n_free <= 0:
        return 0.0, 0
    wanted = np.where(weight > 0, flux[near], 0.0) * weight
    fit = np.linalg.lstsq(shapes * weight[:, None], wanted, rcond=None)[0]
    return float(np.sum((wanted - shapes @ fit * weight) ** 2)), n_free
