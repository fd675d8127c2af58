"""Which stars of a survey are sampled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Int

from torchfit.exceptions import ConfigError, DataError

LISTED_BY = ("star", "obsid", "name", "source")
"""Columns that stars are chosen by: a star is listed by any but the first, its running number."""


@dataclass(frozen=True)
class Selection:
    """A part of a survey, chosen before the fit.

    Args:
        n_stars: How many stars at most; ``None`` for all.
        spread: Take them evenly over the survey, else from its beginning.
        listed: Path of a text file with one obsid, name or source per line; only these stars are
            chosen. ``None`` for every star.

    Raises:
        ConfigError: If the number makes no sense.
    """

    n_stars: int | None = None
    spread: bool = True
    listed: str | None = None

    def __post_init__(self) -> None:
        if self.n_stars is not None and self.n_stars < 1:
            raise ConfigError(f"n_stars={self.n_stars} must be at least 1, or null for all stars")

    def choose(
        self, stars: Iterable[pd.DataFrame], wanted: Sequence[str] | None
    ) -> Int[np.ndarray, " star"]:
        """Choose stars.

        Args:
            stars: The survey's table, some rows at a time: the columns of :data:`LISTED_BY`.
            wanted: Lines of the file ``listed``; ``None`` when there is none.

        Returns:
            Numbers of the chosen stars.

        Raises:
            DataError: If a file was given, and none of its lines is a star of the survey.
        """
        listed = None if wanted is None else set(wanted) - {""}
        numbers = np.concatenate([_numbers(piece, listed) for piece in stars])
        if wanted is not None and not len(numbers):
            raise DataError(
                f"none of the {len(wanted)} lines of {self.listed} is an obsid, a name or a "
                "source of this survey"
            )
        if self.n_stars is None or self.n_stars >= len(numbers):
            return numbers
        if not self.spread:
            return numbers[: self.n_stars]
        return numbers[np.linspace(0, len(numbers) - 1, self.n_stars).round().astype(int)]


def _numbers(stars: pd.DataFrame, listed: set[str] | None) -> Int[np.ndarray, " star"]:
    """Numbers of the stars that are listed, or of all without a list."""
    numbers = stars["star"].to_numpy()
    if listed is None:
        return numbers
    columns = [stars[name].astype("string") for name in LISTED_BY[1:]]
    return numbers[np.logical_or.reduce([column.isin(listed).to_numpy(bool) for column in columns])]
