"""How much each pixel counts in the matching: less where a spectrum is noisy."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.spectra import Spectra

N_BANDS = 16
"""Bands of the grid over which weights are averaged to find their shape."""
STEP = 1.0
"""Step between shapes in each coefficient of their logarithm."""
REACH = (4, 2)
"""Largest coefficients of the first and the second Legendre polynomial, in steps."""
RIDGE = 1e-3
"""Keeps shapes flat in directions of which no good pixel says anything."""


def pixel_weights(spectra: Spectra, scatter: float | None) -> Float[Tensor, "star pix"]:
    r"""Weights :math:`s^2 / (\sigma_p^2 + s^2)` of the pixels of each spectrum.

    A template never fits a star to the last digit: s is the scatter of flux about the best one, so
    that below it more signal earns no more weight.

    Args:
        spectra: Normalised spectra.
        scatter: Model scatter s in units of the continuum; ``None`` weighs all good pixels alike.

    Returns:
        Weights in [0, 1]; 0 in bad pixels. Spectra without errors have equal weights.
    """
    if scatter is None:
        return spectra.good.to(spectra.flux)
    # 1 / (1 + 1/0) = 0: no mask is needed.
    ratio = spectra.ivar * scatter**2
    return ratio.reciprocal_().add_(1).reciprocal_().to(spectra.flux)


def correlation_allowed_by_noise(
    spectra: Spectra, known: Bool[Tensor, " pix"], scatter: float | None
) -> Float[Tensor, " star"]:
    r"""Correlation that a spectrum would have with itself without its noise.

    .. math:: \left[1 - \frac{\sum_p w_p \sigma_p^2}{\sum_p w_p (L_p - \bar L)^2}\right]^{1/2}

    Args:
        spectra: Normalised spectra.
        known: Pixels that the templates know.
        scatter: Model scatter of the weights, see :func:`pixel_weights`.

    Returns:
        Correlation in [0, 1]; 1 without errors, or where all pixels weigh alike whatever their
        noise.
    """
    if scatter is None:
        return torch.ones_like(spectra.has_ivar, dtype=torch.float64)
    weight = pixel_weights(spectra, scatter).mul_(known)
    depth = spectra.flux - 1  # Of flux itself the variation would be a small difference.
    weighted = weight * depth
    total, first = weight.sum(dim=1).double(), weighted.sum(dim=1).double()
    second = weighted.mul_(depth).sum(dim=1).double()
    variation = second - first.square() / total.clamp_min(1e-30)
    # w / ivar = s^2 (1 - w), which needs no division of every pixel.
    n_good = (spectra.good & known).sum(dim=1, dtype=torch.int32)
    noise = scatter**2 * (n_good - total)
    share = (1 - noise / variation.clamp_min(1e-30)).clamp(0, 1)
    return torch.where(spectra.has_ivar, share.sqrt(), 1.0)


@dataclass(frozen=True)
class WeightShapes:
    r"""Weights that change smoothly with wavelength, few enough for stars to share matrices.

    Shape (i, j) is :math:`w_p = \exp(i P_1(x_p) + j P_2(x_p))` with the Legendre polynomials of the
    wavelength scaled to [-1, 1]. A factor common to all pixels changes no correlation.

    Args:
        polynomials: P1 and P2 at the pixels.
    """

    polynomials: Float[Tensor, "pix 2"]

    @classmethod
    def on(cls, wave: Float[Tensor, " pix"]) -> "WeightShapes":
        """The shapes on a grid."""
        x = (2 * wave - wave[0] - wave[-1]) / (wave[-1] - wave[0])
        return cls(torch.stack([x, 1.5 * x.square() - 0.5], dim=1))

    @property
    def flat(self) -> int:
        """Number of the shape of equal weights."""
        return (self.n_shapes - 1) // 2

    @property
    def n_shapes(self) -> int:
        """Number of all shapes."""
        return (2 * REACH[0] + 1) * (2 * REACH[1] + 1)

    def weight(self, number: int) -> Float[Tensor, " pix"]:
        """Weights of a shape, at most 1."""
        tilt, bend = divmod(number, 2 * REACH[1] + 1)
        one, two = self.polynomials.unbind(dim=1)
        log = STEP * ((tilt - REACH[0]) * one + (bend - REACH[1]) * two)
        return (log - log.max()).exp()

    def nearest(self, weight: Float[Tensor, "star pix"]) -> Int[Tensor, " star"]:
        """Number of the shape nearest to the weights of each star.

        Polynomials are fitted to the logarithm of the mean weight of good pixels in bands of the
        grid, each band counted by its good pixels. A star's shape depends on no other star.

        Args:
            weight: Weights of the pixels; 0 in bad ones.
        """
        n_pix = weight.shape[1] // N_BANDS * N_BANDS
        total, count = (
            each[:, :n_pix].unflatten(1, (N_BANDS, -1)).sum(dim=2, dtype=torch.float32)
            for each in (weight, weight > 0)
        )
        x = self.polynomials[:n_pix].unflatten(0, (N_BANDS, -1)).mean(dim=1).float()
        column = torch.cat([torch.ones_like(x[:, :1]), x], dim=1)
        log = (total / count.clamp_min(1)).clamp_min(1e-12).log()
        share = count / count.sum(dim=1, keepdim=True).clamp_min(1)
        normal = torch.einsum("sb,bi,bj->sij", share, column, column)
        ridge = RIDGE * torch.eye(3, dtype=column.dtype, device=column.device)
        ridge[0, 0] *= RIDGE
        right = torch.einsum("sb,bi,sb->si", share, column, log)
        found = torch.linalg.solve(normal + ridge, right[:, :, None])[:, 1:, 0] / STEP
        tilt, bend = found.round().long().unbind(dim=1)
        tilt, bend = tilt.clamp(-REACH[0], REACH[0]), bend.clamp(-REACH[1], REACH[1])
        return (tilt + REACH[0]) * (2 * REACH[1] + 1) + bend + REACH[1]
