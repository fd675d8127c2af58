"""Matching of resolutions: a Gaussian convolution over good pixels, and its approximate inverse."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchfit.names import FWHM_PER_SIGMA
from torchfit.spectra import slices

SAME = 1e-6
"""Relative difference below which two resolutions are one: files have single precision."""
_STEP = 1 / 6
"""Share of its flux that a pixel gives to each neighbour in a pass, at most: with this one the
passes have the fourth moment of a Gaussian too."""
_AT_ONCE = 256
"""Stars per round: their intermediate arrays stay in the cache of a processor."""


def broaden(
    flux: Float[Tensor, "star pix"],
    good: Bool[Tensor, "star pix"],
    variance: Float[Tensor, "#star #pix"],
) -> Float[Tensor, "star pix"]:
    r"""Convolve with a Gaussian that differs from pixel to pixel, leaving bad pixels out.

    .. math:: \tilde F = D^n (w F) / D^n w, \quad
        (D x)_i = x_i + a_i (x_{i-1} - 2 x_i + x_{i+1}), \quad a_i = \sigma_i^2 / (2 n)

    with w = 1 in good pixels and 0 elsewhere, so that no flux leaks out of a mask. The kernel of n
    such passes has the variance :math:`\sigma^2` exactly, however narrow it is against a pixel,
    where a sampled Gaussian has not. A negative variance makes lines narrower: right to first order
    in it, at the price of noise, of which a pass amplifies no more than to 5/3.

    Args:
        flux: Flux on an even grid.
        good: Pixels that count.
        variance: Variance of the Gaussian in square pixels.

    Returns:
        Convolved flux in good pixels, 0 elsewhere.

    References:
        Lindeberg 1990, IEEE PAMI 12, 234 (discrete scale space).
    """
    n_passes = math.ceil(float(variance.abs().max()) / (2 * _STEP))
    shares = (variance / max(1, 2 * n_passes)).expand_as(flux)
    broad = torch.empty_like(flux)
    for rows in slices(len(flux), _AT_ONCE):
        share, total, norm = (
            shares[rows],
            torch.where(good[rows], flux[rows], 0.0),
            good[rows].to(flux),
        )
        for _ in range(n_passes):
            total, norm = _pass(total, share), _pass(norm, share)
        broad[rows] = torch.where(good[rows], total / torch.where(good[rows], norm, 1.0), 0.0)
    return broad


def smooth_to(
    wave: Float[Tensor, "star pix"],
    flux: Float[Tensor, "star pix"],
    good: Bool[Tensor, "star pix"],
    own: Float[Tensor, "star pix"],
    target: Float[Tensor, "star pix"],
) -> Float[Tensor, "star pix"]:
    r"""Bring spectra to a resolution, on their own pixels; none is made sharper.

    Each is convolved with the Gaussian that is missing, of variance
    :math:`\max(0, \sigma_\mathrm{target}^2 - \sigma_\mathrm{own}^2)`. Nothing passes over a gap in
    the wavelengths, as between the arms of a spectrograph.

    Args:
        wave: Wavelength in Angstrom, increasing.
        flux: Flux.
        good: Pixels that count.
        own: Standard deviation of the line-spread function in Angstrom; not positive or not finite
            where it is not known, and nothing is changed.
        target: That to bring them to.

    Returns:
        Flux; bad pixels keep what they hold.
    """
    step = wave.diff(dim=1)
    width = torch.maximum(*(torch.nn.functional.pad(step, pad) for pad in ((1, 0), (0, 1))))
    known = own.isfinite() & (own > 0)
    missing = torch.where(known, target.square() - own.square(), 0.0).clamp_min(0)
    missing = torch.where(missing > SAME * target.square(), missing, 0.0)
    return torch.where(good, broaden(flux, good, missing / width.square()), flux)


def on_pixels(
    wave: Float[Tensor, "star pix"], grid: Float[Tensor, " grid"], fwhm: Float[Tensor, " grid"]
) -> Float[Tensor, "star pix"]:
    """Standard deviation of a line-spread function that is known on a grid, at other pixels.

    Args:
        wave: Wavelength in Angstrom.
        grid: Wavelengths of the grid, increasing.
        fwhm: Full width at half maximum in Angstrom.

    Returns:
        Straight lines between the wavelengths of the grid, constant beyond.
    """
    high = torch.searchsorted(grid, wave).clamp(1, len(grid) - 1)
    share = ((wave - grid[high - 1]) / (grid[high] - grid[high - 1])).clamp(0, 1)
    return torch.lerp(fwhm[high - 1], fwhm[high], share) / FWHM_PER_SIGMA


def _pass(
    values: Float[Tensor, "star pix"], share: Float[Tensor, "#star #pix"]
) -> Float[Tensor, "star pix"]:
    """Every pixel gets a share of its two neighbours; there is nothing beyond the edges."""
    padded = torch.nn.functional.pad(values, (1, 1))
    return values + share * (padded[:, :-2] - 2 * values + padded[:, 2:])
