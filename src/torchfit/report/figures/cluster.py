"""Members of a cluster in the Kiel diagram, with an isochrone."""

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from torchfit.names import LOGG, TEFF
from torchfit.report.figures.density import Axis, draw_density_panel
from torchfit.report.style import INK, SQUARE, axis_name, new_figure, styled


@styled
def cluster_figure(
    name: str,
    teff: Float[np.ndarray, " star"],
    logg: Float[np.ndarray, " star"],
    isochrone: Float[np.ndarray, "point 2"] | None,
) -> Figure:
    """Draw the members, as Fig. 26 and 27.

    Args:
        name: Name of the cluster.
        teff: Temperature of its members in K.
        logg: Their gravity in dex.
        isochrone: Temperature and gravity along a line; ``None`` for none.

    Returns:
        The figure.
    """
    figure = new_figure((SQUARE[0], 0.9 * SQUARE[0]))
    axes = figure.subplots()
    teff_axis = Axis(axis_name(TEFF), teff, is_teff=True, reversed=True)
    draw_density_panel(axes, teff_axis, Axis(axis_name(LOGG), logg, reversed=True))
    axes.set_title(f"{name}: {np.isfinite(teff).sum()} stars", parse_math=False)
    if isochrone is not None:
        axes.plot(
            *isochrone.T, color=INK, linewidth=1.2, label="isochrone", scalex=False, scaley=False
        )
        axes.legend()
    return figure
