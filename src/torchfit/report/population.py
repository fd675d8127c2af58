"""The section on where the stars lie."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from torchfit.files.table_pieces import Table
from torchfit.names import ALPHA_FE, FE_H, LOGG, TEFF
from torchfit.report.figures.density import Axis, density_figure
from torchfit.report.figures.population import kiel_diagram
from torchfit.report.page import Section
from torchfit.report.style import axis_name

_TITLE = "Kiel diagram and abundances"


def population_section(
    table: Table,
    library_labels: Float[np.ndarray, "template label"] | None,
    labels: Sequence[str],
) -> Section:
    """Show where the stars lie, as Fig. 12 of the paper.

    Args:
        table: The catalogue.
        library_labels: Labels of the training library; ``None`` leaves it out of the diagram.
        labels: Names of the labels.

    Returns:
        The section.
    """
    finite = np.isfinite(table[[TEFF, LOGG, FE_H]].to_numpy(dtype=float)).all(axis=1)
    text = f"{finite.sum()} of {len(table)} stars have finite labels."
    if not finite.any():
        return Section(_TITLE, f"{text} There is nothing to draw.")
    teff, logg, fe_h = (table[label].to_numpy(dtype=float) for label in (TEFF, LOGG, FE_H))
    density = density_figure(
        Axis(axis_name(TEFF), teff, is_teff=True, reversed=True),
        Axis(axis_name(LOGG), logg, reversed=True),
    )
    figures = [
        (
            "Surface gravity against effective temperature, coloured by iron abundance",
            kiel_diagram(table, library_labels, labels),
        ),
        ("Surface gravity against effective temperature: number of stars", density),
    ]
    if ALPHA_FE in labels:
        alpha = Axis(axis_name(ALPHA_FE), table[ALPHA_FE].to_numpy(dtype=float))
        caption = "Alpha-element abundance against iron abundance"
        figures.append((caption, density_figure(Axis(axis_name(FE_H), fe_h), alpha)))
    return Section(_TITLE, text, figures)
