"""How well stars are fitted, against their signal-to-noise ratio, class by class."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from torchfit.files.table_pieces import Table
from torchfit.flags.change_point import binned_medians
from torchfit.flags.judgement import mean_square
from torchfit.report.figures.panels import draw_points
from torchfit.report.style import INK, MODEL, RESIDUAL, WIDE, new_figure, styled

_COLUMNS = 3
_N_BINS = 20
_FEW = 10
_BULK = (0.2, 99.8)


@styled
def misfit_figure(
    table: Table, snr: Float[np.ndarray, " star"], thresholds: Mapping[str, float]
) -> Figure:
    """Draw the mean squared residual against S/N with running medians, as Fig. 11.

    That is the paper's chi-squared: it falls with the noise until the model's own error is left.

    Args:
        table: The catalogue.
        snr: Signal-to-noise ratio of every star in the band of its class.
        thresholds: Threshold by class, for the classes to draw.

    Returns:
        The figure.
    """
    n_rows = -(-len(thresholds) // _COLUMNS)
    figure = new_figure((WIDE[0], 2.0 * n_rows + 0.5))
    panels = figure.subplots(n_rows, _COLUMNS, squeeze=False).ravel()
    misfit = mean_square(table)
    drawn = np.isfinite(snr) & (snr > 0) & np.isfinite(misfit) & (misfit > 0)
    for axes, (name, threshold) in zip(panels, thresholds.items(), strict=False):
        inside = drawn & (table["spectral_class"] == name).to_numpy()
        axes.set_title(f"{name}: {inside.sum()} stars")
        if inside.any():
            _draw(axes, snr[inside], misfit[inside], threshold)
    for axes in panels[len(thresholds) :]:
        axes.set_visible(False)
    figure.supxlabel("signal-to-noise ratio", fontsize=10.5)
    figure.supylabel("mean squared residual", fontsize=10.5)
    return figure


def _draw(axes: Axes, snr: np.ndarray, misfit: np.ndarray, threshold: float) -> None:
    axes.set(xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_locator(NullLocator())
    axes.set(xlim=_limits(snr), ylim=_limits(misfit))
    draw_points(axes, snr, misfit, np.full(snr.size, RESIDUAL))
    if snr.size > _FEW:
        axes.plot(*binned_medians(snr, misfit, min(_N_BINS, snr.size // 5)), color=MODEL)
    axes.axvline(threshold, color=INK, linestyle="--")


def _limits(values: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(values, _BULK)
    return float(low) / 1.3, float(high) * 1.3
