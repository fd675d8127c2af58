"""Fig. 21: anomalous spectra, and what the clipping of outliers did to them."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from torchfit.compare.published import of_figure
from torchfit.files.model_spectra import BAD, OUTLIER, UNKNOWN, ModelSpectra
from torchfit.files.table_pieces import Table
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.material import OURS, Material
from torchfit.report.figures.panels import padded
from torchfit.report.metrics import robust_sigma
from torchfit.report.rows import Row
from torchfit.report.style import INK, MODEL, RESIDUAL, WIDE, new_figure, styled

KINDS = {
    "most pixels clipped": ("n_clipped", True),
    "strangest components": ("outlier_score", True),
    "least like any template": ("cfi", False),
    "worst chi-squared": ("rchi2", True),
}
"""Column by kind of anomaly, and whether its greatest value is the worst."""

_COLUMNS = ("star", "source", "obsid", "subclass", "n_clipped", "outlier_score", "cfi", "rchi2")


def anomalous_stars(table: Table, obsids: Sequence[int]) -> Mapping[str, int]:
    """The paper's anomalous spectra if the survey has one, else the most anomalous of each kind.

    Args:
        table: The catalogue.
        obsids: Identifiers of the paper's spectra.

    Returns:
        Place in the catalogue by what it is.
    """
    own = pd.to_numeric(pd.Series(np.asarray(table["obsid"])), errors="coerce")
    found = np.flatnonzero(own.isin(list(obsids)).to_numpy())
    if found.size:
        return {f"obsid {int(own[place])}": int(place) for place in found}
    chosen: dict[str, int] = {}
    for kind, (column, greatest) in KINDS.items():
        values = table[column].to_numpy(dtype=float)
        values = np.where(np.isfinite(values), values if greatest else -values, -np.inf)
        values[list(chosen.values())] = -np.inf
        if np.isfinite(values).any():
            chosen[kind] = int(values.argmax())
    return chosen


def clipping_row(kind: str, star: Mapping[Hashable, object], spectrum: ModelSpectra) -> Row:
    """How a spectrum is anomalous, and the scatter with and without its clipped pixels."""
    fitted = spectrum.mask[0] & (BAD | UNKNOWN) == 0
    kept = fitted & (spectrum.mask[0] & OUTLIER == 0)
    residual = spectrum.flux[0] - spectrum.model[0] * spectrum.continuum[0]
    return {
        "kind": kind,
        "source": str(star["source"]),
        "type": str(star["subclass"]),
        "correlation": float(str(star["cfi"])),
        "pixels": int(fitted.sum()),
        "clipped": int((fitted & ~kept).sum()),
        "clipped in the survey": int(str(star["n_clipped"])),
        "rms of all": float(np.sqrt(np.mean(residual[fitted] ** 2))),
        "rms of the kept": float(np.sqrt(np.mean(residual[kept] ** 2))),
        "robust": robust_sigma(residual[fitted]),
    }


@styled
def clipped_figure(spectrum: ModelSpectra, title: str) -> Figure:
    """Draw a spectrum, its model, and the pixels that were clipped."""
    good = spectrum.mask[0] & BAD == 0
    clipped = good & (spectrum.mask[0] & OUTLIER != 0)
    flux = np.where(good, spectrum.flux[0], np.nan)
    figure = new_figure(WIDE)
    axes = figure.subplots()
    axes.plot(spectrum.wave, flux, color=INK, linewidth=0.7, label="observed")
    model = spectrum.model[0] * spectrum.continuum[0]
    axes.plot(spectrum.wave, model, color=MODEL, linewidth=0.8, label="model")
    axes.scatter(
        spectrum.wave[clipped], flux[clipped], s=9, color=RESIDUAL, label="clipped", zorder=3
    )
    low, high = np.nanpercentile(flux, (0.2, 99.8)) if good.any() else (0.0, 1.0)
    axes.set(xlim=(spectrum.wave[0], spectrum.wave[-1]), ylim=padded(float(low), float(high), 0.2))
    axes.set(xlabel="vacuum wavelength (Å)", ylabel="normalised flux")
    axes.set_title(title, parse_math=False)
    axes.legend(loc="lower right", ncols=3)
    return figure


@dataclass(frozen=True)
class AnomalousSpectra(PaperFigure):
    """The paper's four anomalous spectra, or the most anomalous of a survey without them."""

    number = "Fig. 21"
    title = "Anomalous spectra"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        table = material.survey(OURS).finished.table
        obsids = [int(number.value) for number in of_figure(self.number)]
        chosen = anomalous_stars(table, obsids)
        if not chosen:
            return Drawing("Not drawn: the survey has no star.", "0 survey stars")
        stars = pd.DataFrame(table[list(_COLUMNS)]).iloc[list(chosen.values())]
        rows, figures = [], []
        models = material.models(stars["source"].tolist())
        for kind, (_, star) in zip(chosen, stars.iterrows(), strict=True):
            spectrum = models[models.source.index(str(star["source"]))]
            rows.append(clipping_row(kind, star.to_dict(), spectrum))
            title = f"{kind}: {star['source']} {star['subclass']}"
            caption = f"{title}; observed spectrum, model, and the pixels without weight"
            figures.append((caption, clipped_figure(spectrum, title)))
        is_paper = next(iter(chosen)).startswith("obsid")
        which = (
            "The paper's spectra that the survey has."
            if is_paper
            else "The survey has none of the paper's four spectra; these are its most anomalous "
            "ones, of each kind the worst."
        )
        clipped = sum(int(row["clipped"]) for row in rows)
        text = f"{which} {clipped} pixels of them have no weight in the fit (outliers)."
        sample = f"{len(rows)} of {len(table)} survey stars"
        return Drawing(text, sample, figures, [("What clipping did", rows)])
