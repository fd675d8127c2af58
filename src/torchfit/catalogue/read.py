"""A catalogue as it was written."""

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from torchfit.catalogue.finished import CATALOGUE, REJECTS
from torchfit.catalogue.parts import read_part
from torchfit.catalogue.schema import catalogue_columns, columns, conform, is_sampled, with_missing
from torchfit.catalogue.write import REJECT_COLUMNS
from torchfit.exceptions import CatalogueError
from torchfit.names import LABELS


def read_catalogue(folder: Path) -> tuple[pd.DataFrame, tuple[str, ...], dict[str, str]]:
    """Read the catalogue of a folder.

    Args:
        folder: Folder that ``torchfit infer`` has written.

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
    table = read_part(path)
    labels = tuple(label for label in LABELS if label in table)
    lacking = [column.name for column in columns(labels) if column.name not in table]
    if lacking or not labels:
        raise CatalogueError(
            f"{path} lacks the columns {lacking or LABELS}: it was written by another version of "
            "torchfit, or is no catalogue of it; run `torchfit infer` again"
        )
    schema = catalogue_columns(labels, is_sampled(table))
    known = table[[column.name for column in schema if column.name in table]]
    metadata = pq.read_schema(path).metadata or {}
    provenance = json.loads(metadata.get(b"provenance", b"{}"))
    return conform(with_missing(known, schema), schema), labels, provenance


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
