"""The same star seen again: what two measurements of it differ by."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from torchfit.uncertainty.repeats import Visits, pair_repeats

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


def visits_of(table: pd.DataFrame, snr: Float[np.ndarray, " star"]) -> Visits:
    """Say which rows of a catalogue are visits of which star.

    Args:
        table: The catalogue: the star is ``uid``, or ``name`` where that is empty; the exposure is
            the night, or the observation, or the file.
        snr: Signal-to-noise ratio of every row; NaN where unknown.

    Returns:
        The visits. Two rows of one night, or of one observation, are no repeat.
    """
    star = table["uid"].where(table["uid"] != "", table["name"])
    exposure = table["source"].astype(object)
    for name in ("obsid", "mjd"):
        exposure = exposure.where(table[name].isna(), table[name].astype(object))
    return Visits(star.to_numpy(dtype=str), exposure.to_numpy(dtype=str), snr)


def find_repeats(table: pd.DataFrame, snr: Float[np.ndarray, " star"]) -> Repeats:
    """Pair the visits of every star that are neighbours in signal-to-noise ratio.

    Args:
        table: The catalogue.
        snr: Signal-to-noise ratio of every row; NaN where unknown.

    Returns:
        Pairs whose ratios differ by at most 20 %; if no ratio is known at all, pairs without.
    """
    first, second = pair_repeats(visits_of(table, snr), MAX_RATIO_DIFFERENCE).T
    return Repeats(first, second, (snr[first] + snr[second]) / 2)
