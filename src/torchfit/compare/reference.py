"""A catalogue of labels that ours are compared with."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from jaxtyping import Float

from torchfit.compare.published import offsets_and_scatters
from torchfit.crossmatch.external import ExternalCatalogue
from torchfit.crossmatch.join import Line
from torchfit.crossmatch.user_table import UserRows
from torchfit.exceptions import ConfigError
from torchfit.names import LABELS, TEFF

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """Labels of a reference for our stars.

    Args:
        title: Name of the reference.
        labels: Labels that both have; the first is ``teff``.
        theirs: Their labels, in the order of our catalogue; NaN where there is none.
        published: What the paper found, offset and scatter by group of stars and label.
        remark: What a reader must know of the reference.
        line: What was joined, and how.
    """

    title: str
    labels: tuple[str, ...]
    theirs: Float[np.ndarray, "star label"]
    published: Mapping[str, Mapping[str, Sequence[float]]]
    remark: str
    line: Line


@dataclass(frozen=True)
class Reference(ExternalCatalogue):
    """A catalogue of labels.

    Args:
        title: Its name.
        sums: Labels that are sums of columns: factor by column, by label. [alpha/M] becomes
            [alpha/Fe] by ``{alpha_m: 1, m_h: 1, fe_h: -1}``, never by another name.
        published: Under what name :mod:`torchfit.compare.published` has what the paper found;
            empty for what it was not compared with.
        remark: What a reader must know of it.

    Raises:
        ConfigError: If a sum is of columns that are not read, there is no temperature to part the
            stars by, or nothing was published under that name.
    """

    title: str = ""
    sums: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    published: str = ""
    remark: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if TEFF not in self.columns:
            raise ConfigError(
                f"compare: columns={list(self.columns)} must be labels, {TEFF} among them, by "
                "which stars are parted"
            )
        summed = {name for terms in self.sums.values() for name in terms}
        if not summed <= set(self.table.numbers):
            raise ConfigError(f"compare: sums are of columns that are not read: {sorted(summed)}")
        if self.published and not offsets_and_scatters(self.published):
            raise ConfigError(
                f"compare: nothing was published against {self.published}; an empty name compares "
                "with nothing"
            )

    def needs(self) -> Sequence[str]:
        """Columns of our catalogue that stars are found by, and our labels."""
        return [*super().needs(), *self.columns]

    def rows(self) -> UserRows:
        """Rows that pass the cuts, with the labels that are sums."""
        rows = super().rows()
        sums = {
            label: sum(factor * rows.table[name] for name, factor in terms.items())
            for label, terms in self.sums.items()
        }
        return replace(rows, table=rows.table.assign(**sums))

    def compare(self, stars: pd.DataFrame, ours: Sequence[str] = LABELS) -> Comparison:
        """Find the labels of our stars.

        Args:
            stars: Our catalogue.
            ours: Labels of our emulator, the temperature first.

        Returns:
            Their labels, those that our catalogue has too, in our order.

        Raises:
            DataError: If the table cannot be read.
        """
        unknown = [name for name in self.columns if name not in (*ours, *LABELS)]
        if unknown:
            logger.warning("%s: our catalogue has no label %s", self.path, ", ".join(unknown))
        join = self.join(stars)
        labels = tuple(label for label in ours if label in self.columns and label in stars)
        theirs = join.columns[list(labels)].to_numpy(dtype=float)
        return Comparison(
            self.title,
            labels,
            theirs,
            offsets_and_scatters(self.published),
            self.remark,
            {"catalogue": self.title, **join.line},
        )
