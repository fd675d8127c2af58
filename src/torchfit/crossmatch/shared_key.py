"""Rows of one star found by an identifier that both tables have."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Int

from torchfit.exceptions import ConfigError


@dataclass(frozen=True)
class SharedKey:
    """An identifier of a star or an observation.

    Args:
        ours: Column of our catalogue.
        theirs: Column of the other table, as its schema calls it.
        our_pattern: Regular expression whose groups, joined by hyphens, are the identifier within
            our text; ``None`` for the whole text.
        their_pattern: The same for theirs.

    Raises:
        ConfigError: If a pattern is no regular expression with a group.
    """

    ours: str
    theirs: str
    our_pattern: str | None = None
    their_pattern: str | None = None

    def __post_init__(self) -> None:
        for pattern in (self.our_pattern, self.their_pattern):
            if pattern is not None and not _n_groups(pattern):
                raise ConfigError(f"{pattern!r} must be a regular expression with a group")

    def match(self, ours: pd.DataFrame, theirs: pd.DataFrame) -> Int[np.ndarray, " star"]:
        """Find the row of every star.

        Args:
            ours: Our catalogue.
            theirs: The other table; of several rows with one identifier the first counts.

        Returns:
            Row of the other table, -1 for a star that is not in it or has no identifier.
        """
        if self.ours not in ours:
            return np.full(len(ours), -1)
        known = pd.Series(self.keys(theirs), dtype=object)
        known = known[known != ""].drop_duplicates()
        place = pd.Index(known).get_indexer(pd.Index(self.our_keys(ours)))
        return np.where(place < 0, -1, known.index.to_numpy()[place] if len(known) else -1)

    def our_keys(self, ours: pd.DataFrame) -> Sequence[str]:
        """Our identifiers; empty where there is none."""
        return _keys(ours[self.ours], self.our_pattern) if self.ours in ours else []

    def keys(self, theirs: pd.DataFrame) -> Sequence[str]:
        """Identifiers of the other table; empty where there is none."""
        return _keys(theirs[self.theirs], self.their_pattern)


def _keys(values: pd.Series, pattern: str | None) -> Sequence[str]:
    texts = values.astype("string").fillna("")
    if pattern is None:
        return texts.to_list()
    groups = texts.str.extract(pattern)
    joined = groups[0].str.cat(groups.iloc[:, 1:], sep="-")
    return joined.fillna("").to_list()


def _n_groups(pattern: str) -> int:
    try:
        return re.compile(pattern).groups
    except re.error:
        return 0
