"""From labels to a spectrum: continuum, hydrogen, lines and bands."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.mock.atmosphere import Atmosphere
from torchfit.mock.continuum import continuum
from torchfit.mock.hydrogen import hydrogen_depth
from torchfit.mock.lines import LineList
from torchfit.mock.molecules import band_profiles, molecule_depth


@dataclass(frozen=True)
class StarModel:
    r"""Flux of mock stars on a grid, a smooth function of four labels.

    .. math:: F = C \exp(-\tau_H - \tau_{lines}) / (1 + \tau_{bands})

    Lines are drawn with a Gaussian of 30 km/s, so that the model can be brought to any resolving
    power below 4000. Valid between 3000 and 35000 K; an approximation for testing.

    Args:
        wave: Vacuum wavelength in Angstrom, increasing; 3600-10400 is covered by lines.
        line_error: Errors of the line list, see :class:`torchfit.mock.lines.LineList`.
    """

    wave: Float[Tensor, " pix"]
    line_error: float = 0.0

    def __call__(self, labels: Float[Tensor, "star label"]) -> Float[Tensor, "star pix"]:
        """Flux per wavelength, about 1 at 5500 Angstrom.

        Args:
            labels: Effective temperature in K, surface gravity in dex, [Fe/H], [alpha/Fe].
        """
        star = Atmosphere.of(labels)
        lines = self._lines.depth(star) + hydrogen_depth(star, self.wave)
        bands = molecule_depth(star) @ self._bands
        return continuum(star, self.wave) * torch.exp(-lines) / (1 + bands)

    @cached_property
    def _lines(self) -> LineList:
        return LineList(self.wave, self.line_error)

    @cached_property
    def _bands(self) -> Float[Tensor, "molecule pix"]:
        return band_profiles(self.wave)


def flux(
    labels: Float[Tensor, "star label"], wave: Float[Tensor, " pix"]
) -> Float[Tensor, "star pix"]:
    """Flux of mock stars; for many calls on one grid make a :class:`StarModel` once.

    Args:
        labels: Effective temperature in K, surface gravity in dex, [Fe/H], [alpha/Fe].
        wave: Vacuum wavelength in Angstrom, increasing.

    Returns:
        Flux per wavelength, about 1 at 5500 Angstrom.
    """
    return StarModel(wave)(labels)
