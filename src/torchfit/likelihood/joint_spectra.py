"""Stars of several exposures: their coadds, and the exposures themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.spectra import Spectra


@dataclass(frozen=True)
class JointSpectra(Spectra):
    """Spectra of stars, some of which are coadds of exposures that are fitted together.

    Args:
        exposures: Exposures of the stars that have several, those of a star side by side.
        star: Place of the star of each exposure among the coadds, ascending.
    """

    exposures: Spectra
    star: Int[Tensor, " exposure"]

    @classmethod
    def of(cls, exposures: Spectra, star: Int[Tensor, " exposure"]) -> "JointSpectra":
        """The coadds of exposures; see :func:`coadd`."""
        whole = coadd(exposures, star)
        return cls(whole.wave, whole.flux, whole.ivar, whole.has_ivar, exposures, star)

    @property
    def n_exposures(self) -> Int[Tensor, " star"]:
        """Number of exposures of each star."""
        return self._counts.clamp_min(1)

    @property
    def _counts(self) -> Int[Tensor, " star"]:
        """Exposures of each star that are here: none of a star that has only one."""
        return torch.bincount(self.star, minlength=len(self))

    def to(self, dtype: torch.dtype) -> "JointSpectra":
        """The same spectra in another precision; the grid keeps its own."""
        whole = replace(self, flux=self.flux.to(dtype), ivar=self.ivar.to(dtype))
        return replace(whole, exposures=self.exposures.to(dtype))

    def finite(self) -> "JointSpectra":
        """See :meth:`torchfit.spectra.Spectra.finite`."""
        whole = super().finite()
        return replace(self, flux=whole.flux, ivar=whole.ivar, exposures=self.exposures.finite())

    def __getitem__(self, star: Tensor | slice) -> "JointSpectra":
        """The batch of the chosen stars, with their exposures."""
        chosen = torch.arange(len(self), device=self.star.device)[star]
        counts = self._counts
        first, n = (counts.cumsum(0) - counts)[chosen], counts[chosen]
        place = torch.arange(len(chosen), device=n.device).repeat_interleave(n)
        rows = torch.arange(len(place), device=n.device) + (first - n.cumsum(0) + n)[place]
        return JointSpectra(
            self.wave,
            self.flux[chosen],
            self.ivar[chosen],
            self.has_ivar[chosen],
            self.exposures[rows],
            place,
        )

    @classmethod
    def joined(cls, batches: Sequence[Spectra]) -> "JointSpectra":
        """Batches on the same grid as one, at least one of them with exposures."""
        whole, first = Spectra.joined(batches), 0
        stars, exposures = [], []
        for each in batches:
            if isinstance(each, JointSpectra):
                stars.append(each.star + first)
                exposures.append(each.exposures)
            first += len(each)
        rest = Spectra.joined(exposures)
        return cls(whole.wave, whole.flux, whole.ivar, whole.has_ivar, rest, torch.cat(stars))


def coadd(exposures: Spectra, star: Int[Tensor, " exposure"]) -> Spectra:
    r"""Weighted means of the exposures of each star, pixel by pixel.

    .. math:: f = \sum_e w_e f_e / \sum_e w_e, \quad w = \sum_e w_e

    with the inverse variances w, and where an exposure of a star has none, 1 in all its good pixels
    (and in those of the mean).

    Args:
        exposures: Normalised exposures, those of a star side by side.
        star: Place of the star of each, ascending from 0, every star at least once.

    Returns:
        One spectrum a star, in double precision.
    """
    n_stars = int(star[-1]) + 1
    lacking = torch.bincount(star, weights=(~exposures.has_ivar).double(), minlength=n_stars)
    has_ivar = lacking == 0
    counted = torch.where(has_ivar[star, None], exposures.ivar.double(), exposures.good.double())
    total = _sum(counted, star, n_stars)
    flux = torch.where(exposures.good, exposures.flux.double(), 0.0)
    mean = _sum(counted * flux, star, n_stars) / torch.where(total > 0, total, 1.0)
    alone = torch.bincount(star)[star] == 1
    mean[star[alone]] = flux[alone]  # Not off by the rounding of a quotient.
    ivar = torch.where(has_ivar[:, None], total, (total > 0).double())
    return Spectra(exposures.wave, mean, ivar, has_ivar)


def _sum(
    values: Float[Tensor, "exposure pix"], star: Int[Tensor, " exposure"], n_stars: int
) -> Float[Tensor, "star pix"]:
    """Sums over the exposures of each star, in their order."""
    return values.new_zeros(n_stars, values.shape[1]).index_add(0, star, values)
