"""P3: a natural cubic spline through the good pixels, evaluated on a common grid."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.linalg import lapack
from torch import Tensor


def fill_bad(
    wave: Float[Tensor, "star pix"], flux: Float[Tensor, "star pix"], good: Bool[Tensor, "star pix"]
) -> Float[Tensor, "star pix"]:
    """Replace bad pixels by the straight line between the nearest good ones.

    The value only keeps a bad pixel from bending the spline beside it; the pixel stays bad.

    Args:
        wave: Wavelength in Angstrom, increasing.
        flux: Flux; what stands in a bad pixel, NaN included, has no weight.
        good: Pixels to trust; at least one per star, else zeros are returned.

    Returns:
        Finite flux, equal to ``flux`` where ``good``; constant beyond the outermost good pixel.
    """
    n_pix = wave.shape[1]
    pixel = torch.arange(n_pix, device=wave.device).expand_as(good)
    left = torch.where(good, pixel, -1).cummax(dim=1).values
    right = torch.where(good, pixel, n_pix).flip(1).cummin(dim=1).values.flip(1)
    left, right = torch.where(left < 0, right, left), torch.where(right == n_pix, left, right)
    left, right = left.clamp(0, n_pix - 1), right.clamp(0, n_pix - 1)
    clean = torch.where(good, flux, 0.0)
    wave_left, flux_left = wave.gather(1, left), clean.gather(1, left)
    span = wave.gather(1, right) - wave_left
    slope = (clean.gather(1, right) - flux_left) / torch.where(span > 0, span, 1.0)
    return torch.where(good, clean, flux_left + slope * (wave - wave_left))


def spline_curvature(
    wave: Float[Tensor, "star pix"], flux: Float[Tensor, "star pix"], good: Bool[Tensor, "star pix"]
) -> Float[Tensor, "star pix"]:
    r"""Second derivatives of the natural cubic spline at its knots.

    Solves :math:`h_{i-1} M_{i-1} + 2 (h_{i-1} + h_i) M_i + h_i M_{i+1} = 6 (s_i - s_{i-1})` with
    :math:`h` the knot spacing and :math:`s` the slopes. The spline ends at the outermost good
    knots, :math:`M = 0` there and beyond, so that the padding of a short spectrum does not bend it.

    Args:
        wave: Knots, strictly increasing.
        flux: Finite values at the knots.
        good: Knots that count; the bad ones in between are filled.

    Returns:
        The second derivative :math:`M`, flux per square Angstrom.

    References:
        Press et al. 2007, Numerical Recipes, section 3.3.
    """
    step = wave.diff(dim=1)
    inner = (good.cumsum(dim=1) > good.long()) & (good.flip(1).cumsum(dim=1).flip(1) > good.long())
    inner[:, 0] = inner[:, -1] = False
    diagonal, value = torch.ones_like(flux), torch.zeros_like(flux)
    middle = inner[:, 1:-1]
    diagonal[:, 1:-1] = torch.where(middle, 2 * (step[:, :-1] + step[:, 1:]), 1.0)
    value[:, 1:-1] = torch.where(middle, 6 * (flux.diff(dim=1) / step).diff(dim=1), 0.0)
    beside = torch.where(inner[:, :-1] & inner[:, 1:], step, 0.0)
    rows = zip(diagonal.numpy(), beside.numpy(), value.numpy(), strict=True)
    # Positive definite and tridiagonal; a star by itself, so that no overflow spoils another.
    solved = [lapack.dptsv(*row)[2] for row in rows]
    return torch.from_numpy(np.stack(solved)).to(flux)


def resample(
    wave: Float[Tensor, "star pix"],
    flux: Float[Tensor, "star pix"],
    ivar: Float[Tensor, "star pix"],
    grid: Float[Tensor, " grid"],
) -> tuple[Float[Tensor, "star grid"], Float[Tensor, "star grid"]]:
    r"""Evaluate every spectrum on a common grid.

    A new pixel is good only when both old pixels around it are good. Its inverse variance keeps
    the information per Angstrom: the interpolated variance times the ratio of the old to the new
    pixel width, so that a finer grid invents no signal.

    Args:
        wave: Wavelength in Angstrom, each star its own, strictly increasing.
        flux: Flux; bad pixels may hold anything.
        ivar: Inverse variance; 0 marks a bad pixel.
        grid: New wavelengths in Angstrom, increasing.

    Returns:
        Flux and inverse variance on ``grid``; both 0 where a pixel is bad or outside ``wave``.
    """
    good = (ivar > 0) & flux.isfinite()
    filled = fill_bad(wave, flux, good)
    curvature = spline_curvature(wave, filled, good)
    target = grid.expand(len(wave), -1)
    knot = _knots(wave, grid).clamp(0, wave.shape[1] - 2)
    low, high = _both(wave, knot)
    share = (target - low) / (high - low)
    new_flux = _spline(_both(filled, knot), _both(curvature, knot), share, high - low)
    left, right = _both(torch.where(good, ivar, 0.0), knot)
    # A knot that is hit exactly stands alone.
    left, right = torch.where(share == 1, right, left), torch.where(share == 0, left, right)
    inside = (share >= 0) & (share <= 1) & (left > 0) & (right > 0)
    new_ivar = torch.gradient(grid)[0] / (high - low) * _interpolated_ivar(left, right, share)
    return torch.where(inside, new_flux, 0.0), torch.where(inside, new_ivar, 0.0)


def _knots(
    wave: Float[Tensor, "star pix"], grid: Float[Tensor, " grid"]
) -> Int[Tensor, "star grid"]:
    """The last knot that is not beyond each target; -1 for none."""
    # numpy goes on from the place of the last target, and so is twice as fast as torch.
    found = [np.searchsorted(knots, grid.numpy(), side="right") for knots in wave.numpy()]
    return torch.from_numpy(np.stack(found)) - 1


def _both(
    values: Float[Tensor, "star pix"], knot: Int[Tensor, "star grid"]
) -> tuple[Float[Tensor, "star grid"], Float[Tensor, "star grid"]]:
    """Values at the knots on both sides of every target."""
    return values.gather(1, knot), values.gather(1, knot + 1)


def _spline(
    flux: tuple[Float[Tensor, "star grid"], Float[Tensor, "star grid"]],
    curvature: tuple[Float[Tensor, "star grid"], Float[Tensor, "star grid"]],
    share: Float[Tensor, "star grid"],
    width: Float[Tensor, "star grid"],
) -> Float[Tensor, "star grid"]:
    """The spline at a share of the way between two knots."""
    rest = 1 - share
    line = rest * flux[0] + share * flux[1]
    bend = rest * (rest * rest - 1) * curvature[0] + share * (share * share - 1) * curvature[1]
    return line + bend * width * width / 6


def _interpolated_ivar(
    left: Float[Tensor, "star grid"],
    right: Float[Tensor, "star grid"],
    share: Float[Tensor, "star grid"],
) -> Float[Tensor, "star grid"]:
    """Inverse of the variance on the straight line between two positive inverse variances."""
    return left * right / ((1 - share) * right + share * left)
