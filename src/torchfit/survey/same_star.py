"""Which spectra of a survey are exposures of one star."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from astropy.coordinates import angular_separation
from jaxtyping import Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

RADIUS = 3.0
"""Arcseconds; spectra of one name further apart are of different stars."""


def stars_of(column: Callable[[str], pd.Series]) -> Int[np.ndarray, " exposure"]:
    """Number the stars of spectra, from 0, in the order of their first exposures.

    Two spectra are of one star if they share the survey's identifier or that of Gaia, or the name,
    the latter not further apart than :data:`RADIUS` where positions are known; or if a third is of
    one star with both. A spectrum of which none of these is known is a star of its own.

    Args:
        column: Gives ``uid``, ``gaia_source_id``, ``name``, ``ra`` and ``dec`` of every spectrum,
            one at a time; what is not known is empty or NaN.
    """
    by_name = _first_alike(column("name"))
    position = np.stack([column(name).to_numpy(np.float64) for name in ("ra", "dec")], axis=1)
    apart = _separation(position, position[by_name]) > RADIUS
    del position
    place = np.arange(len(by_name))
    links = [_pairs(np.where(apart, place, by_name))]
    links += [_pairs(_first_alike(column(name))) for name in ("uid", "gaia_source_id")]
    row, first = (np.concatenate(each) for each in zip(*links, strict=True))
    pairs = coo_array((np.ones(len(row), bool), (row, first)), 2 * (len(place),))
    return pd.factorize(connected_components(pairs, directed=False)[1])[0]


def _pairs(
    first: Int[np.ndarray, " exposure"],
) -> tuple[Int[np.ndarray, " linked"], Int[np.ndarray, " linked"]]:
    """Spectra that are alike to an earlier one, and that: of a survey most are not."""
    row = np.flatnonzero(first != np.arange(len(first)))
    return row, first[row]


def _first_alike(names: pd.Series) -> Int[np.ndarray, " exposure"]:
    """Place of the first spectrum of the same name; a spectrum without one is its own."""
    place = np.arange(len(names))
    first = pd.Series(place).groupby(pd.factorize(names)[0]).transform("first").to_numpy()
    return np.where((names == "").to_numpy(bool), place, first)


def _separation(
    one: Float[np.ndarray, "exposure 2"], other: Float[np.ndarray, "exposure 2"]
) -> Float[np.ndarray, " exposure"]:
    """Angle in arcseconds between positions in degrees; NaN where one is missing."""
    return 3600 * np.degrees(angular_separation(*np.radians(one).T, *np.radians(other).T))
