"""Coadding of like spectra: weighted means, outliers rejected, errors propagated."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.names import SPEED_OF_LIGHT
from torchfit.preprocess.resample import resample

_MAD_TO_SIGMA = 1.4826
_FEWEST = 3
"""Values of a pixel of which one can be an outlier."""


@dataclass(frozen=True)
class Mean:
    """A coadded spectrum.

    Args:
        flux: Weighted mean; 0 where nobody contributes.
        ivar: Its inverse variance, from the errors of the contributors.
        n_contributors: Spectra that contribute to each pixel.
        weight: Weight of every spectrum in every pixel, 0 where it was rejected.
    """

    flux: Float[Tensor, " pix"]
    ivar: Float[Tensor, " pix"]
    n_contributors: Int[Tensor, " pix"]
    weight: Float[Tensor, "star pix"]


@dataclass(frozen=True)
class Coadd:
    r"""Mean of spectra, weighted by their inverse variances, without outliers.

    .. math:: m = \sum_s w_s f_s / \sum_s w_s, \quad w_m = \sum_s w_s

    A value is an outlier when it lies more than ``n_sigma`` from the median of the pixel, in units
    of its error and of what like stars differ by beside (their robust scatter, less the median
    variance). The median is that of the values left; the search ends when none is found.

    Args:
        n_sigma: Distance from which a value is an outlier; ``None`` rejects none.
        rounds: Most rounds of the search.

    Raises:
        ConfigError: If a number makes no sense.
    """

    n_sigma: float | None = 4.0
    rounds: int = 3

    def __post_init__(self) -> None:
        if self.rounds < 1 or (self.n_sigma is not None and self.n_sigma <= 0):
            raise ConfigError(
                f"coadd: n_sigma={self.n_sigma} must be positive or null, and rounds={self.rounds} "
                "at least 1"
            )

    def __call__(self, flux: Float[Tensor, "star pix"], ivar: Float[Tensor, "star pix"]) -> Mean:
        """Coadd spectra of one grid.

        Args:
            flux: Flux; what stands where ``ivar`` is 0 has no weight.
            ivar: Inverse variance, 0 in bad pixels.

        Returns:
            The mean.
        """
        good = ivar > 0
        for _ in range(self.rounds if self.n_sigma is not None else 0):
            found = self._outliers(flux, ivar, good)
            if not bool(found.any()):
                break
            good = good & ~found
        weight = torch.where(good, ivar, 0.0)
        total = weight.sum(dim=0)
        summed = (weight * torch.where(good, flux, 0.0)).sum(dim=0)
        mean = torch.where(total > 0, summed / torch.where(total > 0, total, 1.0), 0.0)
        return Mean(mean, total, good.sum(dim=0), weight)

    def _outliers(
        self,
        flux: Float[Tensor, "star pix"],
        ivar: Float[Tensor, "star pix"],
        good: Bool[Tensor, "star pix"],
    ) -> Bool[Tensor, "star pix"]:
        values = torch.where(good, flux, torch.nan)
        variance = torch.where(good, 1 / torch.where(good, ivar, 1.0), torch.nan)
        distance = (values - values.nanquantile(0.5, dim=0)).abs()
        scatter = (_MAD_TO_SIGMA * distance.nanquantile(0.5, dim=0)).square()
        own = (scatter - variance.nanquantile(0.5, dim=0)).clamp_min(0)
        beyond = distance > (self.n_sigma or torch.inf) * (variance + own).sqrt()
        return good & beyond & (good.sum(dim=0) >= _FEWEST)


def at_rest(
    wave: Float[Tensor, " pix"],
    flux: Float[Tensor, "star pix"],
    ivar: Float[Tensor, "star pix"],
    v_rad: Float[Tensor, " star"],
) -> tuple[Float[Tensor, "star pix"], Float[Tensor, "star pix"]]:
    """Remove residual velocities, on the same grid.

    Args:
        wave: Grid in Angstrom.
        flux: Flux.
        ivar: Inverse variance, 0 in bad pixels.
        v_rad: Residual velocity in km/s; NaN is none.

    Returns:
        Flux and inverse variance at rest.
    """
    moved = wave / (1 + v_rad.nan_to_num(0.0)[:, None] / SPEED_OF_LIGHT)
    return resample(moved, flux, ivar, wave)
