"""From parts to one table in which every expected star stands exactly once."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from torchfit.catalogue.conform import conform
from torchfit.catalogue.parts import read_parts
from torchfit.catalogue.schema import Column, columns, part_columns
from torchfit.exceptions import CatalogueError
from torchfit.files.atomic import remove
from torchfit.files.column_table import ROWS, ColumnTable
from torchfit.spectra import slices

_NAMED = 5
_AT_ONCE = 256
"""Parts that are read together, and most buckets that are open together."""


def merge_parts(
    paths: Iterable[Path],
    expected_stars: Sequence[int] | np.ndarray,
    labels: Sequence[str],
    folder: Path,
) -> ColumnTable:
    """Merge part files into the result table, in the memory of some of its rows.

    Args:
        paths: Files of :func:`torchfit.catalogue.parts.write_part`, in any order.
        expected_stars: Running numbers of the stars that must be there.
        labels: Labels of the emulator.
        folder: Where the table lies; what an interrupted run has left there is removed.

    Returns:
        The table in the schema's columns and types, sorted by ``star``.

    Raises:
        CatalogueError: If a star is missing, doubled or not expected, or a part does not fit.
    """
    remove(folder)
    expected = np.sort(np.asarray(expected_stars, dtype=np.int64))
    pieces = _pieces(list(paths), labels)
    buckets = _fill_buckets(pieces, expected, folder / "buckets")
    return ColumnTable.of(folder, (_sorted(path) for path in buckets))


def _pieces(paths: Sequence[Path], labels: Sequence[str]) -> Iterator[pd.DataFrame]:
    """The parts in the schema of the first, some at a time."""
    schema: tuple[Column, ...] = ()
    for some in slices(len(paths), _AT_ONCE):
        piece = read_parts(paths[some])
        schema = schema or part_columns(labels, piece)
        yield conform(piece, schema)
    if not paths:
        schema = columns(labels)
        yield conform(pd.DataFrame(columns=[column.name for column in schema]), schema)


def _fill_buckets(pieces: Iterable[pd.DataFrame], expected: np.ndarray, folder: Path) -> list[Path]:
    """Part the rows of all pieces by ranges of stars, a file per range, and check the stars."""
    folder.mkdir(parents=True)
    n_rows = ROWS * -(-max(len(expected), 1) // (ROWS * _AT_ONCE))
    edges = expected[n_rows::n_rows]
    paths = [folder / f"{number:06d}.arrow" for number in range(len(edges) + 1)]
    stars = []
    with ExitStack() as stack:
        writers: list[pa.RecordBatchStreamWriter] = []
        for piece in pieces:
            rows = pa.Table.from_pandas(piece.sort_values("star"), preserve_index=False)
            writers = writers or [stack.enter_context(_writer(p, rows.schema)) for p in paths]
            star = rows["star"].to_numpy()
            ends = [0, *np.searchsorted(star, edges), len(star)]
            for writer, low, high in zip(writers, ends[:-1], ends[1:], strict=True):
                writer.write_table(rows.slice(low, high - low))
            stars.append(star)
    _check_stars(np.concatenate(stars), expected)
    return paths


def _writer(path: Path, schema: pa.Schema) -> pa.RecordBatchStreamWriter:
    return pa.ipc.new_stream(path, schema, options=pa.ipc.IpcWriteOptions(compression="zstd"))


def _sorted(path: Path) -> pd.DataFrame:
    """The rows of a bucket by star; the bucket is not needed any more."""
    with pa.ipc.open_stream(path) as stream:
        rows = stream.read_all()
    path.unlink()
    return rows.sort_by("star").to_pandas()


def _check_stars(stars: np.ndarray, expected: np.ndarray) -> None:
    present, counts = np.unique(stars, return_counts=True)
    faults = {
        "missing": np.setdiff1d(expected, present),
        "doubled": present[counts > 1],
        "not expected": np.setdiff1d(present, expected),
    }
    found = [f"{_sample(stars)} {fault}" for fault, stars in faults.items() if stars.size]
    if found:
        raise CatalogueError(
            f"the parts do not hold every star exactly once: {'; '.join(found)}. "
            "Delete the parts of these stars, or all of them, and run again"
        )


def _sample(stars: np.ndarray) -> str:
    named = ", ".join(str(star) for star in stars[:_NAMED])
    more = f", ... ({stars.size} in all)" if stars.size > _NAMED else ""
    return f"star {named}{more}"
