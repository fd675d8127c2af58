"""Pixels that no star of the library explains: cosmic rays, sky residuals, emission lines."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.likelihood.pixel_sums import PixelSums
from torchfit.names import MAD_TO_SIGMA

MEDIAN_PIXELS = 500
"""Pixels that a median of the residuals is taken over, spread over the spectrum."""


@dataclass(frozen=True)
class Outliers:
    r"""Iterative, asymmetric clipping of what the flux components cannot follow.

    A spectrum is compared not with one model but with everything near its start labels: the
    components are fitted with the prior :math:`f \sim N(f(x_0), \Sigma + J \Sigma_x J^T)`, wide by
    the emulator's error and by that of the start labels, beside continuum and velocity. What is
    left over, in units of its noise and of its own robust scatter if that is larger, is clipped
    above ``upper`` and below ``-lower``, with ``grow`` neighbours; then the fit is repeated.

    Args:
        upper: Limit for flux in excess: cosmic rays, sky residuals, emission.
        lower: Limit for missing flux; wider, since lines that the library has too weak lie there.
        grow: Neighbours on each side that are masked too.
        max_rounds: Most rounds; fewer when a round finds nothing.
        max_share: Largest share of a star's good pixels that may be clipped; a star that would lose
            more is no star of the library, and keeps all.

    Raises:
        ConfigError: If a number makes no sense.

    References:
        Koleva et al. 2009, A&A 501, 1269 (the clean option of ULySS); Wei et al. 2013, MNRAS 431,
        1800 (outliers by the residual from principal components).
    """

    upper: float = 5.0
    lower: float = 7.0
    grow: int = 1
    max_rounds: int = 3
    max_share: float = 0.1

    def __post_init__(self) -> None:
        if min(self.upper, self.lower) <= 0 or self.grow < 0 or self.max_rounds < 0:
            raise ConfigError(
                f"metric.outliers: upper={self.upper} and lower={self.lower} must be positive, "
                f"grow={self.grow} and max_rounds={self.max_rounds} not negative"
            )

    def clip(
        self,
        sums: PixelSums,
        centre: Float[Tensor, "star comp"],
        factor: Float[Tensor, "star comp comp"],
    ) -> tuple[Bool[Tensor, "star pix"], Float[Tensor, " star"]]:
        """Find outliers and drop them from the sums.

        Args:
            sums: The spectra; outliers lose their weight in it.
            centre: Coefficients of the start labels.
            factor: Lower Cholesky factor of their covariance.

        Returns:
            The clipped pixels, and the root mean square of the residuals before any was clipped:
            1 for a star like those of the library with honest errors.
        """
        n_good = (sums.weight > 0).sum(dim=1)
        residual = sums.residual(centre, factor)
        score = (residual.square().sum(dim=1) / n_good.clamp_min(1)).sqrt()
        clipped = torch.zeros_like(sums.weight, dtype=torch.bool)
        for number in range(self.max_rounds):
            if number:
                residual = sums.residual(centre, factor)
            good = sums.weight > 0
            found = good & ~self.keep(residual, good, n_good)
            if not found.any():
                break
            sums.drop(found)
            clipped |= found
        return clipped, score

    def keep(
        self,
        residual: Float[Tensor, "star pix"],
        good: Bool[Tensor, "star pix"],
        n_good: Int[Tensor, " star"],
    ) -> Bool[Tensor, "star pix"]:
        """Pixels that stay good.

        Args:
            residual: Residuals in units of their noise.
            good: Pixels that are good so far.
            n_good: Good pixels of each star before any was clipped.

        Returns:
            The good pixels without outliers; all of them for a star that would lose too many.
        """
        rest = good & ~self._find(residual, good)
        too_many = n_good - rest.sum(dim=1, dtype=torch.int32) > self.max_share * n_good
        return rest | (good & too_many[:, None])

    def _find(
        self, residual: Float[Tensor, "star pix"], good: Bool[Tensor, "star pix"]
    ) -> Bool[Tensor, "star pix"]:
        """Good pixels beyond the limits, and their neighbours."""
        step = max(1, residual.shape[1] // MEDIAN_PIXELS)
        few = torch.where(good[:, ::step], residual[:, ::step].abs(), torch.nan)
        size = few.nanmedian(dim=1).values
        # Of a star without a good pixel there is no median, and nothing to find.
        scale = (MAD_TO_SIGMA * size).nan_to_num(1.0).clamp_min(1.0)[:, None]
        beyond = (residual > self.upper * scale) | (residual < -self.lower * scale)
        near = beyond.clone()
        for step in range(1, self.grow + 1):
            near[:, step:] |= beyond[:, :-step]
            near[:, :-step] |= beyond[:, step:]
        return near & good
