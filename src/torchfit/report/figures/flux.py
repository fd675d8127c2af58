"""Emulated flux against observed flux, pixel by pixel."""

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from torchfit.report.figures.panels import draw_density, padded
from torchfit.report.rows import format_value
from torchfit.report.style import INK, SQUARE, new_figure, styled

_DRAWN = 5_000_000
"""Number of pixels drawn; a regular sample stands for more."""


@styled
def flux_comparison(
    flux: Float[np.ndarray, " value"], model: Float[np.ndarray, " value"], title: str
) -> Figure:
    """Draw the density of emulated against observed flux with mean and scatter written in.

    Args:
        flux: Observed normalised flux of the good pixels of many stars.
        model: Emulated flux of the same pixels.
        title: Which stars these are.

    Returns:
        The figure.
    """
    figure = new_figure((SQUARE[0], 0.85 * SQUARE[0]))
    axes = figure.subplots()
    step = max(1, flux.size // _DRAWN)
    limits = _limits(flux[::step])
    axes.set(xlim=limits, ylim=limits)
    draw_density(axes, flux[::step], model[::step])
    axes.plot(limits, limits, color=INK, linewidth=0.8)
    axes.set(xlabel="observed normalised flux", ylabel="emulated normalised flux", title=title)
    residual = flux - model
    mean, sigma = residual.mean(dtype=float), residual.std(dtype=float)
    words = f"mean {format_value(float(mean))}\nσ {format_value(float(sigma))}"
    axes.text(0.04, 0.96, words, transform=axes.transAxes, verticalalignment="top")
    return figure


def _limits(flux: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(flux, (0.02, 99.98))
    return padded(float(low), float(high))
