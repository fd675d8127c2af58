"""Fig. 11: histograms of chi-squared by class, with the mean S/N along them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from torchfit.catalogue.finished import FinishedSurvey
from torchfit.compare.published import published_value
from torchfit.flags.judgement import mean_square
from torchfit.flags.survey_rules import FLAG_SNR
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.matched_library import CLASSES
from torchfit.paper.material import OURS, PAPER, Material
from torchfit.paper.panels import class_panels, few_decades
from torchfit.report.rows import Row
from torchfit.report.style import INK, MODEL, RESIDUAL, styled


@dataclass(frozen=True)
class Histogram:
    """Chi-squared of a class.

    Args:
        edges: Edges of the bins, even in the logarithm.
        counts: Stars in each bin.
        snr: Mean S/N of the stars in each bin; NaN in an empty one.
        threshold: S/N from which stars of the class are good.
    """

    edges: Float[np.ndarray, " edge"]
    counts: Float[np.ndarray, " bin"]
    snr: Float[np.ndarray, " bin"]
    threshold: float


def misfit_histograms(survey: FinishedSurvey, n_bins: int) -> Mapping[str, Histogram]:
    """Histograms of the mean squared residual, the paper's chi-squared, by class.

    Args:
        survey: The survey.
        n_bins: Number of bins.

    Returns:
        By class; a class without a star of known S/N is left out.
    """
    misfit, snr = mean_square(survey.table), survey.snr
    classes = survey.table["spectral_class"].to_numpy(dtype=object)
    known = np.isfinite(misfit) & (misfit > 0) & np.isfinite(snr)
    thresholds = {
        str(line["class"]): float(line["threshold"]) for line in survey.findings.explained[FLAG_SNR]
    }
    return {
        name: _histogram(misfit[inside], snr[inside], thresholds.get(name, np.nan), n_bins)
        for name in CLASSES
        if (inside := known & (classes == name)).any()
    }


def _histogram(misfit: np.ndarray, snr: np.ndarray, threshold: float, n_bins: int) -> Histogram:
    edges = np.geomspace(misfit.min() / 1.1, misfit.max() * 1.1, n_bins + 1)
    counts = np.histogram(misfit, edges)[0].astype(float)
    total = np.histogram(misfit, edges, weights=snr)[0]
    mean = np.divide(total, counts, out=np.full(n_bins, np.nan), where=counts > 0)
    return Histogram(edges, counts, mean, threshold)


@styled
def histograms_figure(histograms: Mapping[str, Histogram]) -> Figure:
    """Draw the histograms with the mean S/N on a second axis, and its threshold."""
    figure, panels = class_panels(list(histograms))
    for name, axes in panels.items():
        each = histograms[name]
        axes.stairs(each.counts, each.edges, fill=True, color=RESIDUAL, alpha=0.5)
        few_decades(axes, "x")
        right = axes.twinx()
        middle = np.sqrt(each.edges[1:] * each.edges[:-1])
        right.plot(middle, each.snr, color=MODEL, marker=".", label="mean S/N")
        right.axhline(each.threshold, color=INK, linestyle="--", label="threshold")
        few_decades(right, "y")
        right.grid(visible=False)
        right.spines.right.set_visible(True)
    figure.supxlabel("mean squared residual", fontsize=10.5)
    figure.supylabel("stars (bars), mean S/N (line, right axis)", fontsize=10.5)
    return figure


def _threshold_of_the_paper(name: str) -> float:
    return published_value(MisfitHistograms.number, "least good S/N", group=name)


@dataclass(frozen=True)
class MisfitHistograms(PaperFigure):
    """Histograms of chi-squared by class with the mean S/N and its threshold.

    Args:
        n_bins: Number of bins.
    """

    n_bins: int = 20
    number = "Fig. 11"
    title = "Histograms of chi-squared, and S/N"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        survey = material.survey(OURS).finished
        histograms = misfit_histograms(survey, self.n_bins)
        if not histograms:
            return Drawing("Not drawn: the S/N of no star is known.", f"{len(survey.table)} stars")
        explained = survey.findings.explained[FLAG_SNR]
        rows: list[Row] = [
            {**line, "paper": _threshold_of_the_paper(str(line["class"]))} for line in explained
        ]
        found = [row for row in rows if "preset" not in str(row["from"])]
        text = (
            "The mean squared residual falls with the noise until the error of the model is left. "
            f"The threshold of S/N was found from these stars in {len(found)} of {len(rows)} "
            "classes; the others have too few stars, or no knee, and keep the paper's."
        )
        caption = (
            "Histograms of the mean squared residual, a panel for each spectral class, with the "
            "mean S/N of the stars in each bin and the threshold of S/N"
        )
        misfit = {
            reading: float(np.nanmedian(mean_square(material.survey(reading).finished.table)))
            for reading in (OURS, PAPER)
        }
        medians: list[Row] = [
            {"reading": name, "median mean squared residual": value}
            for name, value in misfit.items()
        ]
        tables = [("S/N from which stars are good", rows), ("Both readings", medians)]
        figures = [(caption, histograms_figure(histograms))]
        return Drawing(text, f"{len(survey.table)} survey stars", figures, tables)
