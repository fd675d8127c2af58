"""Which columns of the MaStar parameter catalogue are the labels, and where they are valid."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from torchfit.exceptions import ConfigError
from torchfit.names import ALPHA_FE, FE_H, LABELS, LOGG, TEFF

GROUPS = ("JI", "DL", "LH", "YC")
"""Imig (neural network), Lazarz (BOSZ, MCMC), Hill (pPXF on BOSZ and MARCS), Chen."""
_QUANTITIES = {TEFF: "TEFF", LOGG: "LOGG", FE_H: "FEH", ALPHA_FE: "ALPHA"}
_LOWEST = -100.0
"""No label is lower: what is, stands for a missing value, -999 as far as is known."""


@dataclass(frozen=True)
class MastarLabels:
    """A choice of labels.

    Args:
        label_set: ``median`` of the four groups, or one group: JI, DL, LH, YC.
        logg_source: A group whose gravity replaces that of the set; a star for which it is not
            valid then has none, so that all gravities are on one scale. ``None`` for no change.

    Raises:
        ConfigError: If there is no such set.

    References:
        Imig et al. 2022, AJ 163, 56, for JI.
    """

    label_set: str = "median"
    logg_source: str | None = None

    def __post_init__(self) -> None:
        if self.label_set not in ("median", *GROUPS):
            raise ConfigError(f"labels={self.label_set} must be one of median, {', '.join(GROUPS)}")
        if self.logg_source not in (None, *GROUPS):
            raise ConfigError(f"logg_source={self.logg_source} must be one of {', '.join(GROUPS)}")

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the parameter file that :meth:`of` needs."""
        return tuple(dict.fromkeys(name for label in LABELS for name in self._sources(label)))

    def of(self, table: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The labels of every row.

        Args:
            table: The columns named by :attr:`columns`.

        Returns:
            By label, in K and dex: values as float64, NaN where not valid.
        """
        labels = {}
        for label in LABELS:
            value_column, count_column = self._sources(label)
            value = table[value_column].astype(np.float64)
            valid = (table[count_column] > 0) & (value > _LOWEST)
            labels[label] = np.where(valid, value, np.nan)
        return labels

    def sentinels(self, table: Mapping[str, np.ndarray]) -> str:
        """The values too low for a label, which are not documented.

        Args:
            table: The columns named by :attr:`columns`.

        Returns:
            Up to five of them, empty when there is none.
        """
        values = np.concatenate([table[self._sources(label)[0]] for label in LABELS])
        return ", ".join(f"{value:g}" for value in np.unique(values[~(values > _LOWEST)])[:5])

    def _sources(self, label: str) -> tuple[str, str]:
        """Column of the value, and the column that is positive where it is valid."""
        group = self.logg_source if label == LOGG and self.logg_source else self.label_set
        quantity = _QUANTITIES[label]
        if group == "median":
            return f"{quantity}_MED", "NALPHAGROUPS" if label == ALPHA_FE else "NGROUPS"
        return f"{quantity}_{group}", f"VALID_{group}"
