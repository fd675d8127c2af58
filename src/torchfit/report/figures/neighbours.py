"""A template with the templates most similar to it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from torchfit.report.style import INK, MODEL, RESIDUAL, WIDE, new_figure, styled

_ROW = 0.9
"""Height in inches of one more spectrum."""


@styled
def neighbour_figure(
    wave: Float[np.ndarray, " pix"],
    flux: Float[np.ndarray, " pix"],
    others: Sequence[tuple[str, Float[np.ndarray, " pix"]]],
    title: str,
) -> Figure:
    """Draw a spectrum again and again, each time with another one over it.

    Args:
        wave: Vacuum wavelength in Angstrom.
        flux: Normalised flux of the template; NaN in bad pixels.
        others: What each of the other spectra is, as plain text, and its flux. The first is the
            model of the template's own labels.
        title: What the template is, as plain text.

    Returns:
        The figure.
    """
    figure = new_figure((WIDE[0], 0.8 + _ROW * len(others)))
    panels = figure.subplots(len(others), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    low, high = np.nanpercentile(flux, (0.5, 99.5)) if np.isfinite(flux).any() else (0.0, 1.0)
    pad = 0.25 * (high - low) or 0.1
    for place, (axes, (text, other)) in enumerate(zip(panels, others, strict=True)):
        axes.plot(wave, flux, color=INK, linewidth=0.7)
        axes.plot(wave, other, color=RESIDUAL if place else MODEL, linewidth=0.7)
        axes.set_title(text, parse_math=False, fontsize=8.5, pad=2, loc="right")
        axes.set(xlim=(wave[0], wave[-1]), ylim=(low - pad, high + pad))
    panels[0].set_title(title, parse_math=False, pad=2)
    panels[-1].set_xlabel("vacuum wavelength (Å)")
    figure.supylabel("normalised flux")
    return figure
