"""Hydrogen: Balmer and Paschen lines with Stark wings."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.mock.atmosphere import Atmosphere
from torchfit.mock.continuum import core_depth

RYDBERG = 109677.58
"""Rydberg constant of hydrogen in 1/cm."""
_DOPPLER = 4e-5
"""Thermal velocity of hydrogen over that of light, 12 km/s."""
_SMOOTHING = 0.3
_REACH = 0.07


@dataclass(frozen=True)
class Series:
    """A series of hydrogen lines.

    Args:
        lower: Principal quantum number of the lower level.
        first: That of the first upper level that is drawn.
        last: That of the last one.
        broadest: That of the broadest line.
    """

    lower: int
    first: int
    last: int
    broadest: float

    def wave(self, upper: int) -> float:
        """Vacuum wavelength in Angstrom of the line from an upper level."""
        return 1e8 / RYDBERG / (1 / self.lower**2 - 1 / upper**2)

    def oscillator_strength(self, upper: int) -> float:
        """Kramers' absorption oscillator strength of the line from an upper level."""
        factor = 32 / (3 * math.pi * math.sqrt(3))
        return factor / self.lower**5 / upper**3 * (1 / self.lower**2 - 1 / upper**2) ** -3

    def relative_width(self, upper: int) -> float:
        """Width of a line over that of the broadest."""
        ratio = upper / self.broadest
        return ratio**2 * math.exp(2 * (1 - ratio))


BALMER = Series(lower=2, first=3, last=26, broadest=4.4)
PASCHEN = Series(lower=3, first=7, last=26, broadest=9.0)


def hydrogen_depth(star: Atmosphere, wave: Float[Tensor, " pix"]) -> Float[Tensor, "star pix"]:
    r"""Optical depth of all hydrogen lines, :math:`\tau = -\ln(1 - \sum R)`.

    Args:
        star: The stars.
        wave: Vacuum wavelength in Angstrom, increasing.
    """
    total = torch.zeros(len(star.teff), len(wave), dtype=wave.dtype)
    for series in (BALMER, PASCHEN):
        width = stark_width(star, series)
        absorbers = star.log_level(series.lower) - star.log_opacity
        for upper in range(series.first, series.last + 1):
            centre = series.wave(upper)
            reach = torch.tensor([centre * (1 - _REACH), centre * (1 + _REACH)]).to(wave)
            near = slice(*torch.searchsorted(wave, reach).tolist())
            opacity = series.oscillator_strength(upper) * 10 ** (absorbers - 12.6)
            deepest = core_depth(star.teff, wave.new_tensor([centre]))[:, 0]
            core = deepest * opacity / (1 + opacity) * level_survival(star, upper)
            stark = width * series.relative_width(upper)
            doppler = centre * _DOPPLER * torch.log1p(opacity).sqrt()
            profile = stark_profile(wave[near] - centre, (stark**2 + doppler**2).sqrt())
            total[:, near] -= torch.log1p(-core[:, None] * profile)
    return total


def stark_width(star: Atmosphere, series: Series) -> Float[Tensor, " star"]:
    r"""Half width in Angstrom of the broadest line of a series.

    .. math:: w = 8\,(N_e / 10^{15})^{0.35} (N_l / 5 \cdot 10^{17} \kappa_c)^{0.15}
        (1 + (T / 14000)^4)^{-0.42}

    The quasi-static wings would give both exponents 0.4 (Griem 1974) in one layer; the smaller
    ones and the last factor stand for the depth of a real atmosphere, chosen so that H beta has
    the observed strength from G to O.
    """
    absorbers = star.log_level(series.lower) - star.log_opacity
    hot = 1 + (star.teff / 14000) ** 4
    return (
        8 * 10 ** (0.35 * (star.log_electron_density - 15) + 0.15 * (absorbers - 17.7)) / hot**0.42
    )


def level_survival(star: Atmosphere, upper: int) -> Float[Tensor, " star"]:
    r"""Share of the atoms whose upper level the electric fields leave alone.

    Levels above :math:`\log N_e = 23.26 - 7.5 \log n` are dissolved (Inglis & Teller 1939), so
    that giants show more lines than dwarfs.
    """
    last = 10 ** ((23.26 - star.log_electron_density) / 7.5)
    return torch.sigmoid(last - upper)


def stark_profile(
    offset: Float[Tensor, " pix"], width: Float[Tensor, " star"]
) -> Float[Tensor, "star pix"]:
    r"""Profile :math:`1 / (1 + |\Delta / w|^{5/2})` of a Stark-broadened line.

    Args:
        offset: Distance from the line in Angstrom.
        width: Half width in Angstrom.
    """
    ratio = (offset.square() + _SMOOTHING**2) / width.square()[:, None]
    return 1 / (1 + ratio * ratio.sqrt().sqrt())
