"""Labels against a reference, one to one, with the residuals beneath."""

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from torchfit.names import TEFF
from torchfit.report.figures.panels import (
    draw_open_points,
    draw_points,
    padded,
    residual_limit,
    stacked_panels,
    teff_padded,
)
from torchfit.report.metrics import SPECTRAL_CLASSES, label_residuals
from torchfit.report.rows import Row
from torchfit.report.style import (
    CLASS_COLOURS,
    INK,
    SQUARE,
    axis_name,
    label_unit,
    make_teff_axis,
    styled,
)

_ABOVE, _BELOW = 2.6, 1.0
_FEW = 50


@styled
def label_comparison(
    label: str,
    predicted: Float[np.ndarray, " star"],
    reference: Float[np.ndarray, " star"],
    teff: Float[np.ndarray, " star"],
    known: Bool[np.ndarray, " star"] | None = None,
    words: tuple[str, str] = ("published", "torchfit"),
) -> Figure:
    """Draw a label against its reference with offset and robust scatter of every class.

    Args:
        label: Name of the label.
        predicted: Values under test; pairs that are not finite are left out.
        reference: Values taken as true.
        teff: Effective temperature in K that puts a star in its class.
        known: Stars drawn as open symbols and not counted; none by default.
        words: What the reference and the values under test are called.

    Returns:
        The figure.
    """
    finite = np.isfinite(predicted) & np.isfinite(reference)
    known = np.zeros_like(finite) if known is None else known
    figure, above, below = stacked_panels(SQUARE, _ABOVE / _BELOW)
    _frame(above, below, label, reference[finite], predicted[finite])
    open_stars, counted = finite & known, finite & ~known
    for axes, ordinate in ((above, predicted), (below, predicted - reference)):
        draw_open_points(axes, reference[open_stars], ordinate[open_stars])
        draw_points(axes, reference[counted], ordinate[counted], _colours(teff[counted]))
    _write_statistics(above, label, predicted[counted], reference[counted], teff[counted])
    above.set_ylabel(axis_name(label, words[1]))
    below.set(xlabel=axis_name(label, words[0]), ylabel=f"difference ({label_unit(label)})")
    return figure


def _frame(
    above: Axes, below: Axes, label: str, reference: np.ndarray, predicted: np.ndarray
) -> None:
    """Set scales and limits, draw the line of equality, count what lies outside."""
    if label == TEFF:
        make_teff_axis(above, "x")
        make_teff_axis(above, "y")
    residual = predicted - reference
    limits, limit = _limits(label, reference, predicted), residual_limit(residual)
    above.set(xlim=limits, ylim=limits)
    above.plot(limits, limits, color=INK, linewidth=0.8)
    below.set_ylim(-limit, limit)
    outside = (np.abs(residual) > limit) | (predicted < limits[0]) | (predicted > limits[1])
    if outside.any():
        below.set_title(f"{outside.sum()} outside a panel", loc="right", fontsize=8.5)


def _limits(label: str, reference: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    """Limits that hold every reference and the bulk of the values under test."""
    if not reference.size:
        return 1.0, 2.0
    bulk = np.percentile(predicted, (0.5, 99.5)) if reference.size > _FEW else predicted
    both = np.append(reference, bulk)
    pad = teff_padded if label == TEFF else padded
    return pad(float(both.min()), float(both.max()))


def _colours(teff: np.ndarray) -> np.ndarray:
    """The colour of every star's class; ink where the temperature is unknown."""
    inside = [teff_class.contains(teff) for teff_class in SPECTRAL_CLASSES]
    return np.select(inside, [CLASS_COLOURS[each.name] for each in SPECTRAL_CLASSES], INK)


def _write_statistics(
    axes: Axes, label: str, predicted: np.ndarray, reference: np.ndarray, teff: np.ndarray
) -> None:
    rows = label_residuals(predicted[:, None], reference[:, None], (label,), teff)
    decimals = 0 if label == TEFF else 3
    for place, row in enumerate(rows):
        axes.text(
            0.03,
            0.98 - 0.07 * place,
            _statistic(row, decimals),
            color=CLASS_COLOURS[str(row["class"])],
            transform=axes.transAxes,
            verticalalignment="top",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
        )


def _statistic(row: Row, decimals: int) -> str:
    spread = f" ± {row['sigma_robust']:.{decimals}f}" if row["n"] != 1 else ""
    return f"{row['class']}:  {row['bias']:+.{decimals}f}{spread}  ({row['n']})"
