"""Where a falling curve becomes flat."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_CANDIDATES = 400


@dataclass(frozen=True)
class Hinge:
    r"""A line that falls to a level and stays there.

    .. math:: y = level + slope \\cdot \\min(x - knee, 0)

    Args:
        knee: Where the line becomes flat.
        level: Its value from there on.
        slope: Its slope before.
        explained: Share of the variance of the points that the hinge explains, at most 1.
    """

    knee: float
    level: float
    slope: float
    explained: float


def binned_medians(
    x: Float[np.ndarray, " star"], y: Float[np.ndarray, " star"], n_bins: int
) -> tuple[Float[np.ndarray, " bin"], Float[np.ndarray, " bin"]]:
    """Medians of both coordinates in bins that hold equally many stars.

    Args:
        x: Abscissae, finite.
        y: Ordinates, finite.
        n_bins: Number of bins; at most one per star.

    Returns:
        Median abscissa and ordinate of every bin, by rising abscissa.
    """
    order = np.array_split(np.argsort(x, kind="stable"), min(n_bins, x.size))
    medians = [[np.median(x[star]), np.median(y[star])] for star in order]
    return np.array(medians)[:, 0], np.array(medians)[:, 1]


def fit_hinge(x: Float[np.ndarray, " bin"], y: Float[np.ndarray, " bin"]) -> Hinge:
    """Fit a hinge by least squares, its knee on a fine grid between the second and last points.

    Args:
        x: Rising abscissae of at least four points.
        y: Ordinates.

    Returns:
        The best hinge.

    References:
        Muggeo 2003, Statistics in Medicine 22, 3055: regression with unknown break points.
    """
    knees = np.linspace(x[1], x[-2], _CANDIDATES)
    ramp = np.minimum(x - knees[:, None], 0.0)
    centred = ramp - ramp.mean(axis=1, keepdims=True)
    deviation = y - y.mean()
    width = (centred**2).sum(axis=1)
    slope = np.divide(centred @ deviation, width, out=np.zeros_like(width), where=width > 0)
    left = ((deviation - slope[:, None] * centred) ** 2).sum(axis=1)
    best = int(left.argmin())
    total = float((deviation**2).sum())
    return Hinge(
        knee=float(knees[best]),
        level=float(y.mean() - slope[best] * ramp[best].mean()),
        slope=float(slope[best]),
        explained=1.0 - float(left[best]) / total if total > 0 else 0.0,
    )
