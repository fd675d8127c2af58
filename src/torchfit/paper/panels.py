"""What several figures of the paper share: colours of six classes, panels, plain ticks."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, NullLocator, StrMethodFormatter

from torchfit.report.style import WIDE, new_figure

COLOURS = {
    "M": "#d55e00", "K": "#e69f00", "G": "#009e73", "F": "#56b4e9", "A": "#0072b2", "OB": "#aa4499",
}  # fmt: skip
"""Colours of the six spectral classes, after Okabe & Ito 2008 and Tol 2021."""

_COLUMNS = 3
_SUBS = ((30.0, (1.0,)), (5.0, (1.0, 3.0)), (0.0, (1.0, 1.5, 2.0, 3.0, 5.0)))
"""Numbers of a decade that stand on an axis, by how far it reaches."""


def class_panels(names: Sequence[str], height: float = 2.2) -> tuple[Figure, dict[str, Axes]]:
    """A figure with a panel for each name, three in a row.

    Args:
        names: What stands above the panels; at least one.
        height: Of a row in inches.

    Returns:
        The figure, and its panels by name.
    """
    n_rows = -(-len(names) // _COLUMNS)
    figure = new_figure((WIDE[0], height * n_rows + 0.6))
    panels = figure.subplots(n_rows, _COLUMNS, squeeze=False).ravel()
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    for axes, name in zip(panels, names, strict=False):
        axes.set_title(name)
    return figure, dict(zip(names, panels, strict=False))


def few_decades(axes: Axes, which: Literal["x", "y"]) -> None:
    """Give an axis a logarithmic scale with at most four plain numbers.

    Args:
        axes: The panel, with its limits set.
        which: Which of its axes.
    """
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    subs = next(subs for span, subs in _SUBS if high / low > span)
    axis.set_major_locator(LogLocator(subs=subs, numticks=4))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_locator(NullLocator())


def logarithmic(axes: Axes, which: Literal["x", "y"], ticks: Sequence[float | int]) -> None:
    """Give an axis a logarithmic scale with plain numbers at given places.

    Args:
        axes: The panel.
        which: Which of its axes.
        ticks: Where numbers stand, at most five of them.
    """
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    step = -(-len(ticks) // 5)
    axis.set_major_locator(FixedLocator(np.asarray(ticks, dtype=float)[::step].tolist()))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_locator(NullLocator())
