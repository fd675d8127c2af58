"""A catalogue as it was written."""

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa

from torchfit.catalogue.conform import conform_all, with_missing
from torchfit.catalogue.finished import CATALOGUE, REJECTS
from torchfit.catalogue.parts import part_pieces, read_part_schema
from torchfit.catalogue.schema import (
    catalogue_columns,
    columns,
    has_intervals,
    is_sampled,
    labels_among,
)
from torchfit.catalogue.write import REJECT_COLUMNS
from torchfit.exceptions import CatalogueError
from torchfit.files.column_table import ColumnTable
from torchfit.files.table_pieces import Table
from torchfit.names import LABELS, QUANTITIES, Label


def read_catalogue(folder: Path, work: Path) -> tuple[Table, tuple[str, ...], dict[str, str]]:
    """Read the catalogue of a folder.

    Args:
        folder: Folder that ``torchfit infer`` has written.
        work: Where the table lies as long as it is worked with.

    Returns:
        The table, the labels of its emulator, and its provenance.

    Raises:
        CatalogueError: If it is not there, is damaged, or is none of torchfit's.
    """
    path = folder / f"{CATALOGUE}.parquet"
    if not path.is_file():
        raise CatalogueError(
            f"no catalogue in {folder}: name a folder that `torchfit infer` has written"
        )
    file = read_part_schema(path)
    names, provenance = file.names, _provenance(file)
    labels = tuple(_label(file.field(name)) for name in labels_among(names))
    lacking = [column.name for column in columns(labels) if column.name not in names]
    if lacking or not labels:
        raise CatalogueError(
            f"{path} lacks the columns {lacking or LABELS}: it was written by another version of "
            "torchfit, or is no catalogue of it; run `torchfit infer` again"
        )
    schema = catalogue_columns(labels, is_sampled(names), has_intervals(names))
    known = [column.name for column in schema if column.name in names]
    table = ColumnTable.of(work, part_pieces(path, known))
    return conform_all(with_missing(table, schema), schema), labels, provenance


def _provenance(file: pa.Schema) -> dict[str, str]:
    """The provenance that a file carries."""
    return json.loads((file.metadata or {}).get(b"provenance", b"{}"))


def _label(field: pa.Field) -> Label:
    """A label with the unit and the meaning that its column carries."""
    if field.name in QUANTITIES:
        return QUANTITIES[field.name]
    known = field.metadata or {}
    unit, text = (known.get(key, b"").decode() for key in (b"unit", b"description"))
    return Label(field.name, unit, text)


def read_rejects(folder: Path) -> pd.DataFrame:
    """Read the spectra that could not be used; no row if the folder has no such table.

    Args:
        folder: Folder that ``torchfit infer`` has written.

    Returns:
        Columns ``source`` and ``reason``.
    """
    path = folder / REJECTS
    if not path.is_file():
        return pd.DataFrame(columns=list(REJECT_COLUMNS), dtype=object)
    return pd.read_csv(path, dtype=str, keep_default_na=False)
