"""The files a user gets: one catalogue in three formats, and the spectra that were rejected."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from torchfit.catalogue.fits_file import write_fits
from torchfit.catalogue.parquet_file import write_parquet
from torchfit.catalogue.schema import Column, columns, conform
from torchfit.exceptions import CatalogueError
from torchfit.io.atomic import atomic, sync

REJECT_COLUMNS = ("source", "reason")
"""Columns of the table of spectra that could not be used."""


def write_catalogue(
    table: pd.DataFrame, folder: Path, labels: Sequence[str], provenance: Mapping[str, str]
) -> dict[str, Path]:
    """Write the catalogue as Parquet, FITS and CSV; the same input gives the same bytes.

    Nothing is replaced before every file has been written, so that an older catalogue in the
    folder stays whole when the disk is full. A CSV file has no room for units: they stand in
    ``catalogue_columns.csv``.

    Args:
        table: The result table.
        folder: Where to write; made when missing.
        labels: Labels of the emulator.
        provenance: How the table came about: versions, commit, configuration, dates of inputs.

    Returns:
        The written files by format: ``parquet``, ``fits``, ``csv``, ``columns``.

    Raises:
        CatalogueError: If the table does not fit the schema.
        OutputError: If a file cannot be written.
    """
    table, schema = conform(table, labels), columns(labels)
    paths = {kind: folder / f"catalogue.{kind}" for kind in ("parquet", "fits", "csv")}
    paths["columns"] = folder / "catalogue_columns.csv"
    with ExitStack() as stack:
        temps = {kind: stack.enter_context(atomic(path)) for kind, path in paths.items()}
        write_parquet(temps["parquet"], table, schema, provenance)
        write_fits(temps["fits"], table, schema, provenance)
        _write_csv(temps["csv"], table)
        _write_csv(temps["columns"], _column_table(schema))
        for temp in temps.values():
            sync(temp)
    return paths


def write_rejects(rejects: pd.DataFrame, folder: Path) -> Path:
    """Write the table of spectra that could not be used as ``rejects.csv``.

    Args:
        rejects: Columns ``source`` and ``reason``; may have no row.
        folder: Where to write; made when missing.

    Returns:
        The written file.

    Raises:
        CatalogueError: If a column is missing.
        OutputError: If the file cannot be written.
    """
    missing = [name for name in REJECT_COLUMNS if name not in rejects.columns]
    if missing:
        raise CatalogueError(f"the rejects table has no column {missing}")
    path = folder / "rejects.csv"
    with atomic(path) as temp:
        _write_csv(temp, rejects[list(REJECT_COLUMNS)])
    return path


def _column_table(schema: Sequence[Column]) -> pd.DataFrame:
    names = {"dtype": "type", "text": "description"}
    return pd.DataFrame([asdict(column) for column in schema]).rename(columns=names)


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
