"""The same star seen again: what two measurements of it differ by."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from torchfit.files.table_pieces import Table
from torchfit.uncertainty.repeats import pair_repeats, visits_of

MAX_RATIO_DIFFERENCE = 0.2
"""Largest difference of two signal-to-noise ratios over their mean, as in the paper."""


@dataclass(frozen=True)
class Repeats:
    """Pairs of visits.

    Args:
        first: Place of one visit in the catalogue.
        second: Place of the other.
        snr: Mean of their signal-to-noise ratios, NaN where they are not known.
    """

    first: Int[np.ndarray, " pair"]
    second: Int[np.ndarray, " pair"]
    snr: Float[np.ndarray, " pair"]

    def scatter(self, values: Float[np.ndarray, " star"]) -> Float[np.ndarray, " pair"]:
        """Difference over the square root of two: what one visit is off by."""
        return (values[self.second] - values[self.first]) / np.sqrt(2.0)


def find_repeats(table: Table, snr: Float[np.ndarray, " star"]) -> Repeats:
    """Pair the visits of every star that are neighbours in signal-to-noise ratio.

    Args:
        table: The catalogue.
        snr: Signal-to-noise ratio of every row; NaN where unknown.

    Returns:
        Pairs whose ratios differ by at most 20 %; if no ratio is known at all, pairs without.
    """
    visits = visits_of(table, snr)
    first, second = visits.row[pair_repeats(visits, MAX_RATIO_DIFFERENCE).T]
    return Repeats(first, second, (snr[first] + snr[second]) / 2)
