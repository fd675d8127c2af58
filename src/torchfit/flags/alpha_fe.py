"""FLAG_[alpha/Fe]: hot stars near the main sequence, whose lines say little of it."""

from dataclasses import dataclass

import numpy as np

from torchfit.files.table_pieces import Table
from torchfit.flags.judgement import Judgement, as_flag, finite
from torchfit.names import ALPHA_FE, LOGG, TEFF


@dataclass(frozen=True)
class AlphaFeRule:
    """Flags hot dwarfs.

    Args:
        teff: Temperature in K above which a star is hot.
        logg: Gravity in dex from which a star counts as near the main sequence.
    """

    teff: float = 7000.0
    logg: float = 3.5

    def judge(self, table: Table) -> Judgement:
        """Flag the stars whose [alpha/Fe] is not to be trusted.

        Args:
            table: The result table.

        Returns:
            The flag; missing where a label is not finite, or there is no [alpha/Fe] at all.
        """
        flagged = ((table[TEFF] > self.teff) & (table[LOGG] >= self.logg)).to_numpy()
        needed = (TEFF, LOGG, ALPHA_FE)
        known = finite(table, needed) if ALPHA_FE in table else np.zeros_like(flagged)
        line = {"limit": f"Teff > {self.teff:g} K and log g >= {self.logg:g}"}
        return Judgement(
            as_flag(flagged, known, table.index),
            [line | {"stars": int(known.sum()), "flagged": int((flagged & known).sum())}],
        )
