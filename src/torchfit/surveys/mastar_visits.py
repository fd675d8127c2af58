"""The visits of MaStar: the summary joined with the parameters, and which of them to take."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from torchfit.exceptions import ConfigError, DataError
from torchfit.files.fits_stream import open_table, read_columns
from torchfit.surveys.mastar_files import MastarFiles
from torchfit.surveys.mastar_labels import MastarLabels
from torchfit.surveys.mastar_quality import REJECTED, quality_mask

logger = logging.getLogger(__name__)

KEY = ("MANGAID", "PLATE", "IFUDESIGN", "MJD")
"""The columns that tell a visit from every other; the order of the rows tells nothing."""
_STAR_KEY = ("MANGAID",)
_STARS_UNIT, _VISITS_UNIT = 1, 2


@dataclass(frozen=True)
class MastarRecipe:
    """Which visits are templates.

    The paper's 18,654 cannot be derived from its text; one visit per star above a signal-to-noise
    ratio of 20, with valid labels in the box of ``library.cuts``, comes near.

    Args:
        visits: ``best`` takes one visit of each star, that with the most valid labels and then
            the highest S2N; ``all`` takes all of them.
        min_snr: The median signal-to-noise ratio per pixel (S2N) must lie above this.
        reject: Names of the MJDQUAL bits of which none may be set.

    Raises:
        ConfigError: If a choice or a bit is unknown.
    """

    visits: str = "best"
    min_snr: float = 20.0
    reject: Sequence[str] = REJECTED

    def __post_init__(self) -> None:
        if self.visits not in ("best", "all"):
            raise ConfigError(f"recipe.visits={self.visits} must be best or all")
        quality_mask(self.reject)

    def chosen(self, visits: "MastarVisits") -> np.ndarray:
        """Choose among visits.

        Args:
            visits: All of them.

        Returns:
            Rows of those to take, in ascending order of their keys.
        """
        clean = (visits.mjdqual & int(quality_mask(self.reject))) == 0
        rows = np.flatnonzero(clean & (visits.s2n > self.min_snr))
        logger.info(
            "MaStar: of %d visits %d have no rejected MJDQUAL bit and %d also S2N > %g",
            len(visits), clean.sum(), len(rows), self.min_snr,
        )  # fmt: skip
        rows = rows[np.argsort(visits.key[rows], kind="stable")]
        return rows if self.visits == "all" else _best_of_each_star(visits, rows)


@dataclass(frozen=True)
class MastarVisits:
    """Visits, an element of every array each.

    Args:
        key: ``MANGAID:PLATE:IFUDESIGN:MJD``, unique.
        mangaid: The star.
        mjd: Modified Julian Date of the night.
        ra: Right ascension in degrees.
        dec: Declination in degrees.
        mjdqual: Quality bits.
        s2n: Median signal-to-noise ratio per pixel.
        labels: Labels by name, NaN where not valid.
    """

    key: np.ndarray
    mangaid: np.ndarray
    mjd: np.ndarray
    ra: np.ndarray
    dec: np.ndarray
    mjdqual: np.ndarray
    s2n: np.ndarray
    labels: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        """Number of visits."""
        return len(self.key)

    @property
    def n_valid(self) -> np.ndarray:
        """Number of valid labels of each visit."""
        return np.sum([np.isfinite(values) for values in self.labels.values()], axis=0)


def read_visits(files: MastarFiles, labels: MastarLabels) -> MastarVisits:
    """Read the summary and join the parameters to it, by key.

    Args:
        files: Where they are.
        labels: Which labels.

    Returns:
        Every good visit of the summary. One that the parameters do not know has no labels.

    Raises:
        DataError: If a file is damaged, lacks a column, or has a key twice, or if the two have no
            key in common.
    """
    position = _position_columns(files.summary)
    table = read_columns(
        files.summary, [*KEY, *position, "MJDQUAL", "S2N"], _unit(files.summary, "GOODVISITS")
    )
    keys = join_key(table, KEY)
    demand_unique(keys, files.summary)
    _log_stars(files.summary, table["MANGAID"])
    return MastarVisits(
        key=keys,
        mangaid=join_key(table, _STAR_KEY),
        mjd=table["MJD"],
        ra=table[position[0]],
        dec=table[position[1]],
        mjdqual=table["MJDQUAL"],
        s2n=table["S2N"],
        labels=_joined_labels(files.parameters, labels, table),
    )


def join_key(table: Mapping[str, np.ndarray] | np.ndarray, columns: Sequence[str]) -> np.ndarray:
    """Join key columns into one text per row.

    Args:
        table: Columns by name; text is blank-padded or not.
        columns: Which.

    Returns:
        Texts such as ``3-15080992:7443:12702:57146``. A MANGAID is never taken for a number.
    """
    parts = [_as_text(table[column]) for column in columns]
    joined = parts[0]
    for part in parts[1:]:
        joined = np.char.add(np.char.add(joined, ":"), part)
    return joined


def demand_unique(keys: np.ndarray, path: Path) -> None:
    """Demand that no key stands twice.

    Args:
        keys: Keys of :func:`join_key`.
        path: File to name in the error.

    Raises:
        DataError: If one does.
    """
    unique, count = np.unique(keys, return_counts=True)
    doubled = unique[count > 1]
    if len(doubled):
        raise DataError(
            f"{path}: {len(doubled)} keys stand twice, {doubled[0]} the first; rows cannot be "
            "distinguished by (MANGAID, PLATE, IFUDESIGN, MJD)"
        )


def _as_text(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "S":
        return np.char.strip(np.char.decode(values, "latin-1"))
    return values.astype(np.int64).astype(str)


def _unit(summary: Path, name: str) -> int | str:
    """The unit of a name, or the number where release 17 has it, for a file without names."""
    number = _VISITS_UNIT if name == "GOODVISITS" else _STARS_UNIT
    with open_table(summary, number) as table:
        found = table.layout.extname
    if found and found != name:
        logger.info("%s: unit %d is %s; looking for %s by name", summary, number, found, name)
    return number if found in ("", name) else name


def _position_columns(summary: Path) -> tuple[str, str]:
    """``RA, DEC`` as in release 17, or ``OBJRA, OBJDEC`` as before."""
    with open_table(summary, _unit(summary, "GOODVISITS")) as table:
        names = table.layout.names
    if "RA" not in names and {"OBJRA", "OBJDEC"} <= set(names):
        logger.info("%s: coordinates are OBJRA, OBJDEC", summary)
        return "OBJRA", "OBJDEC"
    return "RA", "DEC"


def _log_stars(summary: Path, mangaid: np.ndarray) -> None:
    stars = read_columns(summary, _STAR_KEY, _unit(summary, "GOODSTARS"))["MANGAID"]
    strangers = np.setdiff1d(mangaid, stars)
    logger.info("MaStar: %d visits of %d stars", len(mangaid), len(np.unique(mangaid)))
    if len(strangers):
        logger.warning("%s: %d stars of visits are not in GOODSTARS", summary, len(strangers))


def _joined_labels(
    path: Path, labels: MastarLabels, visits: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Labels in the order of the visits, NaN for visits that the parameter file does not know."""
    columns = KEY if "goodvisits" in path.name else _STAR_KEY
    table = read_columns(path, [*columns, *labels.columns])
    keys = join_key(table, columns)
    demand_unique(keys, path)
    order = np.argsort(keys)
    wanted = join_key(visits, columns)
    place = order[np.searchsorted(keys, wanted, sorter=order).clip(0, len(keys) - 1)]
    known = keys[place] == wanted
    if not known.any():
        raise DataError(f"{path} and the summary have no {', '.join(columns)} in common")
    logger.info(
        "MaStar: %d of %d visits have parameters; values that mark a missing label: %s",
        known.sum(), len(known), labels.sentinels(table) or "none",
    )  # fmt: skip
    return {
        name: np.where(known, values[place], np.nan) for name, values in labels.of(table).items()
    }


def _best_of_each_star(visits: MastarVisits, rows: np.ndarray) -> np.ndarray:
    order = np.lexsort((-visits.s2n[rows], -visits.n_valid[rows], visits.mangaid[rows]))
    ranked = rows[order]
    star = visits.mangaid[ranked]
    first = np.ones(len(ranked), dtype=bool)
    first[1:] = star[1:] != star[:-1]
    best = ranked[first]
    return best[np.argsort(visits.key[best], kind="stable")]
