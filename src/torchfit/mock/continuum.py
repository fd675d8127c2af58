"""The continuum: a black body with the Balmer and Paschen jumps."""

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.mock.atmosphere import LN_10, Atmosphere

_SECOND_RADIATION = 1.438777e8
"""h c / k in Angstrom K."""
_REFERENCE = 5500.0
_BALMER_EDGE, _BALMER_WIDTH = 3725.0, 18.0
_PASCHEN_EDGE, _PASCHEN_WIDTH = 8260.0, 25.0
"""Where the crowded lines hide the jumps, and over how many Angstrom they spread them."""


def planck(teff: Float[Tensor, " star"], wave: Float[Tensor, " pix"]) -> Float[Tensor, "star pix"]:
    r"""Black body per wavelength over its value at 5500 Angstrom.

    .. math:: B \propto \lambda^{-5} / (e^{hc/\lambda kT} - 1)

    Args:
        teff: Temperature in K.
        wave: Wavelength in Angstrom.
    """
    exponent = _SECOND_RADIATION / (wave * teff[:, None])
    reference = _SECOND_RADIATION / (_REFERENCE * teff[:, None])
    return (_REFERENCE / wave) ** 5 * torch.expm1(reference) / torch.expm1(exponent)


def core_depth(
    teff: Float[Tensor, " star"], wave: Float[Tensor, " line"]
) -> Float[Tensor, "star line"]:
    r"""Depth of a saturated line: its core shows the cool surface.

    .. math:: R_0 = 1 - B_\lambda(0.75\,T) / B_\lambda(T)

    so that lines are deep in the blue of cool stars and shallow in hot stars.

    Args:
        teff: Temperature in K.
        wave: Wavelength of the lines in Angstrom.
    """
    exponent = _SECOND_RADIATION / (wave * teff[:, None])
    return 1 - torch.expm1(exponent) / torch.expm1(exponent / 0.75)


def jump(star: Atmosphere, level: int, threshold: float) -> Float[Tensor, " star"]:
    r"""Height in dex of the jump where level ``level`` begins to absorb.

    .. math:: D = 0.7 \frac{r}{1 + r}, \quad r = 10^{-t} N_n / \kappa_c

    Args:
        star: The stars.
        level: 2 for the Balmer jump, 3 for the Paschen jump.
        threshold: The constant t, in dex.
    """
    return 0.7 * torch.sigmoid(LN_10 * (star.log_level(level) - star.log_opacity - threshold))


def continuum(star: Atmosphere, wave: Float[Tensor, " pix"]) -> Float[Tensor, "star pix"]:
    """Continuous flux per wavelength, about 1 at 5500 Angstrom.

    Args:
        star: The stars.
        wave: Vacuum wavelength in Angstrom.
    """
    balmer = torch.sigmoid((_BALMER_EDGE - wave) / _BALMER_WIDTH)
    paschen = torch.sigmoid((_PASCHEN_EDGE - wave) / _PASCHEN_WIDTH)
    absorbed = balmer * jump(star, 2, 17.4)[:, None] + paschen * jump(star, 3, 17.6)[:, None]
    return planck(star.teff, wave) * 10**-absorbed
