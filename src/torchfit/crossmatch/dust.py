"""Reddening of the stars from the three-dimensional map of Green et al. 2019."""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
import pandas as pd
from astropy.coordinates import SkyCoord
from jaxtyping import Float

from torchfit.crossmatch.external import NO_FILE
from torchfit.crossmatch.join import Join, Line
from torchfit.crossmatch.sky import placed
from torchfit.exceptions import ConfigError, DataError

MODES = ("median", "mean", "best")
"""Ways to make one number of the samples of the map; the map's own default draws one at random."""

_COLUMN, _DISTANCE = "ebv_bayes19", "r_geo"


@dataclass(frozen=True)
class BayestarMap:
    """E(B-V) of Bayestar19 at the place and distance (``r_geo``) of every star.

    Needs the package dustmaps (``pip install 'torchfit[dust]'``). A star south of declination
    -30, where the map ends, or without a distance has none.

    Args:
        path: The map, ``bayestar2019.h5``; ``None`` for none, which leaves the column missing.
        mode: One of :data:`MODES`.
        scale: E(B-V) in magnitudes over the unit of the map; 0.884 by the colour g - r, 0.996 by
            r - z, 1 for the number that stands in the map.

    Raises:
        ConfigError: If the mode is none of these, or the scale not positive.

    References:
        Green et al. 2019, ApJ 887, 93, and its page on the units of the map.
    """

    path: str | None
    mode: str = "median"
    scale: float = 0.884

    def __post_init__(self) -> None:
        if self.mode not in MODES or self.scale <= 0:
            raise ConfigError(
                f"bayestar19: mode={self.mode} must be one of {', '.join(MODES)} (the others are "
                f"random), scale={self.scale} positive"
            )

    def check(self) -> None:
        """Look for the map and the package.

        Raises:
            DataError: If one is not there.
        """
        if self.path is None:
            return
        if not self._file().is_file():
            raise DataError(f"no such map: {self._file()}")
        try:
            import dustmaps.bayestar  # noqa: F401
        except ImportError as error:
            raise DataError(
                "the map of the dust needs a package: pip install 'torchfit[dust]'"
            ) from error

    def needs(self) -> Sequence[str]:
        """Place and distance of our stars."""
        return ["ra", "dec", _DISTANCE]

    def join(self, stars: pd.DataFrame) -> Join:
        """Look up every star.

        Args:
            stars: The catalogue: ``ra``, ``dec``, ``r_geo``.

        Returns:
            The column ``ebv_bayes19`` in magnitudes.

        Raises:
            DataError: If the map cannot be read.
        """
        reddening = np.full(len(stars), np.nan)
        distance = stars[_DISTANCE].to_numpy(dtype=float)
        asked = placed(stars) & (distance > 0)
        if self.path is not None and asked.any():
            reddening[asked] = self.scale * self._query(stars[asked], distance[asked])
        found = np.isfinite(reddening)
        line: Line = {
            "rows": 0,
            "found": int(found.sum()),
            "by identifier": 0,
            "by place": int(found.sum()),
            "file": NO_FILE if self.path is None else f"{self.path} ({self.mode} x {self.scale})",
        }
        return Join(pd.DataFrame({_COLUMN: reddening}, index=stars.index), found, line)

    def _file(self) -> Path:
        return Path(str(self.path)).expanduser()

    def _query(self, stars: pd.DataFrame, distance: np.ndarray) -> Float[np.ndarray, " star"]:
        from dustmaps.bayestar import BayestarQuery

        place = SkyCoord(
            stars["ra"].to_numpy(dtype=float) * u.deg,
            stars["dec"].to_numpy(dtype=float) * u.deg,
            distance * u.pc,
        ).galactic
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                return BayestarQuery(map_fname=str(self._file()))(place, mode=self.mode)
        except (OSError, KeyError) as error:
            raise DataError(f"{self._file()} is no map of Bayestar ({error})") from error
