"""Fig. 23: temperature against dereddened colour, below and above 7500 K, with a main sequence."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.figure import Figure

from torchfit.compare.reference import Comparison
from torchfit.files.cells import as_numbers
from torchfit.files.table_file import read_columns
from torchfit.names import TEFF
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.material import OURS, PAPER, Material, MeasuredSurvey
from torchfit.report.colours import dereddened_colour
from torchfit.report.figures.panels import draw_points, padded
from torchfit.report.metrics import robust_sigma
from torchfit.report.rows import Row
from torchfit.report.style import INK, MODEL, RESIDUAL, WIDE, axis_name, new_figure, styled

LIMIT = 7500.0
"""Temperature in K at which the paper parts its panels."""

_ZAMS = {
    "log_teff": ("log_Teff", "logTe", "log_teff"),
    "bp": ("Gaia_BP_EDR3", "Gaia_BP_DR2Rev", "Gaia_BP_MAWb", "G_BPmag", "BP"),
    "rp": ("Gaia_RP_EDR3", "Gaia_RP_DR2Rev", "Gaia_RP_MAW", "G_RPmag", "RP"),
}
_NAMES = {"LASP": ("lasp", "lasp_a")}


def read_zams(path: Path) -> Float[np.ndarray, "point 2"]:
    """Colour and temperature in K along a main sequence.

    Args:
        path: A table as MIST or PARSEC write it, the header in the last comment.

    Returns:
        BP - RP in magnitudes and temperature, in the order of the file.

    Raises:
        DataError: If the file has no temperature or magnitudes.
    """
    found = read_columns(path, _ZAMS)
    log_teff, bp, rp = (as_numbers(found[name]) for name in _ZAMS)
    return np.column_stack([bp - rp, 10.0**log_teff])


def off_the_sequence(
    zams: Float[np.ndarray, "point 2"],
    colour: Float[np.ndarray, " star"],
    teff: Float[np.ndarray, " star"],
) -> Float[np.ndarray, " star"]:
    """Temperature minus that of the main sequence at the same colour, in K."""
    x, y = zams[np.argsort(zams[:, 0])].T
    return teff - np.interp(colour, x, y, left=np.nan, right=np.nan)


@dataclass(frozen=True)
class ColouredStars:
    """Stars with colour and temperature.

    Args:
        colour: Dereddened BP - RP in magnitudes; NaN where it is not known.
        teff: Temperature in K; likewise.
    """

    colour: Float[np.ndarray, " star"]
    teff: Float[np.ndarray, " star"]

    def halves(self) -> dict[str, Bool[np.ndarray, " star"]]:
        """Stars below and above the temperature at which the paper parts its panels."""
        return {"< 7500 K": self.teff < LIMIT, "> 7500 K": self.teff >= LIMIT}


def sequence_rows(
    sets: Mapping[str, ColouredStars], zams: Float[np.ndarray, "point 2"]
) -> list[Row]:
    """Offset and scatter about a main sequence, of cool and hot stars of each set.

    Args:
        sets: Stars by whose temperatures they have.
        zams: Colour and temperature along the sequence.

    Returns:
        Rows ``labels, stars, n, median off (K), scatter (K)``.
    """
    rows: list[Row] = []
    for title, stars in sets.items():
        off = off_the_sequence(zams, stars.colour, stars.teff)
        for name, inside in stars.halves().items():
            some = off[inside & np.isfinite(off)]
            if some.size:
                median, spread = float(np.median(some)), robust_sigma(some)
                row: Row = {"labels": title, "stars": name, "n": some.size}
                rows.append({**row, "median off (K)": median, "scatter (K)": spread})
    return rows


def temperatures(survey: MeasuredSurvey) -> dict[str, Float[np.ndarray, " star"]]:
    """Temperatures of LASP, where it is at hand, in K; NaN for stars that it lacks."""
    found = {}
    for title, names in _NAMES.items():
        tables = [survey.comparisons[name] for name in names if name in survey.comparisons]
        columns = [each.theirs[:, 0] for each in tables if isinstance(each, Comparison)]
        if columns:
            found[title] = np.array(columns[0])
            for other in columns[1:]:
                found[title] = np.where(np.isfinite(found[title]), found[title], other)
    return found


@styled
def colour_figure(
    sets: Mapping[str, ColouredStars], zams: Float[np.ndarray, "point 2"] | None
) -> Figure:
    """Draw temperature against colour, a row for cool and hot stars, a column for each set."""
    figure = new_figure((WIDE[0], 1.7 * WIDE[1]))
    panels = figure.subplots(2, len(sets), squeeze=False)
    for column, (title, stars) in zip(panels.T, sets.items(), strict=True):
        for axes, inside in zip(column, stars.halves().values(), strict=True):
            drawn = inside & np.isfinite(stars.colour)
            axes.set_title(f"{title}: {drawn.sum()} stars", fontsize=9)
            if drawn.any():
                x, y = stars.colour[drawn], stars.teff[drawn]
                axes.set(xlim=padded(x.min(), x.max()), ylim=padded(y.min(), y.max()))
                draw_points(axes, x, y, np.full(x.size, RESIDUAL))
            if zams is not None:
                axes.plot(*zams.T, color=MODEL, label="ZAMS", scalex=False, scaley=False)
            axes.set(xlabel="(BP − RP)₀ (mag)", ylabel=axis_name(TEFF))
    if zams is not None:
        panels[0, 0].legend()
    panels[0, 0].tick_params(colors=INK)
    return figure


@dataclass(frozen=True)
class ColourTemperature(PaperFigure):
    """Temperature of ours and of LASP against dereddened colour, with a main sequence.

    Args:
        zams: Main sequence, a MIST table of the bands of Gaia; ``None`` for none.
    """

    zams: str | None = None
    number = "Fig. 23"
    title = "Temperature against dereddened colour"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        survey = material.survey(OURS)
        table = survey.finished.table
        colour = dereddened_colour(table)
        n_stars = f"{int(np.isfinite(colour).sum())} of {len(table)} survey stars have a colour"
        if not np.isfinite(colour).any():
            return Drawing(
                "Not drawn: give Gaia DR3 (gaia_source of the Gaia archive, or I/355 of VizieR) as "
                "crossmatch.gaia_dr3.path=FILE and E(B-V) of the stars, as of Bayestar19 "
                "(argonaut.skymaps.info), as crossmatch.reddening.path=FILE.",
                n_stars,
            )
        path = self.zams or material.stand_ins.get("figure.fig23.zams")
        zams = None if path is None else read_zams(Path(path).expanduser())
        sets = {title: ColouredStars(colour, teff) for title, teff in temperatures(survey).items()}
        for reading in (OURS, PAPER):
            measured = material.survey(reading).finished.table
            teff = measured[TEFF].to_numpy(dtype=float)
            sets[reading] = ColouredStars(dereddened_colour(measured), teff)
        rows = [] if zams is None else sequence_rows(sets, zams)
        text = (
            "No main sequence was given; the paper's is that of MIST "
            "(waps.cfa.harvard.edu/MIST): figure.fig23.zams=FILE."
            if zams is None
            else "The scatter about the main sequence at the same colour is that of temperature, "
            "reddening and gravity together; giants lie off it."
        )
        caption = (
            "Temperature against dereddened BP - RP, stars below 7500 K above and hotter ones "
            "beneath, a column for LASP, the default and the paper's reading"
        )
        figures = [(caption, colour_figure(sets, zams))]
        return Drawing(text, n_stars, figures, [("Off the main sequence", rows)] if rows else [])
