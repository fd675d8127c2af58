"""The catalogue as a partitioned Parquet dataset: a folder of files, one or more per value."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.dataset as ds
import pyarrow.parquet as pq

from torchfit.catalogue.parquet_file import to_arrow
from torchfit.catalogue.schema import Column
from torchfit.files.table_pieces import Table

_ROWS_PER_FILE = 1_000_000


def write_dataset(
    path: Path,
    table: Table,
    schema: Sequence[Column],
    provenance: Mapping[str, str],
    column: str,
) -> None:
    """Write the catalogue as folders ``column=value``, as Hive, pandas, Dask and DuckDB read them.

    A table without a row is one file without one.

    Args:
        path: Folder to write.
        table: The result table.
        schema: Its columns.
        provenance: How the table came about.
        column: Column that parts the rows; it stands in the names of the folders only.
    """
    arrow = to_arrow(table, schema, provenance)
    if not len(table):
        path.mkdir(parents=True)
        pq.write_table(arrow.read_all(), path / "part-0.parquet")
        return
    ds.write_dataset(
        arrow,
        path,
        format="parquet",
        partitioning=[column],
        partitioning_flavor="hive",
        max_rows_per_file=_ROWS_PER_FILE,
        max_rows_per_group=_ROWS_PER_FILE,
        file_options=ds.ParquetFileFormat().make_write_options(compression="zstd"),
        # One thread, in order: the same table gives the same files.
        use_threads=False,
    )
