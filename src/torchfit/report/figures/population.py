"""The stars of a survey as a whole: where they lie, and how well they are fitted."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

from torchfit.files.table_pieces import Table
from torchfit.names import FE_H, LOGG, TEFF
from torchfit.report.figures.panels import MANY, draw_density, marker_size, padded, teff_padded
from torchfit.report.rows import format_value
from torchfit.report.style import (
    DENSITY,
    FAINT,
    INK,
    MODEL,
    RESIDUAL,
    SQUARE,
    WIDE,
    axis_name,
    make_teff_axis,
    new_figure,
    styled,
)

_FE_H_RANGE = (-2.0, 0.5)
_LEAST_TEFF = (4000.0, 7000.0)
_LEAST_LOGG = (1.0, 5.0)


@styled
def kiel_diagram(
    table: Table,
    library_labels: Float[np.ndarray, "template label"] | None,
    labels: Sequence[str],
) -> Figure:
    """Draw surface gravity against effective temperature, coloured by iron abundance.

    Args:
        table: The result table; stars without finite ``teff``, ``logg`` and ``fe_h`` are left out.
        library_labels: Labels of the library, drawn faint behind; ``None`` for none.
        labels: Names of the label axis of ``library_labels``.

    Returns:
        The figure.
    """
    stars = table[[TEFF, LOGG, FE_H]].to_numpy(dtype=float)
    stars = stars[np.isfinite(stars).all(axis=1)]
    places = [labels.index(label) for label in (TEFF, LOGG, FE_H)]
    library = np.empty((0, 3)) if library_labels is None else library_labels[:, places]
    figure = new_figure((SQUARE[0] * 1.25, SQUARE[1]))
    axes = figure.subplots()
    _frame(axes, np.concatenate([stars, library]))
    axes.scatter(library[:, 0], library[:, 1], s=6, color=FAINT, linewidths=0, label="library")
    if len(library):
        axes.legend(loc="upper left", markerscale=2.0)
    drawn = _draw_stars(axes, stars)
    drawn.set_clim(*_FE_H_RANGE)
    figure.colorbar(drawn, ax=axes, label=axis_name(FE_H), extend="both", aspect=30)
    return figure


def _frame(axes: Axes, stars: np.ndarray) -> None:
    """Reverse both axes and show at least the main sequence and the giants."""
    make_teff_axis(axes, "x")
    teff, logg = np.append(stars[:, 0], _LEAST_TEFF), np.append(stars[:, 1], _LEAST_LOGG)
    axes.set(xlabel=axis_name(TEFF), ylabel=axis_name(LOGG))
    axes.set_xlim(teff_padded(np.nanmin(teff), np.nanmax(teff))[::-1])
    axes.set_ylim(padded(np.nanmin(logg), np.nanmax(logg))[::-1])


def _draw_stars(axes: Axes, stars: np.ndarray) -> Collection:
    teff, logg, fe_h = stars.T
    if len(stars) > MANY:
        return draw_density(axes, teff, logg, fe_h)
    return axes.scatter(teff, logg, c=fe_h, s=marker_size(len(stars)), cmap=DENSITY)


@styled
def chi2_histogram(rchi2: Float[np.ndarray, " star"]) -> Figure:
    """Draw the histogram of the reduced chi-squared on a logarithmic axis.

    Args:
        rchi2: Chi-squared per degree of freedom; only finite positive values are drawn.

    Returns:
        The figure.
    """
    drawn = rchi2[np.isfinite(rchi2) & (rchi2 > 0)]
    figure = new_figure(WIDE)
    axes = figure.subplots()
    axes.set(xscale="log", xlabel="reduced chi-squared", ylabel="stars")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    if drawn.size:
        n_bins = int(np.clip(2.0 * np.sqrt(drawn.size), 8, 60))
        edges = np.geomspace(drawn.min() / 1.2, drawn.max() * 1.2, n_bins + 1)
        axes.hist(drawn, edges.tolist(), color=RESIDUAL, alpha=0.8)
        median = float(np.median(drawn))
        axes.axvline(median, color=MODEL, label=f"median {format_value(median)}")
    axes.axvline(1.0, color=INK, linestyle="--", label="expected 1")
    axes.legend()
    return figure
