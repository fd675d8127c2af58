"""The parameter table of ELODIE, read by the description that comes with it."""

import logging
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import ascii as tables
from astropy.table import Table
from astropy.utils.exceptions import AstropyWarning

from torchfit.exceptions import DataError
from torchfit.names import FE_H, LOGG, TEFF

logger = logging.getLogger(__name__)

NAMES: Mapping[str, tuple[str, ...]] = {
    TEFF: ("teff",),
    LOGG: ("logg", "log.g"),
    FE_H: ("[fe/h]", "feh", "fe/h"),
    "name": ("name", "star", "hd", "object"),
    "subclass": ("sptype", "sp", "spectype"),
}
"""Names, in lower case, that a column may have; its place in the table is never assumed."""
_NEEDED = (TEFF, LOGG, FE_H)


@dataclass(frozen=True)
class ElodieStar:
    """A row of the table.

    Args:
        name: Name of the star, shared by its spectra.
        subclass: Spectral type, empty when not given.
        labels: The published labels that are known: K, dex, dex.
    """

    name: str
    subclass: str
    labels: dict[str, float]


def read_stars(table: Path, readme: Path, stems: Sequence[str]) -> dict[str, ElodieStar]:
    """Read the table, and join its rows with the spectra.

    Which column names the files is not documented: it is the one whose values are the files'
    names, leading zeros apart.

    Args:
        table: ``table1.dat``.
        readme: ``ReadMe``, whose byte-by-byte description says what stands where.
        stems: Names of the files without their ending.

    Returns:
        The stars by the name of the file; files without a row are not there.

    Raises:
        DataError: If a file is missing or not as described, a label's column is not there, or no
            column names the files.
    """
    rows = _read(table, readme)
    names = _columns(rows, table)
    by_file = _rows_by_file(rows, stems, table)
    logger.info("ELODIE: %d of %d spectra have a row in %s", len(by_file), len(stems), table)
    return {stem: _star(rows, row, names) for stem, row in by_file.items()}


def _read(table: Path, readme: Path) -> Table:
    for path in (table, readme):
        if not path.is_file():
            raise DataError(f"no such file: {path}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            return tables.read(table, format="cds", readme=readme)
    except Exception as error:  # The reader of astropy raises what it comes upon.
        raise DataError(f"{table} is not as {readme} describes it ({error})") from error


def _columns(rows: Table, table: Path) -> dict[str, str]:
    lower = {name.lower(): name for name in rows.colnames}
    found = {
        name: next(lower[alias] for alias in aliases if alias in lower)
        for name, aliases in NAMES.items()
        if any(alias in lower for alias in aliases)
    }
    missing = [name for name in _NEEDED if name not in found]
    if missing:
        raise DataError(
            f"{table}: no column for {', '.join(missing)}; it has {', '.join(rows.colnames)}"
        )
    return found


def _rows_by_file(rows: Table, stems: Sequence[str], table: Path) -> dict[str, int]:
    """Row of every file that has one, by the column that names most files, each once."""
    wanted = {_plain(stem): stem for stem in stems}
    joined: dict[str, dict[str, int]] = {}
    for column in rows.colnames:
        values = [_plain(str(value)) for value in rows[column]]
        places = {wanted[value]: row for row, value in enumerate(values) if value in wanted}
        hits = [value for value in values if value in wanted]
        if len(hits) == len(set(hits)):
            joined[column] = places
    best = max(joined, key=lambda column: len(joined[column]), default=None)
    if best is None or len(joined[best]) < len(stems) / 2:
        raise DataError(
            f"{table}: no column names the files ({stems[0]} and others); it has "
            f"{', '.join(rows.colnames)}"
        )
    logger.info("ELODIE: column %s of %s names the files", best, table)
    return joined[best]


def _plain(name: str) -> str:
    """A file's name without folder, ending, and the zeros before its number."""
    stem = name.strip().rpartition("/")[2].removesuffix(".gz").removesuffix(".fits")
    return re.sub(r"^0+(?=\d)", "", stem)


def _star(rows: Table, row: int, names: Mapping[str, str]) -> ElodieStar:
    def text(name: str) -> str:
        """A text of the row; empty where it is masked."""
        value = rows[names[name]][row] if name in names else np.ma.masked
        return "" if value is np.ma.masked else str(value).strip()

    values = {name: rows[names[name]][row] for name in _NEEDED}
    labels = {
        name: float(value)
        for name, value in values.items()
        if value is not np.ma.masked and np.isfinite(float(value))
    }
    return ElodieStar(text("name"), text("subclass"), labels)
