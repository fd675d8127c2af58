"""A small ELODIE: files, table and description as VizieR III/251 has them, as far as is known."""

from pathlib import Path

import numpy as np
from astropy.io import fits

from torchfit.surveys.medium import vacuum_to_air

H_BETA = 4862.691
STEP, FIRST, N_PIX = 0.2, 4800.0, 1000

README = """\
III/251             ELODIE library V3.1         (Prugniel+ 2007)
================================================================================
File Summary:
--------------------------------------------------------------------------------
 FileName   Lrecl  Records   Explanations
--------------------------------------------------------------------------------
ReadMe         80        .   This file
table1.dat     48        4   List of spectra
--------------------------------------------------------------------------------

Byte-by-byte Description of file: table1.dat
--------------------------------------------------------------------------------
   Bytes Format Units   Label     Explanations
--------------------------------------------------------------------------------
   1-  5  I5    ---     Seq       Number of the spectrum
   7- 16  A10   ---     Name      Name of the star
  18- 22  I5    K       Teff      ?=-999 Effective temperature
  24- 28  F5.2  [cm/s2] logg      ?=-9.9 Surface gravity
  30- 34  F5.2  [Sun]   [Fe/H]    ?=-9.9 Metallicity
  36- 43  A8    ---     SpType    Spectral type
--------------------------------------------------------------------------------
"""
TABLE = """\
    1 HD000245    5433  3.50 -0.78 G2V
    2 HD000245    5433  3.50 -0.78 G2V
    3 HD000358   14007  -9.9  -9.9
    7 HD001835    5777  4.45  0.17 G3V
"""
NUMBERS = (1, 2, 3, 7)


def wave() -> np.ndarray:
    """Air wavelengths of every file in Angstrom."""
    return FIRST + STEP * np.arange(N_PIX)


def flux_of() -> np.ndarray:
    """A flat spectrum with H beta in air, undefined in a telluric band."""
    line = vacuum_to_air(np.array([H_BETA]))
    flux = 1 - 0.6 * np.exp(-0.5 * ((wave() - line) / 1.5) ** 2)
    flux[600:650] = np.nan
    return flux


def write(path: Path, flux: np.ndarray, noise: np.ndarray | None, extname: str = "NOISE") -> Path:
    """A file with its flux in the primary unit, a table, and the noise in the third."""
    primary = fits.PrimaryHDU(flux.astype(">f4"))
    primary.header.update({"CRVAL1": FIRST, "CDELT1": STEP, "CRPIX1": 1.0, "BTYPE": "FLUX-PHY"})
    units = [primary, fits.BinTableHDU.from_columns([fits.Column("X", "E", array=[1.0])])]
    if noise is not None:
        units.append(fits.ImageHDU(noise.astype(">f4"), name=extname))
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(units).writeto(path)
    return path


def make(root: Path) -> Path:
    """Write four spectra of three stars."""
    for number in NUMBERS:
        write(root / "ll" / f"{number:05d}.fits", flux_of(), np.full(N_PIX, 0.02))
    (root / "ReadMe").write_text(README)
    (root / "table1.dat").write_text(TABLE)
    return root
