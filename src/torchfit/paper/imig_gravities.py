"""Fig. 28: gravities of cold giants on two scales, beside those of APOGEE."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from torchfit.compare.reference import Comparison
from torchfit.names import LOGG
from torchfit.paper.comparison import counted_stars, missing
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.material import OURS, Material
from torchfit.report.metrics import robust_sigma
from torchfit.report.rows import Row
from torchfit.report.style import INK, RESIDUAL, WIDE, axis_name, new_figure, styled
from torchfit.report.table_two import DWARF_LOGG


def scale_rows(
    scales: dict[str, Float[np.ndarray, " star"]], theirs: Float[np.ndarray, " star"]
) -> list[Row]:
    """Offset and scatter of gravities of two scales against those of APOGEE.

    Args:
        scales: Our gravity by scale.
        theirs: That of APOGEE; NaN for stars that do not count.

    Returns:
        Rows ``scale, n, offset (dex), scatter (dex)``; NaN where there is no star.
    """
    rows: list[Row] = []
    for name, ours in scales.items():
        off = (ours - theirs)[np.isfinite(ours - theirs)]
        median = float(np.median(off)) if off.size else float("nan")
        rows.append(
            {
                "scale": name,
                "n": off.size,
                "offset (dex)": median,
                "scatter (dex)": robust_sigma(off),
            }
        )
    return rows


@styled
def scales_figure(
    scales: dict[str, Float[np.ndarray, " star"]], theirs: Float[np.ndarray, " star"]
) -> Figure:
    """Draw our gravity against theirs, a panel per scale."""
    figure = new_figure((WIDE[0], WIDE[1]))
    panels = figure.subplots(1, len(scales), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (name, ours) in zip(panels, scales.items(), strict=True):
        axes.scatter(theirs, ours, s=10, color=RESIDUAL, alpha=0.6, linewidths=0)
        axes.axline((2.0, 2.0), slope=1.0, color=INK, linewidth=0.8)
        axes.set(title=name, xlabel=axis_name(LOGG, "APOGEE"))
    panels[0].set_ylabel(axis_name(LOGG, "torchfit"))
    return figure


@dataclass(frozen=True)
class ImigGravities(PaperFigure):
    """Gravities of cold giants on the scale of the library and on that of Imig.

    Args:
        coldest: Least temperature in K, of APOGEE.
        hottest: Greatest temperature in K.
        file: Which file APOGEE is, and where it is published.
    """

    file: str
    coldest: float = 3000.0
    hottest: float = 4500.0
    number = "Fig. 28"
    title = "Gravities on the scale of Imig"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        survey = material.survey(OURS)
        table, apogee = survey.finished.table, survey.comparisons.get("apogee_dr16")
        n_stars = f"{len(table)} survey stars"
        if not isinstance(apogee, Comparison):
            return Drawing(missing("compare.apogee_dr16.path", self.file), n_stars)
        imig = table["logg_imig"].to_numpy(dtype=float)
        if not np.isfinite(imig).any():
            return Drawing(
                "Not drawn: gravities of Imig need a second emulator, whose library has them "
                "(MaStar: LOGG_JI); give the catalogue.parquet that it has made of the same "
                "spectra as crossmatch.logg_imig.path=FILE.",
                n_stars,
            )
        teff, logg = apogee.theirs[:, 0], apogee.theirs[:, 1]
        giant = (teff > self.coldest) & (teff < self.hottest) & (logg < DWARF_LOGG)
        counted = counted_stars(survey.finished, np.where(giant[:, None], apogee.theirs, np.nan))
        theirs = np.where(giant & counted, logg, np.nan)
        scales = {"library": table[LOGG].to_numpy(dtype=float), "Imig": imig}
        rows = scale_rows(scales, theirs)
        text = (
            f"{int(np.isfinite(theirs).sum())} giants of {self.coldest:.0f} to {self.hottest:.0f} "
            f"K in APOGEE. On the library's scale they are off by {rows[0]['offset (dex)']:+.2f} "
            f"dex, on that of Imig by {rows[1]['offset (dex)']:+.2f} dex."
        )
        caption = (
            "Surface gravity of cold giants against that of APOGEE, a panel for the scale of the "
            "library and one for that of Imig"
        )
        figures = [(caption, scales_figure(scales, theirs))]
        return Drawing(text, n_stars, figures, [("Against APOGEE", rows)])
