"""What a rule of the whole survey says: a column, and how it came to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool

from torchfit.files.table_pieces import Table

Line = dict[str, str | int | float]
"""One line of a table that explains a rule."""


@dataclass(frozen=True)
class Judgement:
    """The outcome of a rule.

    Args:
        flag: 0 good, 1 flagged, missing where the rule cannot say.
        lines: How the rule was made: one line per class.
    """

    flag: pd.Series
    lines: Sequence[Line]


def as_flag(
    flagged: Bool[np.ndarray, " star"], known: Bool[np.ndarray, " star"], index: pd.Index
) -> pd.Series:
    """Make a column of 0 and 1 that is missing where nothing is known.

    Args:
        flagged: Stars that the rule flags.
        known: Stars that it can judge.
        index: Index of the survey's table.

    Returns:
        Integers that may be missing.
    """
    return pd.Series(pd.arrays.IntegerArray(flagged.astype(np.int64), ~known), index=index)


def finite(table: Table, names: Sequence[str]) -> Bool[np.ndarray, " star"]:
    """Stars whose values in all of some columns are finite."""
    good = np.ones(len(table), dtype=bool)
    for name in names:
        good &= np.isfinite(table[name].to_numpy(dtype=float))
    return good


def mean_square(table: Table) -> np.ndarray:
    """Unweighted sum of squared residuals per pixel, the paper's chi-squared of Eq. 3."""
    n_pix = table["n_pix"].to_numpy(dtype=float)
    sse = table["sse"].to_numpy(dtype=float)
    return np.divide(sse, n_pix, out=np.full_like(sse, np.nan), where=n_pix > 0)


STATISTICS = {
    "mean_square": mean_square,
    "rchi2": lambda table: table["rchi2"].to_numpy(dtype=float),
}
"""Measures of the goodness of a fit, by name."""
