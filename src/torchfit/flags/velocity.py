"""The bit for a measured velocity that is not sure."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from torchfit.files.table_pieces import Table


@dataclass(frozen=True)
class VelocityRule:
    """Flags velocities by cross-correlation with a large error, or with two peaks of like height.

    Args:
        max_error: Error in km/s above which a velocity is not sure.
        max_ratio: Height of the second peak over that of the first, above which either may be
            that of the star, or both are of two.
    """

    max_error: float = 30.0
    max_ratio: float = 0.6

    def is_unsure(self, table: Table) -> Bool[np.ndarray, " star"]:
        """Stars whose velocity was measured and is not sure.

        Args:
            table: The result table; one without velocities has none that are not.
        """
        if "e_v_ccf" not in table:
            return np.zeros(len(table), dtype=bool)
        return self.is_beyond(*(table[n].to_numpy(dtype=float) for n in ("e_v_ccf", "ccf_ratio")))

    def is_beyond(
        self, error: Float[np.ndarray, " star"], ratio: Float[np.ndarray, " star"]
    ) -> Bool[np.ndarray, " star"]:
        """Velocities beyond one of the limits; one that was not measured, NaN, is none.

        Args:
            error: Errors in km/s.
            ratio: Heights of the second peaks over those of the first.
        """
        return (error > self.max_error) | (ratio > self.max_ratio)
