"""One restrained look for every figure: sizes, colours safe for the colour-blind, label names."""

from collections.abc import Callable
from functools import wraps
from typing import Literal, ParamSpec, TypeVar

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from torchfit.catalogue.schema import difference_unit
from torchfit.names import ALPHA_FE, FE_H, LOGG, TEFF, label_of

P = ParamSpec("P")
R = TypeVar("R")

DPI = 150
"""Resolution of a figure on the page."""

SQUARE = (5.2, 5.6)
"""Width and height in inches of a figure that shares its row on the page."""

WIDE = (7.4, 3.6)
"""Width and height in inches of a figure with a row of its own."""

INK = "#222222"
FAINT = "#c4c4c4"
MODEL = "#d55e00"
RESIDUAL = "#0072b2"
DENSITY = "viridis"
CLASS_COLOURS = {"M": "#d55e00", "FGK": "#009e73", "A": "#0072b2", "OB": "#aa4499"}
"""Colours of the spectral classes, after Okabe & Ito 2008 and Tol 2021."""

_TEFF_TICKS = (2000, 3000, 4000, 5000, 7000, 10000, 15000, 20000, 30000, 50000)

_SYMBOLS = {
    TEFF: r"$T_\mathrm{eff}$",
    LOGG: r"$\log\,g$",
    FE_H: "[Fe/H]",
    ALPHA_FE: r"[$\alpha$/Fe]",
}

_STYLE = {
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "figure.constrained_layout.use": True,
    "font.size": 10.5,
    "grid.color": "#ececec",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "lines.linewidth": 1.0,
    "text.color": INK,
    "xtick.color": INK,
    "xtick.labelsize": 9,
    "ytick.color": INK,
    "ytick.labelsize": 9,
}


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Run a drawing function in the package's style, whatever the user's matplotlibrc says."""

    @wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function in this style."""
        with style.context(["default", _STYLE]):
            return function(*args, **kwargs)

    return inside


def new_figure(size: tuple[float, float]) -> Figure:
    """Return an empty figure of ``size`` inches that no global state knows of."""
    return Figure(figsize=size)


def axis_name(label: str, word: str = "") -> str:
    """Return the name of an axis: symbol, an optional word, and unit.

    Args:
        label: Name of a label.
        word: What distinguishes this axis, for instance "published".

    Returns:
        Text in matplotlib's mathematics.
    """
    unit = f"({label_unit(label)})" if label_unit(label) else ""
    return " ".join(part for part in (_SYMBOLS.get(label, label), word, unit) if part)


def label_unit(label: str) -> str:
    """Return the unit of a label as it stands on an axis: dex also for a logarithm of cm/s2."""
    return difference_unit(label_of(label).unit)


def make_teff_axis(axes: Axes, which: Literal["x", "y"]) -> None:
    """Give an axis of effective temperatures a logarithmic scale with ticks in plain kelvin.

    Args:
        axes: Panel to change.
        which: Which of its axes.
    """
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator(_TEFF_TICKS))
    axis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    axis.set_minor_locator(NullLocator())
