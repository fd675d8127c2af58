"""A catalogue as it was written."""

import json
import logging
from collections.abc import Sequence
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

logger = logging.getLogger(__name__)

_ADDED = {"0.2": ("v_ccf", "e_v_ccf", "ccf_ratio", "n_exposures", "{}_group")}
"""Columns by the version that they came with; all of types that may be missing."""


def later_columns(labels: Sequence[str]) -> frozenset[str]:
    """Names of the columns that the catalogue of an earlier version lacks.

    Args:
        labels: Labels of the emulator.
    """
    names = [name for added in _ADDED.values() for name in added]
    return frozenset(name.format(label) for name in names for label in labels)


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
    _demand_columns(path, names, labels)
    schema = catalogue_columns(labels, is_sampled(names), has_intervals(names))
    known = [column.name for column in schema if column.name in names]
    table = ColumnTable.of(work, part_pieces(path, known))
    return conform_all(with_missing(table, schema), schema), labels, provenance


def _demand_columns(path: Path, names: Sequence[str], labels: Sequence[str]) -> None:
    """Demand the columns that every version has written, and say which of the later ones lack."""
    lacking = [column.name for column in columns(labels) if column.name not in names]
    later = [name for name in lacking if name in later_columns(labels)]
    if len(lacking) > len(later) or not labels:
        needed = [name for name in lacking if name not in later]
        raise CatalogueError(
            f"{path} lacks the columns {needed or LABELS}: it is no catalogue of torchfit, or has "
            "lost them; run `torchfit infer` again"
        )
    if later:
        logger.warning(
            "%s was written by an earlier version, which had no columns %s: they are missing in "
            "every row", path, ", ".join(later),
        )  # fmt: skip


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
