"""Small SDSS, BOSS and SDSS-V ``spec-*.fits`` files: a row a pixel, and one of the object."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from astropy.io import fits

H_BETA = 4862.691
"""Vacuum wavelength in Angstrom of the one line that every made spectrum has."""
N_PIX = 1400
BAD = {100: 1 << 23, 101: 1 << 24}
"""Pixels with a bit of ``and_mask`` that makes them bad: BRIGHTSKY, NODATA."""
TOLERATED = 102
"""A pixel with a bit that does not: NEARBADPIXEL."""
GAIA = 4472832130942575872
OBJECT = {
    "CLASS": "STAR", "SUBCLASS": "K0V (10780)", "Z": np.float32(2e-4), "Z_ERR": np.float32(1e-5),
    "ZWARNING": np.int32(16), "PLUG_RA": 156.66764, "PLUG_DEC": 17.972833, "MJD": np.int32(56751),
}  # fmt: skip
LAYOUTS = {
    "sdss": {"SPECOBJID": "    695908431386667008", "SN_MEDIAN": np.arange(1, 6, dtype="f4")},
    "boss": {"SPECOBJID": np.int64(8392669674856968192), "THING_ID": np.int32(269459743)},
    "sdss5": {"CATALOGID": np.int64(27021597862918912), "GAIA_DR3_SOURCE_ID": np.int64(GAIA)},
}
"""Columns of the object by layout, beside those that all have."""


def pixels(z: float) -> dict[str, np.ndarray]:
    """The columns of the first table."""
    loglam = 3.6 + 1e-4 * np.arange(N_PIX)
    wave = 10**loglam
    flux = 30 - 0.002 * (wave - 5000) - 15 * np.exp(-0.5 * ((wave / (1 + z) - H_BETA) / 4) ** 2)
    ivar, mask = np.full(N_PIX, 4.0), np.zeros(N_PIX, dtype="i4")
    for pixel, bits in BAD.items():
        mask[pixel] = bits
    mask[TOLERATED], ivar[200] = 1 << 16, 0
    return {
        "flux": flux, "loglam": loglam, "ivar": ivar, "and_mask": mask, "or_mask": mask | 1,
        "wdisp": np.full(N_PIX, 1.1),
    }  # fmt: skip


def make(
    path: Path,
    layout: str = "boss",
    row: Mapping[str, object] | None = None,
    columns: Mapping[str, np.ndarray | None] | None = None,
    cards: Mapping[str, object] | None = None,
) -> Path:
    """Write a file in the layout ``sdss``, ``boss`` or ``sdss5``; gzipped if named so.

    ``row`` and ``columns`` change what the tables hold, or remove what is ``None``.
    """
    cells = {**OBJECT, **LAYOUTS[layout], **(row or {})}
    values = {**pixels(float(cells["Z"] or 0)), **(columns or {})}
    single = ("loglam", "flux", "ivar", "wdisp")
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column(name, "E" if name in single else "J", array=value)
            for name, value in values.items()
            if value is not None
        ],
        name="COADD",
    )
    header = {
        "VACUUM": True,
        "MJD": 56751,
        "TELESCOP": "SDSS 2.5-M",
        "FIBERID": 770,
        **(cards or {}),
    }
    primary = fits.PrimaryHDU(header=fits.Header(header))
    entries = [_column(key, cell) for key, cell in cells.items() if cell is not None]
    name = "SPECOBJ" if layout == "sdss" else "SPALL"
    about = fits.BinTableHDU.from_columns(entries, name=name)
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList([primary, table, about]).writeto(path)
    return path


def _column(name: str, cell: object) -> fits.Column:
    if isinstance(cell, str):
        return fits.Column(name, f"{max(1, len(cell))}A", array=[cell])
    array = np.asarray(cell)
    letter = {"f4": "E", "f8": "D", "i4": "J", "i8": "K"}[array.dtype.str[1:]]
    return fits.Column(name, f"{max(1, array.size)}{letter}", array=array[None])
