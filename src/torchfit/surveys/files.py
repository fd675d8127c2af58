"""Spectra in files of any format that specutils reads: a night of one's own, an archive."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from torchfit.exceptions import ConfigError, SpectrumError
from torchfit.names import FWHM_PER_SIGMA
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.band_snr import band_snr
from torchfit.surveys.kept_files import KeptFiles, Opened
from torchfit.surveys.medium import air_to_vacuum
from torchfit.surveys.plausible import (
    demand_stellar_redshift,
    name_by_position,
    night,
    sky_position,
)
from torchfit.surveys.quantities import flux_and_ivar, parts_of, wavelength
from torchfit.surveys.row_reader import RowReader
from torchfit.surveys.specutils_files import medium_of, read_file

MEDIA = ("air", "vacuum")


class FilesReader(RowReader[Opened]):
    """The spectra of all files below a folder, each in any format that specutils reads.

    A file of several spectra has several sources, ``night.fits:0003``. Wavelengths and fluxes are
    converted from their units; a file without errors has one noise level, which the fit estimates.

    Args:
        root: Folder of the files.
        pattern: Only the files whose path below ``root`` matches this shell pattern.
        listed: A text file with one path a line, instead of all that lies below the folder.
        format: Name of a format of specutils, for all files; ``None`` finds out that of each.
        medium: Whether wavelengths are in ``air`` or in ``vacuum``, where neither the format says
            it nor the header (an axis ``AWAV``); with ``None`` such a file is rejected.
        z: Redshift of all; ``None`` takes that of each file. Where a file states none, specutils
            says 0, which is therefore none: it is measured (``velocity=missing``).
        lsf_fwhm: Resolution of all, full width at half maximum in Angstrom; ``None`` takes that of
            the emulator.

    Raises:
        ConfigError: If there is no folder and no list, no such medium, or no such redshift.
    """

    name = "files"
    wanted = "file"

    def __init__(
        self,
        root: str | None = None,
        pattern: str | None = None,
        listed: str | None = None,
        format: str | None = None,
        medium: str | None = None,
        z: float | None = None,
        lsf_fwhm: float | None = None,
    ) -> None:
        super().__init__(root, pattern, listed)
        if medium not in (None, *MEDIA):
            raise ConfigError(f"data.medium={medium}: use {' or '.join(MEDIA)}")
        if lsf_fwhm is not None and not 0 < lsf_fwhm < math.inf:
            raise ConfigError(f"data.lsf_fwhm={lsf_fwhm} must be positive, in Angstrom")
        self.format, self.medium, self.z, self.lsf_fwhm = format, medium, z, lsf_fwhm
        self._kept = KeptFiles()

    def takes(self, name: str) -> bool:
        """Whether a file may be a spectrum: any but hidden ones."""
        return not name.startswith(".")

    def parts(self, path: Path) -> Sequence[int] | None:
        """Numbers of the spectra of a file; specutils tells them only by reading the file."""
        try:
            n = len(self._kept.keep(path, read_file(path, self.format))[1])
        except SpectrumError:
            return None
        return None if n <= 1 else range(n)

    def open(self, file: str) -> Opened:
        """Read a file, unless it was read a moment ago to count its spectra."""
        path = self.folder / file
        try:
            return self._kept.take(path) or read_file(path, self.format)
        except SpectrumError as error:
            reason = str(error).removeprefix(str(path)).lstrip(": ")
            raise SpectrumError(f"{file}: {reason}") from error

    def row(self, opened: Opened, row: int, source: str) -> Spectrum:
        """Make the spectrum of a row."""
        format, spectra = opened
        if not 0 <= row < len(spectra):
            raise SpectrumError(f"{source}: no such spectrum, the file has {len(spectra)}")
        # What a format or a header defines goes before what is said of all files.
        medium = medium_of(format, spectra[row]) or self.medium
        if medium is None:
            raise SpectrumError(
                f"{source}: format {format or 'unknown'} does not say whether its wavelengths are "
                "in air or in vacuum; give data.medium=air or data.medium=vacuum"
            )
        try:
            return self._converted(spectra[row], source, medium == "air")
        except SpectrumError as error:
            reason = str(error).removeprefix(f"{source}: ")
            raise SpectrumError(f"{source}: {reason}") from error

    def _converted(self, spectrum: Any, source: str, in_air: bool) -> Spectrum:
        wave, flux, ivar, z, _ = parts_of(spectrum, None, None, self.z, "")
        length = wavelength(wave)
        values, errors = flux_and_ivar(flux, ivar, length)
        vacuum = air_to_vacuum(length) if in_air else length
        good = np.isfinite(values)
        weight = np.where(good, 1.0 if errors is None else errors, 0.0)
        z = demand_stellar_redshift(math.nan if z is None else float(z), source)
        snr = {} if errors is None else band_snr(vacuum, values, weight)
        info = _info(spectrum.meta or {}, source, z, snr)
        width = None
        if self.lsf_fwhm is not None:
            width = np.full_like(vacuum, self.lsf_fwhm / FWHM_PER_SIGMA)
        return Spectrum(vacuum, values, weight, info, errors is not None, width)


def _info(meta: Any, source: str, z: float, snr: dict[str, float]) -> StarInfo:
    """What the header says of the star, where it is plain."""
    header = meta.get("header", meta)
    ra, dec = sky_position(_number(header, "RA"), _number(header, "DEC"))
    return StarInfo(
        source,
        name=str(header.get("OBJECT", "") or "").strip() or name_by_position(ra, dec),
        ra=ra,
        dec=dec,
        z=z,
        snr=snr,
        mjd=night(_number(header, "MJD")),
    )


def _number(header: Any, key: str) -> float:
    value = header.get(key)
    return float(value) if isinstance(value, int | float) else math.nan
