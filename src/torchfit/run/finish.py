"""From fits to a catalogue: what needs the whole survey, other catalogues, and the eye."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from torchfit.catalogue.conform import with_missing
from torchfit.catalogue.finished import FinishedSurvey, SurveyFindings
from torchfit.catalogue.oddities import oddities
from torchfit.catalogue.product import Product
from torchfit.catalogue.schema import catalogue_columns, has_intervals, is_sampled
from torchfit.catalogue.write import Writer, text_writer
from torchfit.compare.clusters import Clusters
from torchfit.compare.reference import Reference
from torchfit.crossmatch.join import Line
from torchfit.crossmatch.source import ColumnSource, join_all, needed
from torchfit.files.table_pieces import Table
from torchfit.flags.survey_rules import FLAG_SNR, SurveyRules
from torchfit.report.examples import Examples
from torchfit.report.rows import Row, format_rows
from torchfit.report.survey import survey_report
from torchfit.report.table_two import latex_table, table_two

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finishing:
    """What is done with a fitted survey.

    Args:
        rules: Rules of the flags that need the whole survey.
        product: What is written.
        crossmatch: Sources of more columns, in their order.
        compare: Catalogues of labels to compare with.
    """

    rules: SurveyRules
    product: Product
    crossmatch: Mapping[str, ColumnSource] = field(default_factory=dict)
    compare: Mapping[str, Reference | Clusters] = field(default_factory=dict)

    def check(self) -> None:
        """Look for everything that will be needed, before the work.

        Raises:
            DataError: If a file is missing, or lacks a column.
            CatalogueError: If a package is missing.
        """
        self.product.check()
        for source in (*self.crossmatch.values(), *self.compare.values()):
            source.check()

    def without_file(self) -> list[str]:
        """Keys of the files of catalogues that were chosen and have none: nothing is joined."""
        chosen = {"crossmatch": self.crossmatch, "compare": self.compare}
        return [
            f"{group}.{name}.path"
            for group, sources in chosen.items()
            for name, source in sources.items()
            if getattr(source, "path", "") is None
        ]

    def finish(
        self,
        table: Table,
        rejects: pd.DataFrame,
        labels: tuple[str, ...],
        provenance: Mapping[str, str],
    ) -> FinishedSurvey:
        """Join, flag, choose, compare.

        Args:
            table: The fits, or a catalogue to finish again.
            rejects: Spectra that could not be used.
            labels: Labels of the emulator.
            provenance: How the fits came about.

        Returns:
            The finished survey.
        """
        schema = catalogue_columns(labels, is_sampled(table), has_intervals(table))
        joined, lines = join_all(with_missing(table, schema), self.crossmatch)
        judged = self.rules.judge(joined)
        recommended = self.product.recommended
        for note in (*oddities(joined, labels), *_presets(judged.explained[FLAG_SNR])):
            logger.warning(note)
        comparisons = [
            each.compare(stars, labels) if isinstance(each, Reference) else each.compare(stars)
            for each in self.compare.values()
            for stars in (needed(judged.table, each),)
        ]
        return FinishedSurvey(
            judged.table,
            rejects,
            labels,
            None if recommended is None else recommended.select(judged.table),
            provenance,
            SurveyFindings(judged.explained, lines, comparisons, oddities(judged.table, labels)),
            self.rules.snr,
        )

    def deliver(
        self,
        survey: FinishedSurvey,
        folder: Path,
        summary: Mapping[str, str],
        examples: Examples | None = None,
        library_labels: Float[np.ndarray, "template label"] | None = None,
        products: Mapping[str, Writer] | None = None,
    ) -> dict[str, Path]:
        """Write all files of a run, which appear together.

        Args:
            survey: The finished survey.
            folder: Where to write.
            summary: What stands at the top of the report.
            examples: Fitted spectra to show.
            library_labels: Labels of the training library, to draw behind the stars.
            products: What else is written, by name.

        Returns:
            The written files by name.

        Raises:
            OutputError: If a file cannot be written.
        """
        page = survey_report(survey, examples, library_labels, summary)
        others: dict[str, Writer] = {"report.html": text_writer(page), **(products or {})}
        if survey.recommended is not None:
            rows = table_two(survey.table, survey.sample, survey.labels, survey.snr)
            others["table2.txt"] = text_writer(f"{format_rows(rows)}\n")
            others["table2.tex"] = text_writer(latex_table(rows, survey.labels))
        return survey.write(folder, self.product, others)


def _presets(lines: Sequence[Line]) -> list[str]:
    """Which classes keep the preset threshold of S/N, reason by reason."""
    reasons: dict[str, list[str]] = {}
    for line in lines:
        origin, _, reason = str(line["from"]).partition(": ")
        if origin == "preset" and reason:
            reasons.setdefault(reason, []).append(f"{line['class']} {line['threshold']:g}")
    return [
        f"flag_snr keeps its preset thresholds ({', '.join(classes)}): {reason}"
        for reason, classes in reasons.items()
    ]


def summary(survey: FinishedSurvey) -> list[tuple[str, list[Row]]]:
    """What the terminal says of a finished survey.

    Args:
        survey: The finished survey.

    Returns:
        Caption and rows: thresholds of S/N, what was joined, the recommended sample.
    """
    findings = survey.findings
    sample = table_two(survey.table, survey.sample, survey.labels, survey.snr)
    tables: list[tuple[str, list[Row]]] = [
        ("S/N from which stars are good (flag_snr)", list(findings.explained[FLAG_SNR])),
        ("Joined", list(findings.joins)),
        ("Recommended sample", sample if survey.recommended is not None else []),
    ]
    return [(caption, rows) for caption, rows in tables if rows]
