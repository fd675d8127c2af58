"""FLAG_S/N: the signal-to-noise ratio from which a fit does not get better any more."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from torchfit.exceptions import ConfigError
from torchfit.files.table_pieces import Table
from torchfit.flags.change_point import binned_medians, fit_hinge
from torchfit.flags.judgement import STATISTICS, Judgement, Line, as_flag

PAPER_THRESHOLDS = {"M": 10.0, "K": 8.0, "G": 8.0, "F": 8.0, "A": 5.0, "OB": 8.0}
"""Thresholds of the paper; for O and B stars it gives 5 to 8."""

_EXPLAINED = 0.6


@dataclass(frozen=True)
class SnrRule:
    """Flags stars below the signal-to-noise ratio of their class.

    Below some ratio the misfit falls as the noise does; above it, it stays. In every class the
    medians of the misfit in bins of equally many stars are fitted by a hinge, whose knee is the
    threshold. A class without a knee, or with few stars, keeps its preset threshold.

    Args:
        thresholds: Preset threshold by class.
        bands: Band by class whose ratio counts.
        search: Whether to look for knees at all.
        statistic: Misfit: ``mean_square`` (unweighted, falls with the noise) or ``rchi2``.
        min_stars: Least number of stars of a class to look for a knee.
        n_bins: Number of bins.

    Raises:
        ConfigError: If a class has no band or no threshold, or a value is impossible.
    """

    thresholds: Mapping[str, float] = field(default_factory=lambda: dict(PAPER_THRESHOLDS))
    bands: Mapping[str, str] = field(
        default_factory=lambda: {name: "i" if name == "M" else "g" for name in PAPER_THRESHOLDS}
    )
    search: bool = True
    statistic: str = "mean_square"
    min_stars: int = 200
    n_bins: int = 20

    def __post_init__(self) -> None:
        classes, wanted = set(PAPER_THRESHOLDS), (self.thresholds, self.bands)
        if any(set(each) != classes for each in wanted):
            raise ConfigError(f"flags: thresholds and bands must name the classes {list(classes)}")
        if self.statistic not in STATISTICS:
            raise ConfigError(f"flags: statistic={self.statistic}: use {', '.join(STATISTICS)}")
        if not 4 <= self.n_bins <= self.min_stars:
            raise ConfigError(
                f"flags: n_bins={self.n_bins} must lie within 4 and min_stars={self.min_stars}"
            )

    def ratio(self, table: Table) -> np.ndarray:
        """Signal-to-noise ratio of every star in the band of its class, NaN where unknown."""
        ratio = np.full(len(table), np.nan)
        for name, band in self.bands.items():
            inside = (table["spectral_class"] == name).to_numpy()
            ratio[inside] = table[f"snr_{band}"].to_numpy(dtype=float)[inside]
        return ratio

    def judge(self, table: Table) -> Judgement:
        """Flag the stars below the threshold of their class.

        Args:
            table: The result table: ``spectral_class``, ``snr_*``, ``sse``, ``n_pix``, ``rchi2``.

        Returns:
            The flag, missing for a star without a ratio, and the threshold of every class.
        """
        ratio, misfit = self.ratio(table), STATISTICS[self.statistic](table)
        threshold = np.full(len(table), np.nan)
        lines: list[Line] = []
        for name in self.thresholds:
            inside = (table["spectral_class"] == name).to_numpy()
            if inside.any():
                value, origin = self._threshold(name, ratio[inside], misfit[inside])
                threshold[inside] = value
                lines.append(self._line(name, ratio[inside], value, origin))
        known = np.isfinite(ratio) & np.isfinite(threshold)
        return Judgement(as_flag(ratio < threshold, known, table.index), lines)

    def _threshold(self, name: str, ratio: np.ndarray, misfit: np.ndarray) -> tuple[float, str]:
        """Threshold of a class, and where it comes from."""
        good = np.isfinite(ratio) & np.isfinite(misfit) & (ratio > 0)
        preset = float(self.thresholds[name])
        if not self.search:
            return preset, "preset"
        if good.sum() < self.min_stars:
            return preset, f"preset: fewer than {self.min_stars} stars with a ratio"
        hinge = fit_hinge(*binned_medians(ratio[good], misfit[good], self.n_bins))
        if hinge.slope >= 0 or hinge.explained < _EXPLAINED:
            return preset, "preset: the misfit has no knee"
        return hinge.knee, "knee of the misfit"

    def _line(self, name: str, ratio: np.ndarray, value: float, origin: str) -> Line:
        return {
            "class": name,
            "band": self.bands[name],
            "stars": ratio.size,
            "with S/N": int(np.isfinite(ratio).sum()),
            "threshold": value,
            "below": int((ratio < value).sum()),
            "from": origin,
        }
