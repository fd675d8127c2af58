"""The section on dereddened colours."""

import numpy as np
from jaxtyping import Float

from torchfit.files.table_pieces import Table
from torchfit.names import TEFF
from torchfit.report.figures.density import Axis, density_figure
from torchfit.report.page import Section
from torchfit.report.style import axis_name

R_BP, R_RP = 3.24, 1.91
"""Extinction over E(B-V) in Gaia's bands, as the paper takes them."""

_TITLE = "Dereddened colour and temperature"


def dereddened_colour(table: Table) -> Float[np.ndarray, " star"]:
    """Return (BP - RP)0 in magnitudes, NaN where a magnitude or the reddening is unknown.

    Args:
        table: The catalogue: ``gaia_bp``, ``gaia_rp``, ``ebv_bayes19``.
    """
    bp, rp, ebv = (
        table[name].to_numpy(dtype=float) for name in ("gaia_bp", "gaia_rp", "ebv_bayes19")
    )
    return bp - rp - (R_BP - R_RP) * ebv


def colours_section(table: Table) -> Section:
    """Show temperature against dereddened colour, as Fig. 23 of the paper.

    Args:
        table: The catalogue.

    Returns:
        The section; without magnitudes or reddening it says what to join.
    """
    colour = dereddened_colour(table)
    both = np.isfinite(colour) & np.isfinite(table[TEFF].to_numpy(dtype=float))
    if not both.any():
        return Section(
            _TITLE,
            "No star has Gaia magnitudes and a reddening: join them with "
            "crossmatch=[gaia_dr3,bailer_jones,bayestar19] and the path of each.",
        )
    text = (
        f"{both.sum()} stars; the reddening is E(B-V) times {R_BP} - {R_RP} in BP - RP. A hot star "
        "with a red colour, or a cool one with a blue one, is a wrong temperature or reddening."
    )
    teff = Axis(axis_name(TEFF), table[TEFF].to_numpy(dtype=float), is_teff=True)
    figure = density_figure(Axis("(BP − RP)₀ (mag)", colour), teff)
    return Section(_TITLE, text, [("Temperature against dereddened colour", figure)])
