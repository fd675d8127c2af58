"""Scatter of repeat visits against their signal-to-noise ratio, beside the errors claimed."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from torchfit.report.rows import Row
from torchfit.report.style import INK, MODEL, WIDE, axis_name, new_figure, styled


@styled
def repeats_figure(rows: Sequence[Row], labels: Sequence[str]) -> Figure:
    """Draw the scatter of repeats and the claimed errors by range of S/N, as Fig. 10.

    Args:
        rows: Rows of :func:`torchfit.report.repeats.repeat_rows` whose ``S/N`` is known.
        labels: Labels, one panel each.

    Returns:
        The figure.
    """
    figure = new_figure((WIDE[0], 1.9 * len(labels) + 0.6))
    panels = figure.subplots(len(labels), 1, sharex=True, squeeze=False).ravel()
    for axes, label in zip(panels, labels, strict=True):
        mine = [row for row in rows if row["label"] == label]
        snr, scatter, claimed = (
            np.array([row[name] for row in mine], dtype=float)
            for name in ("median S/N", "scatter", "median error")
        )
        axes.plot(snr, scatter, color=MODEL, marker="o", label="repeats: difference / √2")
        axes.plot(snr, claimed, color=INK, linestyle="--", label="median error of the catalogue")
        axes.set(xscale="log", ylabel=axis_name(label), ylim=(0, None))
    panels[0].legend()
    panels[-1].set_xlabel("signal-to-noise ratio")
    panels[-1].xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    panels[-1].xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    panels[-1].xaxis.set_minor_locator(NullLocator())
    return figure
