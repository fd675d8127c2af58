"""Parts of a result table on disk: whole or absent, never half written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from torchfit.exceptions import CatalogueError
from torchfit.files.atomic import atomic
from torchfit.files.column_table import ROWS


def write_part(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet, atomically; the same table gives the same bytes.

    Args:
        path: File to write.
        table: Rows of the result table; the index is not kept.

    Raises:
        OutputError: If the file cannot be written.
    """
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    with atomic(path) as temp:
        pq.write_table(arrow, temp, compression="zstd")


def read_part(path: Path) -> pd.DataFrame:
    """Read a table written by :func:`write_part`.

    Args:
        path: A Parquet file.

    Returns:
        The table as it was written.

    Raises:
        CatalogueError: If the file is missing or damaged.
    """
    return _read(path).to_pandas()


def read_parts(paths: Sequence[Path]) -> pd.DataFrame:
    """Read many tables as one, which is quicker than one by one.

    Args:
        paths: Parquet files of the same columns, at least one.

    Returns:
        Their rows, file by file.

    Raises:
        CatalogueError: If a file is missing or damaged, or has other columns than the first.
    """
    tables = [_read(path) for path in paths]
    for path, table in zip(paths, tables, strict=True):
        if table.column_names != tables[0].column_names:
            raise CatalogueError(
                f"{path} has other columns than {paths[0]}: another version wrote it; delete it "
                "and run again"
            )
    # Split blocks: a column can leave memory alone.
    return pa.concat_tables(tables, promote_options="permissive").to_pandas(split_blocks=True)


def part_pieces(path: Path, names: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Read a table some rows at a time, at least one piece.

    Args:
        path: A Parquet file.
        names: Columns that are wanted.

    Yields:
        Some rows.

    Raises:
        CatalogueError: If the file is missing or damaged.
    """
    with _opened(path) as file:
        if not file.metadata.num_rows:
            yield file.read(list(names)).to_pandas()
        for rows in file.iter_batches(ROWS, columns=list(names)):
            yield rows.to_pandas()


def read_part_schema(path: Path) -> pa.Schema:
    """Read columns and metadata of a table.

    Raises:
        CatalogueError: If the file is missing or damaged.
    """
    with _opened(path) as file:
        return file.schema_arrow


def _read(path: Path) -> pa.Table:
    with _opened(path) as file:
        return file.read()


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        # ParquetFile, not read_table: that one makes columns of folders named "match.t=50".
        with pq.ParquetFile(path, pre_buffer=False) as file:
            yield file
    except (OSError, pa.ArrowInvalid) as error:
        raise CatalogueError(
            f"{path} cannot be read ({error}); delete it and run again: only this part is redone"
        ) from error
