"""Parts of a result table on disk: whole or absent, never half written."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from torchfit.exceptions import CatalogueError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path that replaces ``path`` when the block ends without an error.

    The temporary file lies in the folder of ``path``, which is made when missing, and is removed
    on any failure, so that a reader sees the old file or the whole new one. Its name ends in
    ``.tmp``: a writer that looks at the ending needs its format said.

    Args:
        path: File to write.

    Yields:
        The path to write to.

    Raises:
        CatalogueError: If the system refuses the write, for instance on a full disk.
    """
    temp = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temp
        _sync(temp)
        os.replace(temp, path)
    except OSError as error:
        raise CatalogueError(
            f"{path} was not written ({error.strerror or error}); whatever it held before is "
            "untouched. Make room or choose another folder, then run again"
        ) from error
    finally:
        temp.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Wait until the file is on disk: a replaced name must not outlive its content."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def write_part(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet, atomically; the same table gives the same bytes.

    Args:
        path: File to write.
        table: Rows of the result table; the index is not kept.

    Raises:
        CatalogueError: If the file cannot be written.
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
    try:
        # ParquetFile, not read_table: that one makes columns of folders named "match.t=50".
        with pq.ParquetFile(path) as file:
            return file.read().to_pandas()
    except (OSError, pa.ArrowInvalid) as error:
        raise CatalogueError(
            f"{path} cannot be read ({error}); delete it and run again: only this part is redone"
        ) from error
