"""Redshifts and labels of DESI targets: the ``rvtab_*`` and ``redrock-*`` files beside spectra."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from torchfit.exceptions import DataError
from torchfit.files.fits_stream import read_columns
from torchfit.names import ALPHA_FE, FE_H, LOGG, SPEED_OF_LIGHT, TEFF

_REDROCK = ("redrock-{0}", "zbest-{0}")
_VELOCITIES = ("rvtab_coadd-{0}", "rvtab_spectra-{0}", "rvtab-{0}")
_ENDINGS = (".fits", ".fits.gz")
_LABELS = {TEFF: "TEFF", LOGG: "LOGG", FE_H: "FEH", ALPHA_FE: "ALPHAFE"}


@dataclass(frozen=True)
class DesiRedshift:
    """What is known of a target's redshift.

    Args:
        z: The redshift, NaN without one.
        error: Its error.
        warning: Redrock's ZWARN; 0 where nothing is wrong.
        kind: Redrock's SPECTYPE (``STAR``, ``GALAXY``, ``QSO``); empty where it is not known.
        subclass: Its SUBTYPE.
        labels: Labels of the stellar pipeline by name.
    """

    z: float = math.nan
    error: float = math.nan
    warning: int = 0
    kind: str = ""
    subclass: str = ""
    labels: Mapping[str, float] = field(default_factory=dict)


def redshift_files(spectra: Path) -> list[Path]:
    """Find the files with redshifts that belong to a file of spectra.

    Args:
        spectra: Path of a ``coadd-*`` or ``spectra-*`` file.

    Returns:
        Those of redrock, then those of the stellar pipeline.
    """
    stem = spectra.name.removesuffix(".gz").removesuffix(".fits").partition("-")[2]
    names = (form.format(stem) for form in (*_REDROCK, *_VELOCITIES))
    paths = (spectra.with_name(name + ending) for name in names for ending in _ENDINGS)
    return [path for path in paths if path.is_file()]


def redshifts_beside(spectra: Path) -> dict[int, DesiRedshift]:
    """Read the redshifts of the targets of a file; a velocity goes before redrock's redshift.

    Args:
        spectra: Path of a ``coadd-*`` or ``spectra-*`` file.

    Returns:
        Redshifts by TARGETID; none without such files.

    Raises:
        DataError: If such a file cannot be read.
    """
    found: dict[int, DesiRedshift] = {}
    for path in redshift_files(spectra):
        read = _velocities if path.name.startswith("rvtab") else _redrock
        for target, known in read(path):
            found[target] = _joined(found.get(target), known)
    return found


def _joined(first: DesiRedshift | None, second: DesiRedshift) -> DesiRedshift:
    """Redrock's kind and warning, with the velocity of a star where there is one."""
    if first is None:
        return second
    if not math.isfinite(second.z):
        return first
    return replace(
        first, z=second.z, error=second.error, warning=second.warning, labels=second.labels
    )


def _redrock(path: Path) -> Iterator[tuple[int, DesiRedshift]]:
    optional = ("ZERR", "ZWARN", "SPECTYPE", "SUBTYPE")
    try:
        table = read_columns(path, ["TARGETID", "Z"], "REDSHIFTS", optional)
    except DataError:
        table = read_columns(path, ["TARGETID", "Z"], "ZBEST", optional)
    for row, target in enumerate(table["TARGETID"]):
        yield int(target), DesiRedshift(
            _number(table, "Z", row), _number(table, "ZERR", row),
            int(_number(table, "ZWARN", row, 0.0)),
            _text(table, "SPECTYPE", row), _text(table, "SUBTYPE", row),
        )  # fmt: skip


def _velocities(path: Path) -> Iterator[tuple[int, DesiRedshift]]:
    """The rows whose fit has no warning."""
    optional = ("VRAD_ERR", "RVS_WARN", *_LABELS.values())
    table = read_columns(path, ["TARGETID", "VRAD"], "RVTAB", optional)
    for row, target in enumerate(table["TARGETID"]):
        if _number(table, "RVS_WARN", row, 0.0) == 0:
            values = {name: _number(table, column, row) for name, column in _LABELS.items()}
            yield (
                int(target),
                DesiRedshift(
                    _number(table, "VRAD", row) / SPEED_OF_LIGHT,
                    _number(table, "VRAD_ERR", row) / SPEED_OF_LIGHT,
                    labels={name: value for name, value in values.items() if math.isfinite(value)},
                ),
            )


def _number(
    table: Mapping[str, np.ndarray], column: str, row: int, default: float = math.nan
) -> float:
    return float(table[column][row]) if column in table else default


def _text(table: Mapping[str, np.ndarray], column: str, row: int) -> str:
    return bytes(table[column][row]).decode("latin-1").strip() if column in table else ""
