"""A small wheel with MILES in it: the member paths, cards and columns of the real one."""

import zipfile
from pathlib import Path

import numpy as np

from torchfit.surveys.medium import vacuum_to_air

FOLDER = "mangadap/data/spectral_templates/miles/"
LICENCE = "sdss_mangadap-4.5.0.dist-info/licenses/LICENSE.md"
H_BETA = 4862.691
"""Vacuum wavelength in Angstrom of the one line that every made spectrum has."""
N_PIX = 4300

PARAMETERS = """\
Name                  MILES   CaT   SpT            Teff   log g   [Fe/H]  Refs   Libraries
                      s????
 - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - --
BD+002058A             0272         sd:F            6024   4.50    -1.44   131
BD+012916              0505   677   KIIvw           4238   0.34    -1.49   221         I
HD044691A              022.         A3m             7950   3.95     0.35   333
HD001461               0022         G0V             5666   4.21     0.16   131
HD199478               0777         B8Iae          11200     --       --   333
NGC 7789 971(946) Cl   0985   156    GB             4020   1.32    -0.13   1     L
"""
"""The real header and rows of several kinds: blanks in a name, a misprint, missing values."""

NUMBERS = (22, 221, 272, 505, 777, 985)


def fits_bytes(flux: np.ndarray) -> bytes:
    """A MILES file: nine cards and big-endian double precision."""
    cards = [
        "SIMPLE  =                    T / Written by IDL:  Tue Feb 10 09:53:13 2015",
        "BITPIX  =                  -64 / Number of bits per data pixel",
        "NAXIS   =                    1 / Number of axes",
        f"NAXIS1  = {flux.size:>20} /",
        "TPLLIB  = 'MILES   '           /Template library",
        "FWHM    =              2.50000 /FWHM of resolution element (angstroms)",
        "CRPIX1  =                    1 /",
        "CRVAL1  =        3540.50000000 /",
        "CDELT1  =       0.900000000000 /",
        "END",
    ]
    header = "".join(card.ljust(80) for card in cards).ljust(2880).encode("ascii")
    data = flux.astype(">f8").tobytes()
    return header + data + b"\0" * (-len(data) % 2880)


def flux_of(number: int) -> np.ndarray:
    """A flat spectrum with H beta in air, and negative noise in the first two pixels."""
    wave = 3540.5 + 0.9 * np.arange(N_PIX)
    line = vacuum_to_air(np.array([H_BETA]))
    flux = 1 + 1e-4 * number - 0.5 * np.exp(-0.5 * ((wave - line) / 3) ** 2)
    flux[:2] = -0.1, 0.0
    return flux


def make(path: Path) -> Path:
    """Write the wheel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for number in NUMBERS:
            name = f"{FOLDER}MILES_res2.50_star_m{number:04d}V.fits"
            wheel.writestr(name, fits_bytes(flux_of(number)))
        wheel.writestr(f"{FOLDER}omit/MILES_res2.50_star_m0970V.fits", fits_bytes(np.zeros(N_PIX)))
        wheel.writestr(f"{FOLDER}README", "MILES")
        wheel.writestr(f"{FOLDER}paramsMILES_v9.1.txt", PARAMETERS)
        wheel.writestr(LICENCE, "BSD 3-Clause License")
    return path
