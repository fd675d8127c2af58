"""The catalogue as Parquet, with units, descriptions and provenance in its metadata."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from torchfit.catalogue.binary_rows import longest_texts
from torchfit.catalogue.description import astropy_yaml
from torchfit.catalogue.schema import Column
from torchfit.files.table_pieces import Table, pieces_of

_TYPES = {
    "str": pa.string(),
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "Int64": pa.int64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
}


def write_parquet(
    path: Path, table: Table, schema: Sequence[Column], provenance: Mapping[str, str]
) -> None:
    """Write the catalogue as Parquet, piece by piece.

    Every field carries ``unit``, ``description``, ``ucd`` and, where the paper has it, its name
    there as ``paper``; the file carries ``provenance`` as JSON and the header from which
    ``astropy.table.QTable.read`` takes units and descriptions.

    Args:
        path: File to write.
        table: The result table.
        schema: Its columns.
        provenance: How the table came about.
    """
    pieces = to_arrow(table, schema, provenance)
    with pq.ParquetWriter(path, pieces.schema, compression="zstd") as writer:
        for piece in pieces:
            writer.write_table(pa.Table.from_batches([piece]))


def to_arrow(
    table: Table, schema: Sequence[Column], provenance: Mapping[str, str]
) -> pa.RecordBatchReader:
    """Return the catalogue as Arrow's rows, which carry all that is known of its columns.

    Args:
        table: The result table.
        schema: Its columns.
        provenance: How the table came about.

    Returns:
        The rows, to be read once, as :func:`write_parquet` writes them.
    """
    fields = pa.schema([_field(column) for column in schema])
    names = [column.name for column in schema]
    first = next(pieces_of(table, names))
    none = pa.Table.from_pandas(first[:0], schema=fields, preserve_index=False)
    metadata = {**none.schema.metadata, **_metadata(table, schema, provenance)}
    full = fields.with_metadata(metadata)
    pieces = (
        pa.RecordBatch.from_pandas(piece, schema=full, preserve_index=False)
        for piece in pieces_of(table, names)
    )
    return pa.RecordBatchReader.from_batches(full, pieces)


def _field(column: Column) -> pa.Field:
    metadata = {"unit": column.unit, "description": column.text, "ucd": column.ucd}
    known = {name: text for name, text in metadata.items() if text or name == "unit"}
    paper = {"paper": column.paper} if column.paper else {}
    return pa.field(column.name, _TYPES[column.dtype], metadata=known | paper)


def _metadata(
    table: Table, schema: Sequence[Column], provenance: Mapping[str, str]
) -> dict[str, str]:
    """The metadata of the file: ours, then what astropy's reader looks for."""
    longest = longest_texts(table, schema, len)
    lengths = {f"table::len::{name}": str(max(1, length)) for name, length in longest.items()}
    return {
        "provenance": json.dumps(dict(provenance), sort_keys=True),
        "table_meta_yaml": "\n".join(astropy_yaml(schema, provenance)),
        **lengths,
    }
