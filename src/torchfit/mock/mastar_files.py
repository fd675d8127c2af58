"""Writes MaStar files as release 17 lays them out, with whatever content it is given.

Names, types and order of the columns are those of the SDSS data model; what is not known of the
real files (name of the spectra's table, type of the wavelengths, order of the spectral columns)
is a guess, and a reader must not depend on it.
"""

import gzip
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from torchfit.mock.fits_header import EMPTY_UNIT, UNIT, table_header
from torchfit.mock.mastar_layout import (
    MEDIAN,
    N_PIX,
    SPECTRUM,
    STAR,
    STAR_GROUPS,
    STAR_KEY,
    VISIT,
    VISIT_GROUPS,
    VISIT_KEY,
)

VERSION = "v3_1_1-v1_7_7"
WAVE = 10.0 ** (3.5589 + 1e-4 * np.arange(N_PIX))
"""Vacuum wavelength of every spectrum in Angstrom."""
MISSING = -999.0
_AT_ONCE = 256
_GROUPS = ("JI", "DL", "LH", "YC")

Pixels = Callable[[np.ndarray], Mapping[str, np.ndarray]]
"""From rows of the visits to ``FLUX`` and ``IVAR``, and where wanted ``DISP`` and ``MASK``, each
of (row, pixel): spectra are asked for in blocks, so that a library larger than memory can be
written."""

_TYPES = {"I": ">i2", "J": ">i4", "E": ">f4", "D": ">f8"}


@dataclass(frozen=True)
class MastarVisitTable:
    """What is to be written of every visit, an element of each array.

    Args:
        mangaid: Star of the visit; repeat visits share it.
        mjd: Night of the visit.
        labels: Columns (teff in K, logg, [Fe/H], [alpha/Fe] in dex); NaN where there is none.
        s2n: Median signal-to-noise ratio per pixel.
        mjdqual: Quality bits.
        logg_ji: Surface gravity of the group JI, NaN where not valid; ``labels`` if ``None``.
        plate: Plate; 7443 if ``None``.
        ifudesign: Fibre bundle, five digits; one per star if ``None``.
        heliov: Heliocentric velocity in km/s that was taken out; 0 if ``None``.
    """

    mangaid: np.ndarray
    mjd: np.ndarray
    labels: np.ndarray
    s2n: np.ndarray
    mjdqual: np.ndarray
    logg_ji: np.ndarray | None = None
    plate: np.ndarray | None = None
    ifudesign: np.ndarray | None = None
    heliov: np.ndarray | None = None

    def __len__(self) -> int:
        """Number of visits."""
        return len(self.mangaid)

    def columns(self) -> dict[str, np.ndarray]:
        """The columns of the visit table that are not constant."""
        stars, star = np.unique(self.mangaid, return_inverse=True)
        bundle = np.array([f"{1901 + n % 10800:d}" for n in range(len(stars))])[star]
        position = np.random.default_rng(0).uniform([0, -30], [360, 60], (len(stars), 2))[star]
        return {
            "MANGAID": np.asarray(self.mangaid, dtype=str),
            "PLATE": np.full(len(self), 7443) if self.plate is None else self.plate,
            "IFUDESIGN": bundle if self.ifudesign is None else self.ifudesign,
            "MJD": self.mjd,
            "MJDQUAL": self.mjdqual,
            "S2N": self.s2n,
            "S2N10": 1.5 * self.s2n,
            "HELIOV": np.zeros(len(self)) if self.heliov is None else self.heliov,
            "RA": position[:, 0],
            "DEC": position[:, 1],
            "IFURA": position[:, 0],
            "IFUDEC": position[:, 1],
        }

    def parameters(self) -> dict[str, np.ndarray]:
        """The columns of the parameter table that are not constant."""
        columns: dict[str, np.ndarray] = {}
        valid = np.isfinite(self.labels[:, :3]).all(axis=1)
        has_alpha = valid & np.isfinite(self.labels[:, 3])
        for name, values in zip(("TEFF", "LOGG", "FEH", "ALPHA"), self.labels.T, strict=True):
            known = has_alpha if name == "ALPHA" else valid
            for place in ("MED", *_GROUPS):
                columns[f"{name}_{place}"] = np.where(known, values, MISSING)
        if self.logg_ji is not None:
            columns["LOGG_JI"] = np.where(np.isfinite(self.logg_ji), self.logg_ji, MISSING)
        columns |= {f"VALID_{group}": valid for group in _GROUPS}
        columns["VALID_JI"] = columns["LOGG_JI"] > MISSING
        columns["NGROUPS"] = np.where(valid, 4, 0)
        columns["NALPHAGROUPS"] = np.where(has_alpha, 3, 0)
        columns["FEH_CAL_MED"] = columns["FEH_MED"]
        return columns


def write_mastar(
    folder: Path,
    visits: MastarVisitTable,
    pixels: Pixels,
    version: str = "v2",
    seed: int = 0,
    objra: bool = False,
) -> None:
    """Write summary, parameters of visits and of stars, and spectra, under their real names.

    Every file has its rows in another order.

    Args:
        folder: Where to.
        visits: What is known of the visits.
        pixels: Their spectra.
        version: Of the parameters: v1 or v2, which have the same columns as far as is known.
        seed: Of the orders.
        objra: Whether the positions are named ``OBJRA, OBJDEC``, as before release 17.
    """
    order = np.random.default_rng(seed).permutation
    folder.mkdir(parents=True, exist_ok=True)
    n_visits, columns = len(visits), visits.columns()
    of_stars, first = _stars(visits)
    shuffled = order(n_visits)
    with _open(folder / f"mastarall-{VERSION}.fits") as file:
        file.write(EMPTY_UNIT)
        _write_table(file, "GOODSTARS", STAR, of_stars, order(len(first)))
        _write_table(file, "GOODVISITS", _renamed(VISIT, objra), columns, shuffled)
    parameters = visits.parameters()
    with _open(folder / f"mastar-goodvisits-{VERSION}-params-{version}.fits") as file:
        file.write(EMPTY_UNIT)
        layout = VISIT_KEY + MEDIAN + VISIT_GROUPS
        _write_table(file, "PARAMS", layout, columns | parameters, order(n_visits))
    with _open(folder / f"mastar-goodstars-{VERSION}-params-{version}.fits") as file:
        file.write(EMPTY_UNIT)
        of_stars |= {name: values[first] for name, values in parameters.items()}
        layout = STAR_KEY + MEDIAN + STAR_GROUPS
        _write_table(file, "PARAMS", layout, of_stars, order(len(first)))
    with _open(folder / f"mastar-goodspec-{VERSION}.fits.gz") as file:
        file.write(EMPTY_UNIT)
        layout = _renamed(VISIT, objra) + SPECTRUM
        _write_table(file, "GOODSPEC", layout, columns, order(n_visits), pixels)


def _stars(visits: MastarVisitTable) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Columns of the star table, and the first visit of each star."""
    columns = visits.columns()
    names, first, star, count = np.unique(
        visits.mangaid, return_index=True, return_inverse=True, return_counts=True
    )
    low, high = np.full(len(names), 10**6), np.zeros(len(names), dtype=int)
    np.minimum.at(low, star, visits.mjd)
    np.maximum.at(high, star, visits.mjd)
    counts = {"NVISITS": count, "NGOODVISITS": count, "NPLATES": np.ones_like(count)}
    position = {name: columns[name][first] for name in ("RA", "DEC")}
    return {"MANGAID": names, "MINMJD": low, "MAXMJD": high} | counts | position, first


def _renamed(layout: str, objra: bool) -> str:
    return layout.replace(" RA D DEC D", " OBJRA D OBJDEC D") if objra else layout


def _write_table(
    file: BufferedIOBase,
    extname: str,
    layout: str,
    columns: Mapping[str, np.ndarray],
    order: np.ndarray,
    pixels: Pixels | None = None,
) -> None:
    """A binary table with the rows of ``columns`` in a given order; what is not given is blank."""
    words = layout.split()
    formats = dict(zip(words[::2], words[1::2], strict=True))
    dtype = np.dtype([(name, _type(tform)) for name, tform in formats.items()])
    file.write(table_header(extname, formats, dtype.itemsize, len(order)))
    for start in range(0, len(order), _AT_ONCE):
        rows = order[start : start + _AT_ONCE]
        file.write(_block(dtype, columns, rows, pixels).tobytes())
    file.write(b"\0" * (-dtype.itemsize * len(order) % UNIT))


def _block(
    dtype: np.dtype, columns: Mapping[str, np.ndarray], rows: np.ndarray, pixels: Pixels | None
) -> np.ndarray:
    constant = {
        "DRPVER": "v3_1_1", "MPROCVER": "v1_7_7", "EPOCH": 2015.5, "EXPTIME": 900.0,
        "COORD_SOURCE": "gaiadr2", "PHOTOCAT": "ps1", "NEXP_VISIT": 3, "NEXP_USED": 3,
        "WAVE": WAVE, "DISP": 1.2e-4 * np.log(10.0) * WAVE, "MODEL_LH": "BOSZ",
        "OBJRA": columns.get("RA", np.zeros(rows.max() + 1))[rows],
        "OBJDEC": columns.get("DEC", np.zeros(rows.max() + 1))[rows],
    }  # fmt: skip
    block = np.zeros(len(rows), dtype)
    given = {name: values[rows] for name, values in columns.items()}
    made = {} if pixels is None else dict(pixels(rows))
    if "DISP" in (dtype.names or ()):
        made["PREDISP"] = 0.95 * made.get("DISP", constant["DISP"])
    for name in dtype.names or ():
        values = (constant | given | made).get(name, "" if dtype[name].kind == "S" else 0)
        if dtype[name].kind == "S":
            # Text is padded with blanks, not zeros.
            values = np.char.ljust(np.asarray(values, dtype=str), dtype[name].itemsize)
        block[name] = values
    return block


def _type(tform: str) -> str:
    count, letter = tform[:-1], tform[-1]
    if letter == "A":
        return f"S{count}"
    return f"({count},){_TYPES[letter]}" if count else _TYPES[letter]


@contextmanager
def _open(path: Path) -> Iterator[BufferedIOBase]:
    """The file; gzipped at the fastest level if it is named so, the same content the same bytes."""
    with path.open("wb") as raw:
        if path.suffix != ".gz":
            yield raw
            return
        with gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as packed:
            yield packed
