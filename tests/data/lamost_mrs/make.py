"""Small LAMOST medium-resolution files in both layouts: coadded arms and single exposures."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from astropy.io import fits

H_BETA = 4862.691
"""Vacuum wavelength in Angstrom of the one line that every made spectrum has."""
MINUTES = (83555758, 83555772)
ARMS = {"B": (4820.0, 5000.0), "R": (6300.0, 6400.0)}
"""First and last wavelength; the real blue arm starts at 4900, where no strong line stands."""
FLAGGED = 50
"""A pixel of every arm that an exposure flags."""


def columns(arm: str, mask: str, reverse: bool) -> dict[str, np.ndarray]:
    """The columns of an arm, by falling wavelength as in red exposures if wanted."""
    low, high = np.log10(ARMS[arm])
    loglam = np.arange(low, high, 1e-5)
    wave = 10**loglam
    blaze = 1 - 0.4 * ((wave - wave.mean()) / (wave[-1] - wave.mean())) ** 2
    flux = 300 * blaze * (1 - 0.4 * np.exp(-0.5 * ((wave - H_BETA) / 2) ** 2))
    flags = np.zeros(len(wave))
    flags[FLAGGED] = 1
    values = {"FLUX": flux, "IVAR": np.full(len(wave), 0.04), "LOGLAM": loglam, mask: flags}
    return {name: value[::-1] if reverse else value for name, value in values.items()}


def unit(name: str, values: Mapping[str, np.ndarray], one_row: bool) -> fits.BinTableHDU:
    """An arm as a table of a row a pixel, or of one row of arrays."""
    values = dict(values)
    if one_row:
        values["WAVELENGTH"] = 10 ** values.pop("LOGLAM")
    columns = [
        fits.Column(key, f"{len(v)}D" if one_row else "D", array=v[None] if one_row else v)
        for key, v in values.items()
    ]
    made = fits.BinTableHDU.from_columns(columns, name=name)
    made.header["SNR"] = 92.84
    return made


def make(path: Path, one_row: bool = False, arms: str = "BR", **cards: object) -> Path:
    """Write a file of two exposures."""
    header = {"OBSID": 589002051, "DESIG": "LAMOST J193322.51+430102.9", "RA": 293.34, "DEC": 43.0}
    header |= {"TELESCOP": "LAMOST", "LMJD": 58025, "VACUUM": True, **cards}
    units = [fits.PrimaryHDU(header=fits.Header(header))]
    units += [unit(f"COADD_{arm}", columns(arm, "ORMASK", False), one_row) for arm in arms]
    units += [
        unit(f"{arm}-{minute}", columns(arm, "PIXMASK", arm == "R"), one_row)
        for arm in arms
        for minute in MINUTES
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(units).writeto(path)
    return path
