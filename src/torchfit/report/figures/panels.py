"""What several figures share: limits, a residual panel, and points that become a density."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from torchfit.report.style import DENSITY, INK, new_figure

MANY = 5000
"""Number of points from which a density is drawn."""

_CELL = 3.5
"""Size of a cell of a density, in pixels of matplotlib's usual 100 to the inch."""


def stacked_panels(size: tuple[float, float], ratio: float) -> tuple[Figure, Axes, Axes]:
    """Return a figure with a panel and, beneath it on the same axis, one for the residuals.

    Args:
        size: Width and height in inches.
        ratio: Height of the upper panel over that of the lower one.

    Returns:
        The figure, the upper and the lower panel.
    """
    figure = new_figure(size)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(ratio, 1.0))
    below.axhline(0.0, color=INK, linewidth=0.8)
    figure.align_ylabels()
    return figure, above, below


def padded(low: float, high: float, share: float = 0.05) -> tuple[float, float]:
    """Return limits a ``share`` wider on both sides; a single value gets room around it."""
    pad = share * (high - low) or share * abs(high) or share
    return low - pad, high + pad


def teff_padded(low: float, high: float) -> tuple[float, float]:
    """Return limits of a logarithmic axis of temperatures; nothing below 1 K can be drawn."""
    low, high = padded(float(np.log10(max(low, 1.0))), float(np.log10(max(high, 1.0))), 0.03)
    return 10.0**low, 10.0**high


def residual_limit(residual: np.ndarray) -> float:
    """Return the half-height of a residual panel: all of a few values, the bulk of many.

    Args:
        residual: Residuals; values that are not finite are ignored.

    Returns:
        A positive number in the unit of ``residual``.
    """
    sizes = np.abs(residual[np.isfinite(residual)])
    if not sizes.size:
        return 1.0
    return float(1.3 * np.percentile(sizes, 98.0 if sizes.size > 50 else 100.0)) or 1.0


def draw_points(axes: Axes, x: np.ndarray, y: np.ndarray, colours: np.ndarray) -> None:
    """Draw points inside the limits of ``axes``: one by one if few, as a density if many.

    Args:
        axes: Panel with its scales and limits set.
        x: Abscissae.
        y: Ordinates.
        colours: Colour of every point, for single points.
    """
    if x.size > MANY:
        draw_density(axes, x, y)
    else:
        axes.scatter(x, y, s=marker_size(x.size), c=colours, alpha=0.7, linewidths=0)


def draw_density(
    axes: Axes, x: np.ndarray, y: np.ndarray, values: np.ndarray | None = None
) -> QuadMesh:
    """Draw cells coloured by the number of points in them, or by the mean of ``values``.

    Args:
        axes: Panel with its scales and limits set.
        x: Abscissae.
        y: Ordinates.
        values: What to colour by; the number of points, on a logarithmic scale, if ``None``.

    Returns:
        The cells, for a colour bar.
    """
    edges = _edges(axes)
    counts = np.histogram2d(x, y, edges)[0]
    shown = np.where(counts > 0, counts, np.nan)
    if values is not None:
        shown = np.histogram2d(x, y, edges, weights=values)[0] / shown
    norm = LogNorm() if values is None and counts.any() else None
    return axes.pcolormesh(*edges, shown.T, cmap=DENSITY, norm=norm)


def _edges(axes: Axes) -> list[np.ndarray]:
    """Edges of nearly square cells between the limits, even on the scale of each axis."""
    scales, limits = (axes.get_xscale(), axes.get_yscale()), (axes.get_xlim(), axes.get_ylim())
    return [
        (np.geomspace if scale == "log" else np.linspace)(min(ends), max(ends), int(size / _CELL))
        for scale, ends, size in zip(scales, limits, axes.bbox.size, strict=True)
    ]


def draw_open_points(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Draw points as open symbols: shown, but not counted."""
    axes.scatter(x, y, s=16, facecolors="none", edgecolors=INK, linewidths=0.6)


def marker_size(n_points: int) -> float:
    """Return the area of a marker, smaller the more points there are."""
    return float(np.clip(6000 / max(n_points, 1), 5.0, 26.0))
