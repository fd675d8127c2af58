"""A small wheel with STELIB in it: the member paths and cards of the real one."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from torchfit.surveys.medium import vacuum_to_air

FOLDER = "mangadap/data/spectral_templates/stelib/"
LICENCE = "sdss_mangadap-4.5.0.dist-info/licenses/LICENSE.md"
H_BETA = 4862.691
"""Vacuum wavelength in Angstrom of the one line that every made spectrum has."""
N_PIX = 6700
STEP = 0.999388272042387

HEADER = """\
SIMPLE  =                    T / Fits standard
BITPIX  =                  -32 / Bits per pixel
NAXIS   =                    1 / Number of axes
NAXIS1  =                 6700 / Axis length
ORIGIN  = 'NOAO-IRAF FITS Image Kernel July 1999' / FITS file originator
IRAF-TLM= '00:20:47 (14/03/2003)' / Time of last modification
EXTEND  =                    T / FITS dataset may contain extensions
EXTEND  =                    T / FITS dataset may contain extensions
DATE    = '2003-03-20T17:40:22'/ FITS file creation date (dd/mm/yy)
OBJECT  = 'HD021581'           / star identification
BUNIT   = 'erg /s /cm2 /angstroms ' /Physical units of data array
RA      =           0.90034264 / Mean RA  03 26 20.6
DEC     =           0.01033138 / Mean Dec  -0 35 31
EQUINOX = 'B1950.0 '
CTYPE1  = 'LINEAR  '
CRVAL1  =             3199.025 /
CRPIX1  =                   1.
CDELT1  =    0.999388272042387 /
CD1_1   =    0.999388272042387 /
STARIDEN= 'HD021581           '/ star identification
SPECTYPE= 'G0                 '/ spectral type
ISEXTINC=                0.000 / interstellar extinction Av
HISTORY = 'interstellar extinction applied. value: Av=ISEXTINC'
APNUM1  =                  1 0
RADVEL  =                 +154
TEFF    =                 4885
LOG_G   =                 2.12
FE_H    =                -1.67
ABSMAG  = '1.87_+0.56_-0.74_'
"""
"""Cards of a real header, among them a doubled one and APNUM1, which is not FITS."""

STARS: dict[str, dict[str, str]] = {
    "HD021581": {},
    "HD026630": {
        "RA": "' 4:11:11.54'",
        "DEC": "'48:17:16.80'",
        "EQUINOX": "'B1950.0'                     /Equinox",
        "STARIDEN": "'HD26630            '/ star identification",
        "SPECTYPE": "'G0Ib               '/ spectral type",
    },
    "HD053929lp": {
        "RA": "' 7:07:06.64'",
        "DEC": "' 4:54:28.70'",
        "EQUINOX": "'J2000.0'",
        "LOG_G": "'-       '",
        "FE_H": "'-       '",
    },
}
"""The cards in which each star differs: radians, sexagesimal of both equinoxes, no labels."""


def header_of(changes: Mapping[str, str]) -> bytes:
    """The header with the text after ``=`` of some cards changed."""
    cards = [
        f"{card[:8]}= {changes[key]}" if (key := card[:8].strip()) in changes else card
        for card in HEADER.splitlines()
    ]
    text = "".join(card.ljust(80) for card in [*cards, "END"])
    return text.ljust(-(-len(text) // 2880) * 2880).encode("ascii")


def flux_of() -> np.ndarray:
    """A spectrum with H beta in air that is zero where nothing was observed."""
    wave = 3199.025 + STEP * np.arange(N_PIX)
    line = vacuum_to_air(np.array([H_BETA]))
    flux = 1e-12 * (1 - 0.5 * np.exp(-0.5 * ((wave - line) / 3) ** 2))
    flux[:262] = flux[-286:] = flux[2400:2500] = 0
    return flux


def make(path: Path) -> Path:
    """Write the wheel."""
    data = flux_of().astype(">f4").tobytes()
    data += b"\0" * (-len(data) % 2880)
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, changes in STARS.items():
            wheel.writestr(f"{FOLDER}STELIB_v3.2_{name}.fits", header_of(changes) + data)
        wheel.writestr(f"{FOLDER}README", "STELIB STELLAR LIBRARY")
        wheel.writestr(LICENCE, "BSD 3-Clause License")
    return path
