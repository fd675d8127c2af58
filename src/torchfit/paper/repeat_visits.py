"""Fig. 10: what repeat visits of a star differ by, against S/N, by spectral class."""

from dataclasses import dataclass

import numpy as np

from torchfit.catalogue.finished import FinishedSurvey
from torchfit.compare.repeats import Repeats, find_repeats
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.matched_library import CLASSES
from torchfit.paper.material import OURS, PAPER, Material
from torchfit.report.figures.repeats import repeats_figure
from torchfit.report.metrics import robust_sigma
from torchfit.report.repeats import repeat_rows
from torchfit.report.rows import Row

_ALL = "all classes"


def repeats_by_class(survey: FinishedSurvey) -> dict[str, Repeats]:
    """Pairs of visits by the spectral class of the first, and all of them.

    Args:
        survey: The survey.

    Returns:
        Pairs by class; a class without a pair is left out.
    """
    repeats = find_repeats(survey.table, survey.snr)
    classes = survey.table["spectral_class"].to_numpy(dtype=object)[repeats.first]
    found = {_ALL: repeats}
    for name in CLASSES:
        inside = classes == name
        if inside.any():
            found[name] = Repeats(
                repeats.first[inside], repeats.second[inside], repeats.snr[inside]
            )
    return found


def class_scatters(survey: FinishedSurvey) -> list[Row]:
    """Robust scatter of repeats (difference over the square root of two) by class."""
    rows: list[Row] = []
    for name, pairs in repeats_by_class(survey).items():
        row: dict[str, str | int | float] = {"class": name, "pairs": len(pairs.first)}
        for label in survey.labels:
            off = pairs.scatter(survey.table[label].to_numpy(dtype=float))
            row[label] = robust_sigma(np.concatenate([off, -off]))
        rows.append(row)
    return rows


@dataclass(frozen=True)
class RepeatVisits(PaperFigure):
    """Scatter of repeats against S/N, for all stars and by class.

    Args:
        min_pairs: Least number of pairs of a class that is drawn.
    """

    min_pairs: int = 15
    number = "Fig. 10"
    title = "Repeat visits against S/N"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        survey = material.survey(OURS).finished
        table, labels = survey.table, survey.labels
        pairs = {
            name: each
            for name, each in repeats_by_class(survey).items()
            if len(each.first) and (name == _ALL or len(each.first) >= self.min_pairs)
        }
        if not pairs:
            return Drawing("Not drawn: no star was seen twice.", f"{len(table)} survey stars")
        figures = []
        for name, each in pairs.items():
            rows = [
                row
                for row in repeat_rows(table, each, labels)
                if np.isfinite(float(row["median S/N"]))
            ]
            caption = (
                f"{name}: scatter of repeat visits and claimed error against S/N, a panel for "
                "each label"
            )
            figures.append((caption, repeats_figure(rows, labels)))
        ours, paper = class_scatters(survey), class_scatters(material.survey(PAPER).finished)
        text = (
            f"{len(pairs[_ALL].first)} pairs of visits on different nights whose S/N differ by at "
            "most 20 %. In the median over all of them repeats of the default scatter by "
            f"{ours[0]['teff']:.0f} K and those of the paper's reading by {paper[0]['teff']:.0f} K."
        )
        tables = [
            ("Scatter of repeats, default", ours),
            ("Scatter of repeats, the paper's reading", paper),
        ]
        return Drawing(text, f"{len(table)} survey stars", figures, tables)
