"""The highest peak of a correlation between its pixels, how sharp it is, and the next one."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

_NEWTON_STEPS = 4
MARGIN = 2
"""Shifts at both ends that no peak stands on: they are its neighbours."""


@dataclass(frozen=True)
class Peak:
    """The highest peak of a curve.

    Args:
        place: Where it is, in steps from the middle of the curve.
        height: How high.
        curvature: Second derivative there, negative, per squared step.
        second: Height of the next peak beyond the nearest minima, at least 0; 0 where there is
            none.
        at_end: Whether the curve still rises towards an end of what was searched.
    """

    place: Float[Tensor, " star"]
    height: Float[Tensor, " star"]
    curvature: Float[Tensor, " star"]
    second: Float[Tensor, " star"]
    at_end: Tensor


def find_peak(curve: Float[Tensor, "star shift"]) -> Peak:
    """Find the highest peak: the maximum of the quartic through five points.

    A parabola through three points is off by a percent of a step, systematically.

    Args:
        curve: Values at an odd number of even steps.

    Returns:
        The peak.
    """
    middle = curve.shape[1] // 2
    inner = curve[:, MARGIN : curve.shape[1] - MARGIN]
    top = inner.argmax(dim=1) + MARGIN
    rows = torch.arange(len(curve), device=curve.device)
    near = curve[rows[:, None], top[:, None] + torch.arange(-MARGIN, MARGIN + 1, device=top.device)]
    at_end = (near[:, 2] < near[:, 1]) | (near[:, 2] < near[:, 3])
    offset, height, curvature = _quartic_maximum(near)
    return Peak(
        place=(top - middle).to(curve) + torch.where(at_end, 0.0, offset),
        height=torch.where(at_end, near[:, 2], height),
        curvature=curvature,
        second=_second(curve, top),
        at_end=at_end,
    )


def _quartic_maximum(near: Float[Tensor, "star 5"]) -> tuple[Tensor, Tensor, Tensor]:
    """Place, height and curvature of the maximum of quartics through points at -2 ... 2."""
    far_low, low, top, high, far_high = near.unbind(dim=1)
    even, far_even = low + high - 2 * top, far_low + far_high - 2 * top
    odd, far_odd = high - low, far_high - far_low
    # Coefficients of x, x^2, x^3, x^4.
    a = (8 * odd - far_odd) / 12
    b = (16 * even - far_even) / 24
    c = (far_odd - 2 * odd) / 12
    d = (far_even - 4 * even) / 24
    x = torch.zeros_like(top)
    for _ in range(_NEWTON_STEPS):
        slope = a + x * (2 * b + x * (3 * c + x * 4 * d))
        bend = 2 * b + x * (6 * c + x * 12 * d)
        x = (x - slope / torch.where(bend < 0, bend, -torch.inf)).clamp(-1, 1)
    height = top + x * (a + x * (b + x * (c + x * d)))
    return x, height, 2 * b + x * (6 * c + x * 12 * d)


def _second(
    curve: Float[Tensor, "star shift"], top: Int[Tensor, " star"]
) -> Float[Tensor, " star"]:
    """Height of the highest local maximum beside the highest of all."""
    middle = curve[:, 1:-1]
    peak = (middle > curve[:, :-2]) & (middle >= curve[:, 2:])
    place = torch.arange(1, curve.shape[1] - 1, device=curve.device)
    others = peak & (place != top[:, None])
    return torch.where(others, middle, 0.0).amax(dim=1).clamp_min(0)
