"""A table of more rows than memory holds: its columns lie on disk, and are read one by one."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Bool, Int

ROWS = 65536
"""Most rows of a piece."""

Compute = Callable[[pd.DataFrame, slice], Mapping[str, pd.Series | np.ndarray]]
"""New columns of a piece, from some of its columns and the place of its rows in the table."""


@dataclass(frozen=True)
class ColumnTable:
    """Columns of equal length, each in a Parquet file; to those who read it, a data frame.

    ``table["x"]`` reads one column, ``table[["x", "y"]]`` a data frame of some, :meth:`pieces` some
    rows at a time, and :meth:`assign` writes new columns. Nothing is kept in memory.

    Args:
        folder: Where new columns go; the table lives as long as it does.
        files: File of every column, in the order of the columns.
        n_rows: Number of rows.
    """

    folder: Path
    files: Mapping[str, Path]
    n_rows: int

    @classmethod
    def of(cls, folder: Path, pieces: Iterable[pd.DataFrame]) -> "ColumnTable":
        """Write a table.

        Args:
            folder: Where it goes; made when missing.
            pieces: Its rows in order, at least one piece, all of the same columns and types.

        Returns:
            The table.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path, n_rows = folder / f"{secrets.token_hex(8)}.parquet", 0
        with ExitStack() as stack:
            writer: pq.ParquetWriter | None = None
            for piece in pieces:
                schema = None if writer is None else writer.schema
                rows = pa.Table.from_pandas(piece, schema, preserve_index=False)
                if writer is None:
                    writer = stack.enter_context(pq.ParquetWriter(path, rows.schema))
                writer.write_table(rows, row_group_size=ROWS)
                n_rows += len(rows)
        return cls(folder, dict.fromkeys(pq.read_schema(path).names, path), n_rows)

    @classmethod
    def opened(cls, folder: Path) -> "ColumnTable":
        """A table as :meth:`of` has written it, before it was given other columns.

        Args:
            folder: Where it lies.
        """
        (path,) = folder.glob("*.parquet")
        names = pq.read_schema(path).names
        return cls(folder, dict.fromkeys(names, path), pq.read_metadata(path).num_rows)

    def __len__(self) -> int:
        """Number of rows."""
        return self.n_rows

    def __contains__(self, name: object) -> bool:
        """Whether there is a column of this name."""
        return name in self.files

    def __iter__(self) -> Iterator[str]:
        """The names of the columns, as of a data frame."""
        return iter(self.files)

    @property
    def index(self) -> pd.Index:
        """Numbers of the rows."""
        return pd.RangeIndex(self.n_rows)

    def dtype(self, name: str) -> object:
        """Type of a column."""
        return pq.read_schema(self.files[name]).empty_table().to_pandas()[name].dtype

    @overload
    def __getitem__(self, names: str) -> pd.Series: ...
    @overload
    def __getitem__(self, names: list[str]) -> pd.DataFrame: ...
    def __getitem__(self, names: str | list[str]) -> pd.Series | pd.DataFrame:
        """One column, or a data frame of some."""
        if isinstance(names, str):
            with pq.ParquetFile(self.files[names]) as file:
                values = file.read([names]).to_pandas()[names]
            # Arrow keeps what it has freed from all others.
            pa.default_memory_pool().release_unused()
            return values
        columns = {name: self[name] for name in names}
        return pd.DataFrame(columns, index=self.index, copy=False)

    def pieces(self, names: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Some rows at a time, at least one piece.

        Args:
            names: Columns that are wanted; ``None`` for all.

        Yields:
            Rows in order, each piece with an index of its own.
        """
        wanted = list(self.files if names is None else names)
        if not self.n_rows:
            yield self[wanted]
            return
        with ExitStack() as stack:
            streams = []
            for path in dict.fromkeys(self.files[name] for name in wanted):
                # Buffered beforehand, all that was read would stay in memory until the end.
                file = stack.enter_context(pq.ParquetFile(path, pre_buffer=False))
                own = [name for name in wanted if self.files[name] == path]
                streams.append(file.iter_batches(ROWS, columns=own))
            for batches in zip(*streams, strict=True):
                yield pd.concat([batch.to_pandas() for batch in batches], axis=1)[wanted]
        pa.default_memory_pool().release_unused()

    def assign(self, **columns: object) -> "ColumnTable":
        """A table with more columns, or others in the place of those of the same name.

        Args:
            **columns: Values of every row, or one for all, by name.

        Returns:
            A new table.
        """
        table = self
        for name, values in columns.items():
            column = pd.DataFrame({name: values}, index=self.index)
            table = table._with(ColumnTable.of(self.folder, [column]))
        return table

    def computed(self, names: Sequence[str], compute: Compute) -> "ColumnTable":
        """A table with columns that are computed some rows at a time.

        Args:
            names: Columns that they are computed from.
            compute: What computes them.

        Returns:
            A new table.
        """
        added = (
            pd.DataFrame(compute(piece, rows), index=piece.index)
            for piece, rows in self._placed(names)
        )
        return self._with(ColumnTable.of(self.folder, added))

    def select(self, names: Sequence[str]) -> "ColumnTable":
        """A table of some columns, in this order."""
        return replace(self, files={name: self.files[name] for name in names})

    def where(self, chosen: Bool[np.ndarray, " row"]) -> "ColumnTable":
        """A table of some rows."""
        kept = (piece[chosen[rows]] for piece, rows in self._placed(list(self.files)))
        return ColumnTable.of(self.folder, kept)

    def take(self, rows: Int[np.ndarray, " wanted"], names: Sequence[str]) -> pd.DataFrame:
        """A few rows in memory.

        Args:
            rows: Their numbers, in any order.
            names: Columns that are wanted.

        Returns:
            The rows in the order asked for.
        """
        ordered = np.sort(rows)
        found = []
        for piece, place in self._placed(names):
            low, high = np.searchsorted(ordered, [place.start, place.stop])
            found.append(piece.iloc[ordered[low:high] - place.start])
        back = np.argsort(np.argsort(rows, kind="stable"), kind="stable")
        return pd.concat(found, ignore_index=True).take(back).reset_index(drop=True)

    def _placed(self, names: Sequence[str]) -> Iterator[tuple[pd.DataFrame, slice]]:
        """Pieces with the place of their rows in the table."""
        low = 0
        for piece in self.pieces(names):
            yield piece, slice(low, low + len(piece))
            low += len(piece)

    def _with(self, other: "ColumnTable") -> "ColumnTable":
        return replace(self, files={**self.files, **other.files})
