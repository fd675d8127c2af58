"""Spectra as the rows of one table with arrays in its cells."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import ConfigError, DataError, SpectrumError
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
from torchfit.surveys.stated_resolution import StatedResolution
from torchfit.surveys.table_rows import Row, array_of, number_of, rows_of, text_of

WIDTHS = ("lsf_fwhm", "resolving_power")
ARRAYS = ("wave", "flux", "ivar", "error", "mask", *WIDTHS)
SINGLE = ("z", "ra", "dec", "mjd", "name", "obsid", "gaia_source_id", "subclass")
MEDIA = ("air", "vacuum")
_IVAR = "ivar"
"""Name of the inverse variance where none is given."""


class TableReader(SurveyReader):
    """The rows of a table with spectra as array columns, read in one pass.

    Args:
        path: The table: FITS, Parquet, ECSV, VOTable, or CSV whose array cells hold numbers between
            blanks, commas or semicolons, in brackets or not.
        medium: Whether wavelengths are in ``air`` or in ``vacuum``.
        columns: Names of its columns by what they hold: ``wave`` (Angstrom), ``flux``, and where
            there are any ``ivar`` or, in its place, ``error``, ``mask`` (not 0 in bad pixels),
            ``lsf_fwhm`` (Angstrom) or ``resolving_power`` (of every pixel, or one of the star),
            ``z``, ``ra``, ``dec``, ``mjd``, ``name``, ``obsid``, ``gaia_source_id``,
            ``subclass``; ``None`` for a column that is not there.
        lsf_fwhm: Resolution of all, full width at half maximum in Angstrom; ``None`` takes that of
            the emulator.
        default_z: Redshift of rows without one; ``None`` leaves it to be measured.
        resolving_power: Resolution of all as a resolving power.

    Raises:
        ConfigError: If no such medium, or no wavelength or flux, is named.
    """

    name = "table"
    sequential = True

    def __init__(
        self,
        path: str,
        medium: str,
        columns: Mapping[str, str | None],
        lsf_fwhm: float | None = None,
        default_z: float | None = None,
        resolving_power: float | None = None,
    ) -> None:
        if medium not in MEDIA:
            raise ConfigError(f"data.medium={medium}: use {' or '.join(MEDIA)}")
        named = {key: name for key, name in columns.items() if name is not None}
        unknown = [key for key in columns if key not in ARRAYS + SINGLE]
        if unknown or not {"wave", "flux"} <= named.keys():
            raise ConfigError(
                f"data.columns must name wave and flux, and no others than "
                f"{', '.join(ARRAYS + SINGLE)}; it has {', '.join(columns)}"
            )
        if "error" in named and named.get("ivar") == _IVAR:
            del named["ivar"]  # What the preset names, which such a table has not.
        self.path, self.medium, self.columns = path, medium, named
        self.lsf_fwhm, self.default_z = lsf_fwhm, default_z
        self.resolution = StatedResolution(lsf_fwhm, resolving_power)

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
        return sum(1 for _ in rows_of(self.file, {"flux": self.columns["flux"]}))

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
        for number, row in enumerate(rows_of(self.file, self.columns)):
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

    def lsf_fwhm_at(self, wave: Float[Tensor, " pix"]) -> Float[Tensor, " pix"] | None:
        """Resolution that is stated of all, along the spectrum."""
        fwhm = self.resolution.fwhm(wave.double().numpy())
        return None if fwhm is None else torch.from_numpy(fwhm).to(wave)

    def _spectrum(self, row: Row, source: str) -> Spectrum:
        try:
            arrays = _arrays(row)
            wave = wavelength(arrays["wave"])
            if "error" in arrays and "ivar" not in arrays:
                with np.errstate(all="ignore"):
                    arrays["ivar"] = np.where(arrays["error"] > 0, arrays["error"] ** -2.0, 0.0)
            flux, ivar = flux_and_ivar(arrays["flux"], arrays.get("ivar"), wave)
        except SpectrumError as error:
            raise SpectrumError(f"{source}: {error}") from error
        good = np.isfinite(flux) & (_per_pixel(arrays, "mask", wave, source) == 0)
        weight = np.where(good, 1.0 if ivar is None else ivar, 0.0)
        weight = np.where(np.isfinite(weight), weight, 0.0)
        wave = air_to_vacuum(wave) if self.medium == "air" else wave
        z = number_of(row, "z")
        if math.isnan(z) and self.default_z is not None:
            z = self.default_z
        snr = {} if ivar is None else band_snr(wave, flux, weight)
        info = _info(row, source, demand_stellar_redshift(z, source), snr)
        width = _own_sigma(arrays, wave, source)
        width = self.resolution.sigma(wave) if width is None else width
        return Spectrum(wave, flux, weight, info, ivar is not None, width)


def _arrays(row: Row) -> dict[str, np.ndarray]:
    """Arrays of a row, without pixels that have no wavelength; an empty cell is no column."""
    cells = {key: array_of(row[key]) for key in ARRAYS if key in row}
    if missing := [key for key in ("wave", "flux") if cells[key] is None]:
        raise SpectrumError(f"no {' and '.join(missing)} (an empty cell)")
    arrays = {key: values for key, values in cells.items() if values is not None}
    wave = arrays["wave"]
    # Where all cells are equally long, what a shorter spectrum lacks is filled up.
    there = np.isfinite(wave) & (wave > 0)
    if not there.any():
        raise SpectrumError("wave has no positive number")
    return {key: each[there] if each.shape == wave.shape else each for key, each in arrays.items()}


def _per_pixel(
    arrays: Mapping[str, np.ndarray], key: str, wave: np.ndarray, source: str
) -> np.ndarray:
    """Values of every pixel, from as many or from one; zeros without any."""
    values = arrays.get(key, np.zeros(1))
    if values.shape not in ((1,), wave.shape):
        raise SpectrumError(f"{source}: {key} has {len(values)} values, wave {len(wave)}")
    return np.broadcast_to(values, wave.shape)


def _own_sigma(
    arrays: Mapping[str, np.ndarray], wave: np.ndarray, source: str
) -> np.ndarray | None:
    """Standard deviation of the line-spread function that a row states; ``None`` without one."""
    key = next((key for key in WIDTHS if key in arrays), None)
    if key is None:
        return None
    values = _per_pixel(arrays, key, wave, source)
    with np.errstate(all="ignore"):
        fwhm = wave / values if key == "resolving_power" else values
    return fwhm / FWHM_PER_SIGMA


def _info(row: Row, source: str, z: float, snr: dict[str, float]) -> StarInfo:
    ra, dec = sky_position(number_of(row, "ra"), number_of(row, "dec"))
    obsid = _identifier(row, "obsid")
    return StarInfo(
        source,
        obsid=int(obsid) if obsid else None,
        name=text_of(row, "name") or name_by_position(ra, dec),
        ra=ra,
        dec=dec,
        subclass=text_of(row, "subclass"),
        z=z,
        snr=snr,
        mjd=night(number_of(row, "mjd")),
        gaia_source_id=_identifier(row, "gaia_source_id"),
    )


def _identifier(row: Row, key: str) -> str:
    """Digits of a positive whole number of 64 bits; empty for whatever else stands for no star."""
    text = text_of(row, key)
    return str(int(text)) if text.isdecimal() and 0 < int(text) < 2**63 else ""
