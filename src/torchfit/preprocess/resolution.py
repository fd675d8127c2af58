"""Matching of resolutions: a Gaussian convolution over good pixels, and its approximate inverse."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

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


def _pass(
    values: Float[Tensor, "star pix"], share: Float[Tensor, "#star #pix"]
) -> Float[Tensor, "star pix"]:
    """Every pixel gets a share of its two neighbours; there is nothing beyond the edges."""
    padded = torch.nn.functional.pad(values, (1, 1))
    return values + share * (padded[:, :-2] - 2 * values + padded[:, 2:])
