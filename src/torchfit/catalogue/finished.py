"""A finished survey: the catalogue, and all that is said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from torchfit.catalogue.conform import conform_all
from torchfit.catalogue.product import ENDINGS, Product
from torchfit.catalogue.schema import catalogue_columns, has_intervals, is_sampled
from torchfit.catalogue.write import Writer, columns_writer, rejects_writer
from torchfit.compare.clusters import ClusterComparison
from torchfit.compare.reference import Comparison
from torchfit.crossmatch.join import Line
from torchfit.files.atomic import remove, write_together
from torchfit.files.ownership import make_way, written_by_torchfit
from torchfit.files.table_pieces import Table, rows_where
from torchfit.flags.snr import SnrRule

CATALOGUE, RECOMMENDED = "catalogue", "recommended"
REJECTS = "rejects.csv"


@dataclass(frozen=True)
class SurveyFindings:
    """What is reported of a survey beside its catalogue.

    Args:
        explained: Lines that explain how the flags of the survey were set, by column.
        joins: What columns were joined from: one line per source.
        comparisons: Labels of others for our stars, members of clusters.
        notes: What is unusual of the survey.
    """

    explained: Mapping[str, Sequence[Line]] = field(default_factory=dict)
    joins: Sequence[Line] = ()
    comparisons: Sequence[Comparison | ClusterComparison] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class FinishedSurvey:
    """What a run has found.

    Args:
        table: The catalogue: all columns of its schema.
        rejects: Spectra that could not be used: ``source reason``.
        labels: Labels of the emulator.
        recommended: Stars of the recommended sample; ``None`` when none was asked for.
        provenance: How all this came about: versions, configuration, emulator.
        findings: What is reported beside.
        snr_rule: Says in which band the signal-to-noise ratio of a class counts.
    """

    table: Table
    rejects: pd.DataFrame
    labels: tuple[str, ...]
    recommended: Bool[np.ndarray, " star"] | None
    provenance: Mapping[str, str]
    findings: SurveyFindings = field(default_factory=SurveyFindings)
    snr_rule: SnrRule = field(default_factory=SnrRule)

    @property
    def snr(self) -> Float[np.ndarray, " star"]:
        """Signal-to-noise ratio of every star in the band of its class, NaN where unknown."""
        return self.snr_rule.ratio(self.table)

    @property
    def sample(self) -> Bool[np.ndarray, " star"]:
        """The recommended stars, or all when no sample was asked for."""
        everyone = np.ones(len(self.table), dtype=bool)
        return everyone if self.recommended is None else self.recommended

    def write(
        self, folder: Path, product: Product, others: Mapping[str, Writer]
    ) -> dict[str, Path]:
        """Write all files of the run; they appear together, ``catalogue.parquet`` the last.

        Tables of an older run that this one does not write are removed; what torchfit has not
        written is kept under another name.

        Args:
            folder: Where to write; made when missing.
            product: Which formats.
            others: What else to write, by file name.

        Returns:
            The written files by name.

        Raises:
            CatalogueError: If the table does not fit its schema.
            OutputError: If a file cannot be written.
        """
        writers = {REJECTS: rejects_writer(self.rejects), **others, **self._tables(product)}
        make_way(folder, writers)
        write_together({folder / name: write for name, write in writers.items()})
        older = {f"{table}{end}" for table in (CATALOGUE, RECOMMENDED) for end in _ENDINGS}
        for name in older & written_by_torchfit(folder) - set(writers):
            remove(folder / name)
        return {name: folder / name for name in writers}

    def _tables(self, product: Product) -> dict[str, Writer]:
        schema = catalogue_columns(self.labels, is_sampled(self.table), has_intervals(self.table))
        whole = conform_all(self.table, schema)
        tables = {"catalogue_columns.csv": columns_writer(schema)}
        if self.recommended is not None:
            few = rows_where(whole, self.recommended)
            tables |= product.writers(RECOMMENDED, few, schema, self.provenance)
        return tables | product.writers(CATALOGUE, whole, schema, self.provenance)


_ENDINGS = tuple(ENDINGS.values())
