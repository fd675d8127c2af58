"""Rows of one star found by place in the sky, at one epoch."""

import warnings
from dataclasses import dataclass

import astropy.units as u
import numpy as np
import pandas as pd
from astropy.coordinates import SkyCoord
from astropy.time import Time
from erfa import ErfaWarning
from jaxtyping import Bool, Int

from torchfit.exceptions import ConfigError

_RA, _DEC, _PMRA, _PMDEC = "ra", "dec", "pmra", "pmdec"
_FULL_CIRCLE = 360.0


@dataclass(frozen=True)
class SkyMatch:
    """Nearest neighbours within a radius.

    Where the other table has proper motions (``pmra``, with cos dec in it, and ``pmdec``, in
    mas/yr) its places are moved to the epoch of ours first.

    Args:
        radius: Largest distance in arcsec.
        epoch: Epoch of the other table's places, in Julian years.
        our_epoch: Epoch of ours.

    Raises:
        ConfigError: If the radius is not positive.
    """

    radius: float = 3.0
    epoch: float = 2000.0
    our_epoch: float = 2000.0

    def __post_init__(self) -> None:
        if self.radius <= 0:
            raise ConfigError(f"radius={self.radius} must be positive (arcsec)")

    def match(self, ours: pd.DataFrame, theirs: pd.DataFrame) -> Int[np.ndarray, " star"]:
        """Find the nearest row of every star.

        Args:
            ours: Our catalogue: ``ra`` and ``dec`` in degrees.
            theirs: The other table: the same, and perhaps ``pmra`` and ``pmdec``.

        Returns:
            Row of the other table, -1 for a star without one within the radius or without a place.
        """
        here, there = placed(ours), placed(theirs)
        found = np.full(len(ours), -1)
        if not here.any() or not there.any():
            return found
        stars = SkyCoord(*_angles(ours[here]))
        nearest, distance, _ = stars.match_to_catalog_sky(self._moved(theirs[there]))
        close = distance <= self.radius * u.arcsec
        found[np.flatnonzero(here)[close]] = np.flatnonzero(there)[nearest[close]]
        return found

    def nearest(self, ours: pd.DataFrame, theirs: pd.DataFrame) -> float:
        """Distance in arcsec of the two that are nearest; both tables must have places."""
        stars = SkyCoord(*_angles(ours[placed(ours)]))
        _, distance, _ = stars.match_to_catalog_sky(self._moved(theirs[placed(theirs)]))
        return float(distance.arcsec.min())

    def _moved(self, theirs: pd.DataFrame) -> SkyCoord:
        """Places of the other table at our epoch."""
        place = SkyCoord(*_angles(theirs))
        if self.epoch == self.our_epoch or not {_PMRA, _PMDEC} <= set(theirs):
            return place
        motion = {
            "pm_ra_cosdec": theirs[_PMRA].fillna(0.0).to_numpy() * u.mas / u.yr,
            "pm_dec": theirs[_PMDEC].fillna(0.0).to_numpy() * u.mas / u.yr,
        }
        with warnings.catch_warnings():
            # A star without a parallax is taken to be far away: its motion is what it is.
            warnings.simplefilter("ignore", ErfaWarning)
            moving = SkyCoord(*_angles(theirs), **motion, obstime=Time(self.epoch, format="jyear"))
            there = moving.apply_space_motion(new_obstime=Time(self.our_epoch, format="jyear"))
        return SkyCoord(there.ra, there.dec)


def placed(table: pd.DataFrame) -> Bool[np.ndarray, " row"]:
    """Rows that have a place in the sky.

    Args:
        table: A table, perhaps with ``ra`` and ``dec`` in degrees.

    Returns:
        True where both are known and possible.
    """
    if not {_RA, _DEC} <= set(table):
        return np.zeros(len(table), dtype=bool)
    ra, dec = table[_RA].to_numpy(dtype=float), table[_DEC].to_numpy(dtype=float)
    return (np.abs(ra) <= _FULL_CIRCLE) & (np.abs(dec) <= 90)


def may_be_hours(table: pd.DataFrame) -> bool:
    """Whether right ascensions can be hours: none of them is 24 or more."""
    there = placed(table)
    return bool(there.any()) and bool(table.loc[there, _RA].between(0, 24, "left").all())


def in_hours(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose right ascensions were hours, in degrees."""
    return table.assign(**{_RA: table[_RA] * 15.0})


def _angles(table: pd.DataFrame) -> list[u.Quantity]:
    return [table[name].to_numpy(dtype=float) * u.deg for name in (_RA, _DEC)]
