"""The catalogue as Parquet, with units, descriptions and provenance in its metadata."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from torchfit.catalogue.description import astropy_yaml
from torchfit.catalogue.schema import Column

_TYPES = {
    "str": pa.string(),
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "Int64": pa.int64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
}


def write_parquet(
    path: Path, table: pd.DataFrame, schema: Sequence[Column], provenance: Mapping[str, str]
) -> None:
    """Write the catalogue as Parquet.

    Every field carries ``unit``, ``description``, ``ucd`` and, where the paper has it, its name
    there as ``paper``; the file carries ``provenance`` as JSON and the header from which
    ``astropy.table.QTable.read`` takes units and descriptions.

    Args:
        path: File to write.
        table: The result table.
        schema: Its columns.
        provenance: How the table came about.
    """
    pq.write_table(to_arrow(table, schema, provenance), path, compression="zstd")


def to_arrow(
    table: pd.DataFrame, schema: Sequence[Column], provenance: Mapping[str, str]
) -> pa.Table:
    """Return the catalogue as an Arrow table that carries all that is known of its columns.

    Args:
        table: The result table.
        schema: Its columns.
        provenance: How the table came about.

    Returns:
        The table as :func:`write_parquet` writes it.
    """
    fields = pa.schema([_field(column) for column in schema])
    arrow = pa.Table.from_pandas(table, schema=fields, preserve_index=False)
    metadata = {**arrow.schema.metadata, **_metadata(table, schema, provenance)}
    return arrow.replace_schema_metadata(metadata)


def _field(column: Column) -> pa.Field:
    metadata = {"unit": column.unit, "description": column.text, "ucd": column.ucd}
    known = {name: text for name, text in metadata.items() if text or name == "unit"}
    paper = {"paper": column.paper} if column.paper else {}
    return pa.field(column.name, _TYPES[column.dtype], metadata=known | paper)


def _metadata(
    table: pd.DataFrame, schema: Sequence[Column], provenance: Mapping[str, str]
) -> dict[str, str]:
    """The metadata of the file: ours, then what astropy's reader looks for."""
    texts = [column.name for column in schema if column.dtype == "str"]
    lengths = {
        f"table::len::{name}": str(max(map(len, table[name]), default=1) or 1) for name in texts
    }
    return {
        "provenance": json.dumps(dict(provenance), sort_keys=True),
        "table_meta_yaml": "\n".join(astropy_yaml(schema, provenance)),
        **lengths,
    }
