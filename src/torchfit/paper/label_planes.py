"""Fig. 12: stars in the planes of temperature and gravity, and of [Fe/H] and [alpha/Fe]."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.figure import Figure

from torchfit.catalogue.finished import FinishedSurvey
from torchfit.flags.change_point import binned_medians
from torchfit.names import ALPHA_FE, FE_H, LOGG, TEFF
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.material import OURS, PAPER, Material
from torchfit.report.figures.density import Axis, draw_density_panel
from torchfit.report.figures.population import kiel_diagram
from torchfit.report.rows import Row
from torchfit.report.style import INK, MODEL, SQUARE, axis_name, new_figure, styled
from torchfit.report.table_two import DWARF_LOGG

_KINDS = {"giants": MODEL, "dwarfs": INK}


def alpha_medians(
    table: dict[str, Float[np.ndarray, " star"]], kind: Bool[np.ndarray, " star"], n_bins: int
) -> tuple[Float[np.ndarray, " bin"], Float[np.ndarray, " bin"]]:
    """Running medians of [alpha/Fe] along [Fe/H].

    Args:
        table: Labels by name.
        kind: Stars that count.
        n_bins: Bins of equally many stars; fewer where there are fewer than ten a bin.

    Returns:
        [Fe/H] and [alpha/Fe] of the bins; none for fewer than ten stars.
    """
    fe_h, alpha = table[FE_H], table[ALPHA_FE]
    inside = kind & np.isfinite(fe_h) & np.isfinite(alpha)
    n_bins = min(n_bins, int(inside.sum()) // 10)
    if not n_bins:
        return np.empty(0), np.empty(0)
    return binned_medians(fe_h[inside], alpha[inside], n_bins)


def slope_rows(survey: FinishedSurvey, reading: str) -> list[Row]:
    """Median [alpha/Fe] of metal-poor and metal-rich giants and dwarfs."""
    logg, fe_h, alpha = (survey.table[n].to_numpy(dtype=float) for n in (LOGG, FE_H, ALPHA_FE))
    rows: list[Row] = []
    for kind, inside in (("giants", logg < DWARF_LOGG), ("dwarfs", logg >= DWARF_LOGG)):
        poor, rich = (
            alpha[inside & some & np.isfinite(alpha)] for some in (fe_h < -0.5, fe_h >= -0.2)
        )
        rows.append(
            {
                "reading": reading,
                "kind": kind,
                "stars": int(inside.sum()),
                "[alpha/Fe], [Fe/H] < -0.5": _median(poor),
                "[alpha/Fe], [Fe/H] > -0.2": _median(rich),
            }
        )
    return rows


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if values.size else float("nan")


@styled
def alpha_figure(survey: FinishedSurvey, n_bins: int) -> Figure:
    """Draw [alpha/Fe] against [Fe/H] with the running medians of giants and dwarfs."""
    columns = {n: survey.table[n].to_numpy(dtype=float) for n in (LOGG, FE_H, ALPHA_FE)}
    figure = new_figure((SQUARE[0], 0.9 * SQUARE[0]))
    axes = figure.subplots()
    x, y = (Axis(axis_name(name), columns[name]) for name in (FE_H, ALPHA_FE))
    draw_density_panel(axes, x, y)
    giants = columns[LOGG] < DWARF_LOGG
    for kind, inside in (("giants", giants), ("dwarfs", ~giants)):
        medians = alpha_medians(columns, inside, n_bins)
        axes.plot(*medians, color=_KINDS[kind], linewidth=2, label=f"median of {kind}")
    axes.legend(fontsize=8)
    return figure


@dataclass(frozen=True)
class LabelPlanes(PaperFigure):
    """The Kiel diagram, and abundances with the medians of giants and dwarfs.

    Args:
        n_bins: Bins of the running medians.
    """

    n_bins: int = 10
    number = "Fig. 12"
    title = "Kiel diagram and abundances"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        survey = material.survey(OURS).finished
        table, labels = survey.table, survey.labels
        library = material.emulator.library.labels.numpy()
        caption = "Surface gravity against temperature, coloured by [Fe/H], the library behind"
        figures = [(caption, kiel_diagram(table, library, labels))]
        rows: list[Row] = []
        text = "The Kiel diagram of the survey."
        if ALPHA_FE in labels:
            caption = "[alpha/Fe] against [Fe/H] with running medians of giants and of dwarfs"
            figures.append((caption, alpha_figure(survey, self.n_bins)))
            for reading in (OURS, PAPER):
                rows += slope_rows(material.survey(reading).finished, reading)
            text += (
                " Metal-poor giants have [alpha/Fe] of "
                f"{rows[0]['[alpha/Fe], [Fe/H] < -0.5']:.2f} and metal-rich ones of "
                f"{rows[0]['[alpha/Fe], [Fe/H] > -0.2']:.2f} in the median (default)."
            )
        else:
            text += " The library has no [alpha/Fe], so that there is no second plane."
        finite = np.isfinite(table[[TEFF, LOGG]].to_numpy(dtype=float)).all(axis=1)
        tables = [("Median abundances", rows)] if rows else []
        return Drawing(text, f"{int(finite.sum())} survey stars", figures, tables)
