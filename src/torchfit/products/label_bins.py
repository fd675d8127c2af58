"""Bins of labels: like stars, whose spectra can be coadded."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from torchfit.exceptions import ConfigError
from torchfit.names import LABELS, TEFF


@dataclass(frozen=True)
class LabelBins:
    """Widths of bins, and which of their stars are taken.

    Args:
        teff_dex: Width in the logarithm of the temperature; 0.02 is 4.7 %.
        logg: Width in dex.
        fe_h: Width in dex.
        alpha_fe: Width in dex, where the catalogue has it.
        min_stars: Least number of stars of a bin.
        max_stars: Most stars of a bin, those of the highest signal-to-noise ratios.

    Raises:
        ConfigError: If a number makes no sense.
    """

    teff_dex: float = 0.02
    logg: float = 0.4
    fe_h: float = 0.2
    alpha_fe: float = 0.1
    min_stars: int = 5
    max_stars: int = 50

    def __post_init__(self) -> None:
        widths = (self.teff_dex, self.logg, self.fe_h, self.alpha_fe)
        if not all(0 < width < math.inf for width in widths) or not (
            1 <= self.min_stars <= self.max_stars
        ):
            raise ConfigError(
                f"library.bins: widths must be positive, and min_stars={self.min_stars} lie within "
                f"1 and max_stars={self.max_stars}"
            )

    def choose(self, stars: pd.DataFrame) -> pd.DataFrame:
        """Choose stars bin by bin.

        Args:
            stars: Labels of good stars, and their signal-to-noise ratio ``snr``.

        Returns:
            The chosen stars, with ``bin`` numbered from 0 along the labels, in the order of bins
            and then of the stars; whoever has a label that is not finite is left out.
        """
        names = [name for name in LABELS if name in stars]
        steps = np.stack([self._steps(stars[name], name) for name in names], axis=1)
        known = np.isfinite(steps).all(axis=1)
        found = stars[known].copy()
        found["bin"] = np.unique(steps[known], axis=0, return_inverse=True)[1].ravel()
        ranked = found.sort_values(["bin", "snr"], ascending=[True, False], kind="stable")
        ranked = ranked[ranked.groupby("bin").cumcount() < self.max_stars]
        size = ranked.groupby("bin")["bin"].transform("size")
        ranked = ranked[size >= self.min_stars].sort_values(["bin", "star"], ignore_index=True)
        return ranked.assign(bin=pd.factorize(ranked["bin"])[0])

    def _steps(self, values: pd.Series, name: str) -> np.ndarray:
        """Number of the bin along one label; NaN without a value."""
        width = self.teff_dex if name == TEFF else getattr(self, name)
        label = values.to_numpy(np.float64)
        with np.errstate(all="ignore"):
            steps = np.floor((np.log10(label) if name == TEFF else label) / width)
        return np.where(np.isfinite(steps), steps, np.nan)
