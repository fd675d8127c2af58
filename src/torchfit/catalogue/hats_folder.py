"""The catalogue in HATS, the layout by place in the sky that LSDB cross-matches on Dask."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from torchfit.catalogue.parquet_file import to_arrow
from torchfit.catalogue.schema import Column
from torchfit.exceptions import CatalogueError
from torchfit.files.table_pieces import Table, rows_where

NAME = "torchfit"
"""Name of the catalogue within its folder."""

_ROWS_PER_PIXEL = 500_000
_ROWS_AT_ONCE = 100_000


def demand_hats() -> None:
    """Look for the package that writes HATS.

    Raises:
        CatalogueError: If it is not there.
    """
    try:
        import hats_import  # noqa: F401
    except ImportError as error:
        raise CatalogueError(
            "the format hats needs a package: pip install 'torchfit[hats]'"
        ) from error


def write_hats(
    path: Path, table: Table, schema: Sequence[Column], provenance: Mapping[str, str]
) -> None:
    """Write the catalogue as a HATS folder, which holds the catalogue ``torchfit``.

    Stars without a place in the sky are left out; if none has one, the folder holds a note that
    says so. The date stands in the folder: unlike the other formats it is not the same bytes
    every time.

    Args:
        path: Folder to write.
        table: The result table.
        schema: Its columns.
        provenance: How the table came about.

    Raises:
        CatalogueError: If the package is not there.
    """
    placed = np.isfinite(table[["ra", "dec"]].to_numpy(dtype=float)).all(axis=1)
    path.mkdir(parents=True)
    if not placed.any():
        (path / "EMPTY.txt").write_text("No star has a place in the sky.\n")
        return
    demand_hats()
    flat = path / "rows.parquet"
    arrow = to_arrow(rows_where(table, placed), schema, provenance)
    with pq.ParquetWriter(flat, arrow.schema) as writer:
        for piece in arrow:
            writer.write_table(pa.Table.from_batches([piece]), row_group_size=_ROWS_AT_ONCE)
    _import(flat, path)
    flat.unlink()


def _import(flat: Path, folder: Path) -> None:
    """Let hats-import part the rows, in this process and a piece at a time."""
    from dask.distributed import Client
    from hats_import.catalog.arguments import ImportArguments
    from hats_import.catalog.file_readers import ParquetPyarrowReader
    from hats_import.catalog.run_import import run

    wanted = ImportArguments(
        output_artifact_name=NAME,
        output_path=str(folder),
        input_file_list=[str(flat)],
        file_reader=ParquetPyarrowReader(chunksize=_ROWS_AT_ONCE),
        use_schema_file=str(flat),
        ra_column="ra",
        dec_column="dec",
        pixel_threshold=_ROWS_PER_PIXEL,
        progress_bar=False,
        resume=False,
    )
    with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None) as dask:
        run(wanted, dask)
