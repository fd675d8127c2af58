"""Two quantities of many stars against each other: points while they are few, then a density."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from torchfit.report.figures.panels import draw_points, padded, teff_padded
from torchfit.report.style import RESIDUAL, SQUARE, make_teff_axis, new_figure, styled

_BULK = (0.05, 99.95)
_MANY = 2000


@dataclass(frozen=True)
class Axis:
    """One axis of a density.

    Args:
        name: What stands along it.
        values: Value of every star; those that are not finite are left out.
        is_teff: Whether it is a temperature in K, drawn on a logarithmic scale.
        reversed: Whether it falls to the right, or upwards.
    """

    name: str
    values: Float[np.ndarray, " star"]
    is_teff: bool = False
    reversed: bool = False

    def limits(self, drawn: np.ndarray) -> tuple[float, float]:
        """Limits that hold all of a few values and the bulk of many."""
        values = self.values[drawn]
        low, high = np.percentile(values, _BULK if values.size > _MANY else (0.0, 100.0))
        low, high = (teff_padded if self.is_teff else padded)(float(low), float(high))
        return (high, low) if self.reversed else (low, high)


@styled
def density_figure(x: Axis, y: Axis) -> Figure:
    """Draw one quantity against another; colour is the number of stars on a logarithmic scale.

    Args:
        x: The abscissa.
        y: The ordinate.

    Returns:
        The figure.
    """
    figure = new_figure((SQUARE[0], 0.9 * SQUARE[0]))
    draw_density_panel(figure.subplots(), x, y)
    return figure


def draw_density_panel(axes: Axes, x: Axis, y: Axis) -> None:
    """Draw one quantity against another into a panel.

    Args:
        axes: The panel.
        x: The abscissa.
        y: The ordinate.
    """
    drawn = np.isfinite(x.values) & np.isfinite(y.values)
    axes.set(xlabel=x.name, ylabel=y.name)
    if not drawn.any():
        return
    for axis, which in ((x, "x"), (y, "y")):
        if axis.is_teff:
            make_teff_axis(axes, "x" if which == "x" else "y")
    axes.set(xlim=x.limits(drawn), ylim=y.limits(drawn))
    draw_points(axes, x.values[drawn], y.values[drawn], np.full(drawn.sum(), RESIDUAL))
