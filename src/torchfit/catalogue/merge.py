"""From parts to one table in which every expected star stands exactly once."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from torchfit.catalogue.parts import read_part
from torchfit.catalogue.schema import columns, conform, is_sampled
from torchfit.exceptions import CatalogueError

_NAMED = 5


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
    parts = [read_part(path) for path in paths]
    schema = columns(labels, sampled=any(map(is_sampled, parts)))
    parts = [conform(part, schema) for part in parts]
    table = pd.concat(parts, ignore_index=True) if parts else _empty(labels)
    _check_stars(table["star"].to_numpy(), np.asarray(expected_stars, dtype=np.int64))
    return table.sort_values("star", ignore_index=True)


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
