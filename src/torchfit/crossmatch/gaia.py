"""Gaia's photometry, whose errors the archive gives as flux over error."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from torchfit.crossmatch.external import ExternalCatalogue
from torchfit.crossmatch.join import Join

_MAG_PER_RELATIVE_FLUX = 2.5 / np.log(10.0)


@dataclass(frozen=True)
class GaiaPhotometry(ExternalCatalogue):
    """Gaia DR3 magnitudes with errors.

    The archive's ``gaia_source`` has no errors of magnitudes but ``phot_*_mean_flux_over_error``;
    tables of VizieR have both. Columns ``g_flux_over_error``, ... of the schema fill the gaps.
    """

    def join(self, stars: pd.DataFrame) -> Join:
        """Find our stars; see :meth:`ExternalCatalogue.join`."""
        join = super().join(stars)
        columns = join.columns.copy()
        for band in ("g", "bp", "rp"):
            ratio = columns.pop(f"{band}_flux_over_error")
            error = _MAG_PER_RELATIVE_FLUX / ratio.where(ratio > 0)
            columns[f"e_gaia_{band}"] = columns[f"e_gaia_{band}"].fillna(error)
        return Join(columns, join.found, join.line)
