"""FLAG_chi2: stars fitted worse than others of their class with the same labels."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from torchfit.exceptions import ConfigError
from torchfit.files.table_pieces import Table
from torchfit.flags.judgement import STATISTICS, Judgement, Line, as_flag, finite
from torchfit.names import LABELS, MAD_TO_SIGMA, TEFF
from torchfit.spectra import evenly

ALL = "all"
"""Name of the relation of all classes together."""

_ROUNDS = 5
_TEACHERS = 1_000_000
"""Most stars for a relation, whose few coefficients more of them would not change."""
_CLIP = 3.0


@dataclass(frozen=True)
class Relation:
    """A linear relation between labels and misfit.

    Args:
        coefficients: Constant and slopes on the scaled labels.
        scatter: Robust standard deviation about the relation.
    """

    coefficients: Float[np.ndarray, " term"]
    scatter: float

    def excess(
        self, terms: Float[np.ndarray, "star term"], misfit: Float[np.ndarray, " star"]
    ) -> Float[np.ndarray, " star"]:
        """Misfit above the relation."""
        return misfit - terms @ self.coefficients


@dataclass(frozen=True)
class Chi2Rule:
    """Flags stars whose misfit lies above a linear relation with the labels of their class.

    The paper flags everything above the relation, which is half of all stars. The default flags
    what lies ``n_sigma`` robust standard deviations above it, in the logarithm, and fits without
    those. A class with few stars is judged by the relation of all stars together; a survey with
    few stars not at all.

    Args:
        n_sigma: Height of the limit above the relation; 0 for the relation itself.
        logarithmic: Whether the logarithm of the misfit is linear in the labels.
        statistic: Misfit: ``rchi2`` or ``mean_square``.
        min_stars: Least number of stars for a relation.

    Raises:
        ConfigError: If a value is impossible.
    """

    n_sigma: float = 3.0
    logarithmic: bool = True
    statistic: str = "rchi2"
    min_stars: int = 30

    def __post_init__(self) -> None:
        if self.statistic not in STATISTICS:
            raise ConfigError(f"flags: statistic={self.statistic}: use {', '.join(STATISTICS)}")
        if self.n_sigma < 0 or self.min_stars <= len(LABELS) + 1:
            raise ConfigError(
                f"flags: n_sigma={self.n_sigma} must not be negative, min_stars={self.min_stars} "
                f"be above {len(LABELS) + 1}"
            )

    def judge(self, table: Table) -> Judgement:
        """Flag the stars above the limit of their class.

        Args:
            table: The result table: ``spectral_class``, labels, ``sse``, ``n_pix``, ``rchi2``.

        Returns:
            The flag, missing where labels or misfit are not finite or stars are too few, and the
            relation of every class.
        """
        misfit, terms = self._misfit(table), label_terms(table)
        good = np.isfinite(misfit) & np.isfinite(terms).all(axis=1)
        flagged, known = np.zeros(len(table), dtype=bool), np.zeros(len(table), dtype=bool)
        lines: list[Line] = []
        for name in sorted(table["spectral_class"].unique()):
            inside = (table["spectral_class"] == name).to_numpy() & good
            stars, origin = self._teachers(inside, good)
            lines.append({"class": str(name), "stars": int(inside.sum()), "relation of": origin})
            if stars.size:
                relation = self._relation(terms[stars], misfit[stars])
                excess = relation.excess(terms[inside], misfit[inside])
                flagged[inside] = excess > self.n_sigma * relation.scatter
                known |= inside
            lines[-1] |= {"flagged": int(flagged[inside].sum())}
        return Judgement(as_flag(flagged, known, table.index), lines)

    def _misfit(self, table: Table) -> np.ndarray:
        misfit = STATISTICS[self.statistic](table)
        if not self.logarithmic:
            return misfit
        return np.log10(misfit, out=np.full_like(misfit, np.nan), where=misfit > 0)

    def _teachers(
        self, inside: np.ndarray, good: np.ndarray
    ) -> tuple[Int[np.ndarray, " teacher"], str]:
        """The stars that a class learns its relation from: its own, all, or none."""
        stars, origin = inside, "its own stars"
        if inside.sum() < self.min_stars:
            stars, origin = good, f"{ALL} stars: it has fewer than {self.min_stars}"
        if stars.sum() < self.min_stars:
            none = np.empty(0, dtype=int)
            return none, f"none: the survey has fewer than {self.min_stars} stars"
        return evenly(np.flatnonzero(stars), _TEACHERS), origin

    def _relation(self, terms: np.ndarray, misfit: np.ndarray) -> Relation:
        """Least squares; with a limit above the relation, without the stars beyond 3 sigma."""
        used = np.ones(misfit.size, dtype=bool)
        for _ in range(_ROUNDS if self.n_sigma > 0 else 1):
            coefficients = np.linalg.lstsq(terms[used], misfit[used], rcond=None)[0]
            left = misfit - terms @ coefficients
            centre = np.median(left[used])
            scatter = MAD_TO_SIGMA * float(np.median(np.abs(left[used] - centre)))
            used = np.abs(left - centre) <= max(_CLIP * scatter, np.finfo(float).tiny)
        return Relation(coefficients, scatter)


def label_terms(table: Table) -> Float[np.ndarray, "star term"]:
    """The terms of the relation: a constant, and labels of zero mean and unit scatter.

    Args:
        table: The result table with the labels that the emulator has.

    Returns:
        One row per star; NaN where a label is not finite. The temperature is a logarithm.
    """
    names = [name for name in LABELS if name in table]
    terms = np.ones((len(table), 1 + len(names)))
    labels = terms[:, 1:]
    for place, name in enumerate(names):
        labels[:, place] = table[name].to_numpy(dtype=float)
    if TEFF in names:
        teff = labels[:, names.index(TEFF)]
        labels[:, names.index(TEFF)] = np.log10(np.where(teff > 0, teff, np.nan))
    known = labels[finite(table, names)]
    if len(known):
        spread = known.std(axis=0)
        labels -= known.mean(axis=0)
        labels /= np.where(spread > 0, spread, 1.0)
    return terms
