"""Small tables of spectra as array columns: FITS, Parquet, CSV."""

from pathlib import Path

import numpy as np
import pandas as pd
from astropy.table import Table

H_BETA = 4862.691
"""Vacuum wavelength in Angstrom of the one line that every made spectrum has."""
COLUMNS = {"wave": "LAMBDA", "flux": "FLUX", "ivar": "IVAR", "z": "Z", "name": "STAR"}
COLUMNS |= {"gaia_source_id": "GAIA"}
N_PIX, GAIA = 1200, 4472832130942575872


def make(path: Path, n: int = 3) -> Path:
    """Write a table whose format the ending tells."""
    wave = np.tile(np.linspace(4300.0, 5700.0, N_PIX), (n, 1))
    z = np.linspace(0, 2e-4, n)
    flux = 30 - 15 * np.exp(-0.5 * ((wave / (1 + z[:, None]) - H_BETA) / 4) ** 2)
    ivar = np.full_like(flux, 4.0)
    ivar[:, 100] = 0
    arrays = {"LAMBDA": wave, "FLUX": flux, "IVAR": ivar}
    single = {"Z": z, "STAR": [f"star {row}" for row in range(n)], "GAIA": GAIA + np.arange(n)}
    if path.suffix == ".fits":
        Table({**arrays, **single}).write(path)
    elif path.suffix == ".parquet":
        pd.DataFrame({key: list(v) for key, v in arrays.items()} | single).to_parquet(path)
    else:
        texts = {key: [" ".join(map(repr, row)) for row in v.tolist()] for key, v in arrays.items()}
        pd.DataFrame(texts | single).to_csv(path, index=False)
    return path
