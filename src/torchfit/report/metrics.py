"""How far labels and fluxes are from their reference, by temperature."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from torchfit.catalogue.schema import difference_unit
from torchfit.names import MAD_TO_SIGMA, label_of
from torchfit.report.rows import Row


@dataclass(frozen=True)
class TeffRange:
    """A named range of effective temperature.

    Args:
        name: What the range is called in tables.
        low: Lower end in K, inside.
        high: Upper end in K, outside.
    """

    name: str
    low: float
    high: float

    def contains(self, teff: Float[np.ndarray, " star"]) -> Bool[np.ndarray, " star"]:
        """Say which temperatures in K lie inside; NaN never does."""
        return (teff >= self.low) & (teff < self.high)


SPECTRAL_CLASSES = (
    TeffRange("M", 0.0, 4000.0),
    TeffRange("FGK", 4000.0, 7500.0),
    TeffRange("A", 7500.0, 10000.0),
    TeffRange("OB", 10000.0, np.inf),
)
"""Spectral classes as ranges of effective temperature."""

TEFF_BINS = (
    TeffRange("< 4000 K", 0.0, 4000.0),
    TeffRange("4000-5000 K", 4000.0, 5000.0),
    TeffRange("5000-6000 K", 5000.0, 6000.0),
    TeffRange("6000-7500 K", 6000.0, 7500.0),
    TeffRange("7500-10000 K", 7500.0, 10000.0),
    TeffRange("> 10000 K", 10000.0, np.inf),
)
"""Finer ranges, for flux residuals."""


def robust_sigma(x: np.ndarray) -> float:
    """Return 1.4826 times the median absolute deviation about the median.

    Args:
        x: Values of any shape; those that are not finite are ignored.

    Returns:
        The robust standard deviation in the unit of ``x``; NaN when no value is finite.
    """
    good = x[np.isfinite(x)]
    if not good.size:
        return float("nan")
    return MAD_TO_SIGMA * float(np.median(np.abs(good - np.median(good))))


def label_residuals(
    predicted: Float[np.ndarray, "star label"],
    reference: Float[np.ndarray, "star label"],
    labels: Sequence[str],
    teff_reference: Float[np.ndarray, " star"],
) -> list[Row]:
    """Compare labels with a reference, label by label and class by class.

    Args:
        predicted: Labels under test.
        reference: Labels taken as true; NaN where there are none.
        labels: Names of the label axis.
        teff_reference: Effective temperature in K that puts a star in its class.

    Returns:
        Rows ``class, n, label, unit, bias, sigma_robust, mean, sigma_std``: the number of stars
        with both labels, and the median, robust scatter, mean and standard deviation of predicted
        minus reference. A class without a star has no row; the scatter of one star is NaN.
    """
    groups = {each.name: each.contains(teff_reference) for each in SPECTRAL_CLASSES}
    return residual_rows(predicted - reference, labels, groups)


def residual_rows(
    residual: Float[np.ndarray, "star label"],
    labels: Sequence[str],
    groups: Mapping[str, Bool[np.ndarray, " star"]],
) -> list[Row]:
    """Summarise differences, label by label and group by group.

    Args:
        residual: Differences; NaN where there is none.
        labels: Names of the label axis.
        groups: Stars of every group.

    Returns:
        Rows as those of :func:`label_residuals`, the name of the group in ``class``.
    """
    return [
        {"class": name, "n": inside.size, "label": label, **_spread(label, inside)}
        for column, label in zip(residual.T, labels, strict=True)
        for name, members in groups.items()
        if (inside := _finite(column[members])).size
    ]


def _finite(x: np.ndarray) -> np.ndarray:
    return x[np.isfinite(x)]


def _spread(label: str, residual: np.ndarray) -> Row:
    sigma_robust, sigma_std = robust_sigma(residual), float(np.std(residual))
    if residual.size == 1:
        sigma_robust = sigma_std = float("nan")
    return {
        "unit": difference_unit(label_of(label).unit),
        "bias": float(np.median(residual)),
        "sigma_robust": sigma_robust,
        "mean": float(np.mean(residual)),
        "sigma_std": sigma_std,
    }
