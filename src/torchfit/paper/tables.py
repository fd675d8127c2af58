"""Table 1 and 2: the columns of the catalogue, and errors by class."""

from dataclasses import dataclass

from torchfit.catalogue.schema import catalogue_columns, has_intervals, is_sampled
from torchfit.catalogue.vocabulary import PAPER_NAMES
from torchfit.paper.figure import Drawing, PaperFigure
from torchfit.paper.material import OURS, PAPER, Material
from torchfit.report.rows import Row
from torchfit.report.table_two import table_two


def column_rows(names: list[str], texts: dict[str, str]) -> list[Row]:
    """The columns of the paper's Table 1 with ours.

    Args:
        names: Columns of our catalogue.
        texts: What each is.

    Returns:
        A row for each column of the paper.
    """
    return [
        {"paper": theirs, "torchfit": ours if ours in names else "not there",
         "meaning": texts.get(ours, "")}
        for ours, theirs in PAPER_NAMES.items()
    ]  # fmt: skip


@dataclass(frozen=True)
class CatalogueColumns(PaperFigure):
    """Columns of the paper's catalogue, and what they are called here."""

    number = "Table 1"
    title = "Columns of the catalogue"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        survey = material.survey(OURS).finished
        schema = catalogue_columns(
            survey.labels, is_sampled(survey.table), has_intervals(survey.table)
        )
        texts = {column.name: column.text for column in schema}
        rows = column_rows(list(texts), texts)
        absent = sum(row["torchfit"] == "not there" for row in rows)
        text = (
            f"{len(rows) - absent} of the {len(rows)} columns of the paper's Table 1 are in the "
            f"catalogue of this survey, which has {len(schema)}. Labels that the library has not "
            "are not there."
        )
        return Drawing(text, f"{len(survey.table)} survey stars", tables=[("Columns", rows)])


@dataclass(frozen=True)
class ErrorsByClass(PaperFigure):
    """Internal errors of the recommended sample by class, giants and dwarfs."""

    number = "Table 2"
    title = "Errors by class"

    def draw(self, material: Material) -> Drawing:
        """See :class:`torchfit.paper.figure.PaperFigure`."""
        tables = []
        for reading in (OURS, PAPER):
            survey = material.survey(reading).finished
            rows = table_two(survey.table, survey.sample, survey.labels, survey.snr)
            tables.append((f"Mean error ± spread, {reading}", rows))
        survey = material.survey(OURS).finished
        text = (
            f"The recommended sample has {int(survey.sample.sum())} of {len(survey.table)} stars. "
            "The paper's reading has errors where repeats or held-out stars teach them; where "
            "they are missing none are made up."
        )
        return Drawing(text, f"{len(survey.table)} survey stars", tables=tables)
