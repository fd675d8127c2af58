"""From parts to one table in which every expected star stands exactly once."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from torchfit.catalogue.parts import read_parts
from torchfit.catalogue.schema import Column, columns, conform, is_sampled
from torchfit.exceptions import CatalogueError
from torchfit.spectra import slices

_NAMED = 5
_AT_ONCE = 256
"""Parts that are read together."""


def merge_parts(
    paths: Iterable[Path], expected_stars: Sequence[int] | np.ndarray, labels: Sequence[str]
) -> pd.DataFrame:
    """Merge part files into the result table.

    Args:
        paths: Files of :func:`torchfit.catalogue.parts.write_part`, in any order.
        expected_stars: Running numbers of the stars that must be there.
        labels: Labels of the emulator.

    Returns:
        The table in the schema's columns and types, sorted by ``star``.

    Raises:
        CatalogueError: If a star is missing, doubled or not expected, or a part does not fit.
    """
    pieces = list(_pieces(list(paths), labels)) or [_empty(labels)]
    star = np.concatenate([piece["star"].to_numpy() for piece in pieces])
    _check_stars(star, np.asarray(expected_stars, dtype=np.int64))
    order = np.argsort(star)
    # Column by column, each leaving its pieces at once, and Arrow what they took: there is never a
    # second whole table.
    merged = {}
    for name in map(str, pieces[0].columns):
        column = pd.concat([piece.pop(name) for piece in pieces], ignore_index=True)
        merged[name] = column.take(order).reset_index(drop=True)
        pa.default_memory_pool().release_unused()
    return pd.DataFrame(merged, copy=False)


def _pieces(paths: Sequence[Path], labels: Sequence[str]) -> Iterator[pd.DataFrame]:
    """The parts in the schema of the first, some at a time."""
    schema: tuple[Column, ...] = ()
    for some in slices(len(paths), _AT_ONCE):
        piece = read_parts(paths[some])
        schema = schema or columns(labels, is_sampled(piece))
        yield conform(piece, schema)


def _empty(labels: Sequence[str]) -> pd.DataFrame:
    schema = columns(labels)
    return conform(pd.DataFrame(columns=[column.name for column in schema]), schema)


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
