"""P3: a natural cubic spline through the good pixels, evaluated on a common grid."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def fill_bad(
    wave: Float[Tensor, "star pix"], flux: Float[Tensor, "star pix"], good: Bool[Tensor, "star pix"]
) -> Float[Tensor, "star pix"]:
    """Replace bad pixels by the straight line between the nearest good ones.

    The value only keeps a bad pixel from bending the spline beside it; the pixel stays bad.

    Args:
        wave: Wavelength in Angstrom, increasing.
        flux: Flux; what stands in a bad pixel, NaN included, has no say.
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
    :math:`h` the knot spacing and :math:`s` the slopes, by the Thomas algorithm: one sweep down
    and one up, all stars at once. The spline ends at the outermost good knots, :math:`M = 0` there
    and beyond, so that the padding of a short spectrum does not bend it.

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
    slope = flux.diff(dim=1) / step
    diagonal = (2 * (step[:, :-1] + step[:, 1:])).unbind(1)
    right_side = (6 * slope.diff(dim=1)).unbind(1)
    spacing = step.unbind(1)
    inner = (good.cumsum(dim=1) > good.long()) & (good.flip(1).cumsum(dim=1).flip(1) > good.long())
    inside = inner[:, 1:-1].to(flux).unbind(1)
    upper, value = [torch.zeros_like(spacing[0])], [torch.zeros_like(spacing[0])]
    for below, main, above, rhs, bends in zip(
        spacing, diagonal, spacing[1:], right_side, inside, strict=False
    ):
        pivot = main - below * upper[-1]
        upper.append(bends * above / pivot)
        value.append(bends * (rhs - below * value[-1]) / pivot)
    curvature = [torch.zeros_like(spacing[0])]
    for ratio, offset in zip(reversed(upper), reversed(value), strict=True):
        curvature.append(offset - ratio * curvature[-1])
    return torch.stack(curvature[::-1], dim=1)


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
    target = grid.expand(len(wave), -1).contiguous()
    knot = (torch.searchsorted(wave, target, right=True) - 1).clamp(0, wave.shape[1] - 2)
    new_flux = _evaluate(wave, filled, good, knot, target)
    inside = (target >= wave[:, :1]) & (target <= wave[:, -1:])
    new_good = inside & _around(good, knot, target, wave)
    new_ivar = torch.where(new_good, _information(wave, ivar, knot, grid), 0.0)
    return torch.where(new_good, new_flux, 0.0), new_ivar


def _evaluate(
    wave: Float[Tensor, "star pix"],
    flux: Float[Tensor, "star pix"],
    good: Bool[Tensor, "star pix"],
    knot: Int[Tensor, "star grid"],
    target: Float[Tensor, "star grid"],
) -> Float[Tensor, "star grid"]:
    """The spline at ``target``, which lies between knots ``knot`` and ``knot + 1``."""
    curvature = spline_curvature(wave, flux, good)
    low, high = wave.gather(1, knot), wave.gather(1, knot + 1)
    width = high - low
    a, b = (high - target) / width, (target - low) / width
    line = a * flux.gather(1, knot) + b * flux.gather(1, knot + 1)
    bend = (a**3 - a) * curvature.gather(1, knot) + (b**3 - b) * curvature.gather(1, knot + 1)
    return line + bend * width**2 / 6


def _around(
    good: Bool[Tensor, "star pix"],
    knot: Int[Tensor, "star grid"],
    target: Float[Tensor, "star grid"],
    wave: Float[Tensor, "star pix"],
) -> Bool[Tensor, "star grid"]:
    """Whether the old pixels on both sides are good; one that is hit exactly stands alone."""
    left, right = good.gather(1, knot), good.gather(1, knot + 1)
    on_left, on_right = target == wave.gather(1, knot), target == wave.gather(1, knot + 1)
    return (left | on_right) & (right | on_left)


def _information(
    wave: Float[Tensor, "star pix"],
    ivar: Float[Tensor, "star pix"],
    knot: Int[Tensor, "star grid"],
    grid: Float[Tensor, " grid"],
) -> Float[Tensor, "star grid"]:
    """Inverse variance of the new pixels at equal information per Angstrom."""
    low, high = wave.gather(1, knot), wave.gather(1, knot + 1)
    share = ((grid - low) / (high - low)).clamp(0, 1)
    left, right = ivar.gather(1, knot), ivar.gather(1, knot + 1)
    variance = (1 - share) / left.clamp_min(1e-300) + share / right.clamp_min(1e-300)
    step = torch.gradient(grid)[0]
    return step / (high - low) / variance
