"""Spectra as the rows of one table: FITS, Parquet or CSV with arrays in its cells."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.files.fits_stream import find_tables, open_table
from torchfit.files.table_file import one_clear_error
from torchfit.names import FWHM_PER_SIGMA
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.band_snr import band_snr
from torchfit.surveys.medium import air_to_vacuum
from torchfit.surveys.plausible import (
    demand_stellar_redshift,
    name_by_position,
    night,
    sky_position,
)
from torchfit.surveys.quantities import flux_and_ivar, wavelength
from torchfit.surveys.reader import Outcome, SurveyReader, attempt

ARRAYS = ("wave", "flux", "ivar", "error", "mask")
SINGLE = ("z", "ra", "dec", "mjd", "name", "obsid", "gaia_source_id", "subclass")
MEDIA = ("air", "vacuum")
_AT_ONCE = 256
_BETWEEN = re.compile(r"[\s,;\[\]()]+")
Row = Mapping[str, object]


class TableReader(SurveyReader):
    """The rows of a table with spectra as array columns, read in one pass.

    Args:
        path: The table: FITS, Parquet, or CSV whose array cells hold numbers between blanks, commas
            or semicolons, in brackets or not.
        medium: Whether wavelengths are in ``air`` or in ``vacuum``.
        columns: Names of its columns by what they hold: ``wave`` (Angstrom), ``flux``, and where
            there are any ``ivar`` or ``error``, ``mask`` (not 0 in bad pixels), ``z``, ``ra``,
            ``dec``, ``mjd``, ``name``, ``obsid``, ``gaia_source_id``, ``subclass``.
        lsf_fwhm: Resolution, full width at half maximum in Angstrom; ``None`` takes that of the
            emulator.
        default_z: Redshift of rows without one; ``None`` leaves it to be measured.

    Raises:
        ConfigError: If no such medium, or no wavelength or flux, is named.
    """

    name = "table"
    sequential = True

    def __init__(
        self,
        path: str,
        medium: str,
        columns: Mapping[str, str],
        lsf_fwhm: float | None = None,
        default_z: float | None = None,
    ) -> None:
        if medium not in MEDIA:
            raise ConfigError(f"data.medium={medium}: use {' or '.join(MEDIA)}")
        unknown = [key for key in columns if key not in ARRAYS + SINGLE]
        if unknown or not {"wave", "flux"} <= columns.keys():
            raise ConfigError(
                f"data.columns must name wave and flux, and no others than "
                f"{', '.join(ARRAYS + SINGLE)}; it has {', '.join(columns)}"
            )
        self.path, self.medium, self.columns = path, medium, dict(columns)
        self.lsf_fwhm, self.default_z = lsf_fwhm, default_z

    @property
    def file(self) -> Path:
        """The table."""
        return Path(self.path).expanduser()

    @cached_property
    def n_rows(self) -> int:
        """Number of rows.

        Raises:
            DataError: If the table cannot be read, or lacks a column.
        """
        return sum(1 for _ in _rows(self.file, {"flux": self.columns["flux"]}))

    def sources(self) -> list[str]:
        """List the rows: name of the table, colon, number of the row.

        Raises:
            DataError: If the table cannot be read, or has no row.
        """
        if not self.n_rows:
            raise DataError(f"{self.file} has no row")
        return [f"{self.file.name}:{row:09d}" for row in range(self.n_rows)]

    def read(self, source: str) -> Spectrum:
        """Read one spectrum, which takes reading the table up to it.

        Raises:
            SpectrumError: If there is no such row, or it cannot be used.
        """
        outcome = dict(self.spectra([source]))[source]
        if isinstance(outcome, SpectrumError):
            raise outcome
        return outcome

    def spectra(self, sources: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
        """Read many spectra in one pass, in the order of the table."""
        wanted = dict.fromkeys(sources)
        for number, row in enumerate(_rows(self.file, self.columns)):
            source = f"{self.file.name}:{number:09d}"
            if source in wanted:
                del wanted[source]
                yield source, attempt(partial(self._spectrum, row, source), source, self.time_limit)
            if not wanted:
                return
        for source in wanted:
            yield source, SpectrumError(f"{source}: no such row")

    def shared_files(self) -> Sequence[Path]:
        """Name the table."""
        return (self.file,)

    def _spectrum(self, row: Row, source: str) -> Spectrum:
        try:
            arrays = {key: _array(row[key]) for key in ARRAYS if key in row}
            wave = wavelength(arrays["wave"])
            if "error" in arrays and "ivar" not in arrays:
                with np.errstate(all="ignore"):
                    arrays["ivar"] = np.where(arrays["error"] > 0, arrays["error"] ** -2.0, 0.0)
            flux, ivar = flux_and_ivar(arrays["flux"], arrays.get("ivar"), wave)
        except SpectrumError as error:
            raise SpectrumError(f"{source}: {error}") from error
        good = np.isfinite(flux) & (np.broadcast_to(arrays.get("mask", 0), flux.shape) == 0)
        weight = np.where(good, 1.0 if ivar is None else ivar, 0.0)
        weight = np.where(np.isfinite(weight), weight, 0.0)
        wave = air_to_vacuum(wave) if self.medium == "air" else wave
        z = _number(row, "z")
        if math.isnan(z) and self.default_z is not None:
            z = self.default_z
        snr = {} if ivar is None else band_snr(wave, flux, weight)
        info = _info(row, source, demand_stellar_redshift(z, source), snr)
        width = None
        if self.lsf_fwhm is not None:
            width = np.full_like(wave, self.lsf_fwhm / FWHM_PER_SIGMA)
        return Spectrum(wave, flux, weight, info, ivar is not None, width)


def _info(row: Row, source: str, z: float, snr: dict[str, float]) -> StarInfo:
    ra, dec = sky_position(_number(row, "ra"), _number(row, "dec"))
    obsid = _text(row, "obsid")
    return StarInfo(
        source,
        obsid=int(obsid) if obsid.isdecimal() and int(obsid) < 2**63 else None,
        name=_text(row, "name") or name_by_position(ra, dec),
        ra=ra,
        dec=dec,
        subclass=_text(row, "subclass"),
        z=z,
        snr=snr,
        mjd=night(_number(row, "mjd")),
        gaia_source_id=_text(row, "gaia_source_id"),
    )


def _rows(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    """The rows of a table, some columns of them by what they hold."""
    if not path.is_file():
        raise DataError(f"no such table: {path}")
    with one_clear_error(path):
        with path.open("rb") as file:
            head = file.read(8)
        is_fits = head.startswith((b"SIMPLE", b"\x1f\x8b"))
        read = _of_parquet if head.startswith(b"PAR1") else _of_fits if is_fits else _of_csv
        yield from read(path, columns)


def _of_fits(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    number, _ = next(find_tables(path), (1, None))
    with open_table(path, number) as table:
        table.layout.demand([name.upper() for name in columns.values()], path)
        for block in table.blocks():
            values = {
                key: table.layout.values(block, name.upper()) for key, name in columns.items()
            }
            yield from ({key: v[row] for key, v in values.items()} for row in range(len(block)))


def _of_parquet(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    with pq.ParquetFile(path) as file:
        _demand(columns, file.schema_arrow.names, path)
        for batch in file.iter_batches(_AT_ONCE, columns=list(columns.values())):
            cells = {key: batch[name].to_pylist() for key, name in columns.items()}
            yield from ({key: v[row] for key, v in cells.items()} for row in range(len(batch)))


def _of_csv(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    with pd.read_csv(path, dtype=str, keep_default_na=False, chunksize=_AT_ONCE) as pieces:
        for piece in pieces:
            _demand(columns, [str(name) for name in piece.columns], path)
            for row in piece.to_dict("records"):
                yield {key: row[name] for key, name in columns.items()}


def _demand(columns: Mapping[str, str], names: Sequence[str], path: Path) -> None:
    if missing := [name for name in columns.values() if name not in names]:
        raise DataError(f"{path}: no column {', '.join(missing)}; the table has {', '.join(names)}")


def _array(cell: object) -> np.ndarray:
    """Numbers of a cell; NaN for what is missing or none."""
    values = _BETWEEN.split(cell.strip("[]() \t")) if isinstance(cell, str) else cell
    try:
        return np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (ValueError, TypeError) as error:
        raise SpectrumError(f"a cell holds no row of numbers ({str(error)[:60]})") from error


def _number(row: Row, key: str) -> float:
    try:
        return float(str(row[key]))
    except (KeyError, ValueError):
        return math.nan


def _text(row: Row, key: str) -> str:
    cell = row.get(key)
    if isinstance(cell, bytes):
        return cell.decode("latin-1").strip()
    return "" if cell is None else str(cell).strip()
