"""Fig. 13 to 20, 22, 24 and 25: our labels beside those of other catalogues."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from torchfit.catalogue.finished import FinishedSurvey
from torchfit.compare.reference import Comparison
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.material import OURS, PAPER, Material, MeasuredSurvey
from torchfit.report.comparisons import comparison_rows, comparison_section
from torchfit.report.rows import Row

_ALL_COUNT = " None of them is among the recommended stars: all stars count."


def missing(name: str, file: str) -> str:
    """What stands in place of a figure whose table is not there.

    Args:
        name: The table's name in the configuration.
        file: Which file it is, and where it is published.
    """
    return f"Not drawn: give {file} as {name}=FILE."


def counted_stars(
    survey: FinishedSurvey, theirs: Float[np.ndarray, "star label"]
) -> Bool[np.ndarray, " star"]:
    """Stars that a comparison counts: the recommended ones, or all where none of those is in it.

    Args:
        survey: The survey.
        theirs: Labels of a catalogue for its stars; NaN where there is none.
    """
    there = np.isfinite(theirs).any(axis=1)
    return survey.sample if (survey.sample & there).any() else np.ones_like(there)


def reading_rows(survey: MeasuredSurvey, name: str, reading: str) -> list[Row]:
    """Offset and scatter by class against a catalogue, of one reading of the method.

    Args:
        survey: The survey in this reading.
        name: The catalogue.
        reading: What the reading is called.
    """
    finished, comparison = survey.finished, survey.comparisons[name]
    assert isinstance(comparison, Comparison)
    ours = finished.table[list(comparison.labels)].to_numpy(dtype=float)
    counted = counted_stars(finished, comparison.theirs)
    counts = counted & ~finished.table["in_library"].to_numpy(dtype=bool)
    theirs = np.where(counts[:, None], comparison.theirs, np.nan)
    rows = comparison_rows(ours, theirs, comparison)
    return [{"reading": reading, **row} for row in rows]


@dataclass(frozen=True)
class CatalogueComparison(PaperFigure):
    """One-to-one figures, residuals, offsets and scatters against one catalogue.

    Args:
        catalogue: Its name in ``conf/compare``.
        file: Which file it is, and where it is published.
    """

    catalogue: str
    file: str
    number = "Fig. 13-25"
    title = "Comparison with another catalogue"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        survey = material.survey(OURS)
        comparison = survey.comparisons.get(self.catalogue)
        n_stars = f"{len(survey.finished.table)} survey stars"
        if not isinstance(comparison, Comparison):
            return Drawing(missing(f"compare.{self.catalogue}.path", self.file), n_stars)
        counted = counted_stars(survey.finished, comparison.theirs)
        section = comparison_section(survey.finished.table, comparison, counted)
        figures = [
            (f"{caption}, one to one by class, with the differences beneath", figure)
            for caption, figure in section.figures
        ]
        both = [
            row
            for reading in (OURS, PAPER)
            for row in reading_rows(material.survey(reading), self.catalogue, reading)
        ]
        note = "" if (counted == survey.finished.sample).all() else _ALL_COUNT
        tables = [("Ours minus theirs by class, both readings", both), *section.tables[1:]]
        return Drawing(f"{comparison.title}. {section.text}{note}", n_stars, figures, tables)
