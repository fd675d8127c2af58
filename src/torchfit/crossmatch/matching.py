"""Stars found in a table by identifier, else by place, and why none is found if none is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from torchfit.crossmatch.shared_key import SharedKey
from torchfit.crossmatch.sky import SkyMatch, in_hours, may_be_hours, placed
from torchfit.exceptions import DataError


@dataclass(frozen=True)
class Matching:
    """Which row is which star.

    Args:
        row: Row of every star, -1 for one that was not found.
        by_key: Which were found by identifier.
        notes: What must be said of it.
    """

    row: Int[np.ndarray, " star"]
    by_key: Bool[np.ndarray, " star"]
    notes: Sequence[str] = ()

    @property
    def found(self) -> Bool[np.ndarray, " star"]:
        """Stars that were found."""
        return self.row >= 0

    @property
    def n_by_place(self) -> int:
        """Number of stars that were found by place."""
        return int(self.found.sum() - self.by_key.sum())

    def summary(self) -> str:
        """How many were found, in words."""
        return (
            f"{self.found.sum()} of {len(self.row)} stars found, {self.by_key.sum()} by "
            f"identifier, {self.n_by_place} by place"
        )


def match_stars(
    key: SharedKey | None, sky: SkyMatch | None, stars: pd.DataFrame, theirs: pd.DataFrame
) -> Matching:
    """Find the row of every star.

    Args:
        key: Identifier; ``None`` for none.
        sky: Match by place of those that it does not find; ``None`` for none. If that finds none,
            and all right ascensions are so small that they can be hours, they are tried as such.
        stars: Our catalogue.
        theirs: The table.

    Returns:
        The rows.

    Raises:
        DataError: If there is only an identifier, and we have none.
    """
    row = np.full(len(stars), -1) if key is None else key.match(stars, theirs)
    by_key, notes = row >= 0, list[str]()
    if sky is None and key is not None and key.ours not in stars:
        raise DataError(f"our catalogue has no column {key.ours} to find stars by")
    if sky is not None and not by_key.all():
        rest = np.flatnonzero(~by_key)
        row[rest] = sky.match(stars.iloc[rest], theirs)
        if (row < 0).all() and may_be_hours(theirs):
            row[rest] = sky.match(stars.iloc[rest], in_hours(theirs))
            if (row >= 0).any():
                notes.append("its right ascensions were taken for hours: as degrees none fits")
    return Matching(row, by_key, notes)


def why_none(
    key: SharedKey | None, sky: SkyMatch | None, stars: pd.DataFrame, theirs: pd.DataFrame
) -> str:
    """Why no star is found.

    Args:
        key: As of :func:`match_stars`.
        sky: As of :func:`match_stars`.
        stars: Our catalogue.
        theirs: The table.

    Returns:
        The reasons in one line.
    """
    if theirs.empty or stars.empty:
        return "there is no row" if theirs.empty else "there is no star"
    reasons = [] if key is None else [_why_not_by_key(key, stars, theirs)]
    reasons += [] if sky is None else [_why_not_by_place(sky, stars, theirs)]
    return "; ".join(reasons)


def _why_not_by_key(key: SharedKey, stars: pd.DataFrame, theirs: pd.DataFrame) -> str:
    ours = next(filter(None, key.our_keys(stars)), "")
    other = next(filter(None, key.keys(theirs)), "")
    if not ours:
        return f"our stars have no {key.ours}"
    if not other:
        return f"the table has no usable {key.theirs}"
    return f"no {key.theirs} of the table ({other}, ...) is one of ours ({ours}, ...)"


def _why_not_by_place(sky: SkyMatch, stars: pd.DataFrame, theirs: pd.DataFrame) -> str:
    if not placed(stars).any():
        return "our stars have no places"
    if not placed(theirs).any():
        return "the table has no places (ra, dec)"
    nearest = sky.nearest(stars, theirs)
    hours = "; are its right ascensions hours?" if may_be_hours(theirs) else ""
    return f"the nearest row is {nearest:.4g} arcsec away, the radius {sky.radius:g}{hours}"
