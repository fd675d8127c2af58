"""Small libraries of one's own: a table of labels, spectra in its cells or in files beside it."""

from pathlib import Path

import numpy as np
import pandas as pd
from astropy.table import Table
from tests.data.files import make as files

H_BETA = 4862.691
"""Vacuum wavelength in Angstrom of the one line that every made spectrum has."""
N_STARS, N_PIX = 4, 1200
LABELS = {"teff": "Teff", "logg": "LOGG", "fe_h": "FEH", "vsini": "VSINI"}
COLUMNS = {"name": "STAR", "wave": "LAMBDA", "flux": "FLUX", "ivar": "IVAR"}
ENDINGS = ("fits", "parquet", "csv", "ecsv", "vot")


def labels(n: int = N_STARS) -> dict[str, np.ndarray]:
    """Columns of labels, of errors, and the name of the star; the last two rows are one star."""
    row = np.arange(n)
    values = {"Teff": 5000.0 + 100 * row, "LOGG": 4.0 - 0.1 * row, "FEH": -0.1 * row}
    names = np.array([f"star {min(number, n - 2)}" for number in row])
    return values | {"VSINI": 5.0 * row, "E_TEFF": 50.0 + row, "STAR": names}


def write(path: Path, columns: dict[str, np.ndarray]) -> Path:
    """Write a table whose format the ending tells; cells may hold arrays."""
    if path.suffix == ".parquet":
        pd.DataFrame({key: list(values) for key, values in columns.items()}).to_parquet(path)
    elif path.suffix == ".csv":
        texts = {
            key: [" ".join(map(repr, row)) for row in values.tolist()]
            if values.ndim > 1
            else values
            for key, values in columns.items()
        }
        pd.DataFrame(texts).to_csv(path, index=False)
    else:
        formats = {".ecsv": "ascii.ecsv", ".vot": "votable", ".fits": "fits"}
        Table(columns).write(path, format=formats[path.suffix])
    return path


def make_arrays(path: Path, n: int = N_STARS) -> Path:
    """A table with spectra, in vacuum and at rest, in its cells."""
    wave = np.tile(np.linspace(4300.0, 5700.0, N_PIX), (n, 1))
    flux = 30 - 15 * np.exp(-0.5 * ((wave - H_BETA) / 4) ** 2)
    ivar = np.full_like(flux, 4.0)
    ivar[:, 100] = 0
    width = np.full_like(flux, 2.5)
    arrays = {"LAMBDA": wave, "FLUX": flux, "IVAR": ivar, "FWHM": width}
    return write(path, labels(n) | arrays)


def make_files(path: Path, n: int = N_STARS) -> Path:
    """A table of file names with files of specutils below ``spectra`` beside it."""
    names = [f"spectra/{number}.fits" for number in range(n)]
    for name in names:
        files.make(path.parent / name)
    return write(path, labels(n) | {"FILE": np.array(names), "R": np.full(n, 2000.0)})
