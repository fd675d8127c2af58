"""LAMOST low-resolution spectra of all data releases."""

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np

from torchfit.exceptions import DataError, SpectrumError
from torchfit.files.fetch import LASPEC
from torchfit.files.fits_file import FitsUnit, read_fits
from torchfit.files.fits_tree import fits_files_below
from torchfit.spectra import Spectrum
from torchfit.surveys.lamost_catalogue import JoinedSources, LamostCatalogue, Row
from torchfit.surveys.lamost_header import Known, star_info
from torchfit.surveys.reader import SurveyReader
from torchfit.surveys.wheel_reader import WheelReader

_LSF_FWHM = 3.06
"""R of about 1800 at 5500 Angstrom, where the survey quotes it."""
_COLUMNS = ("WAVELENGTH", "FLUX", "IVAR", "ORMASK")
NO_ROW: Row = {}
_OPTICAL = (3000.0, 10000.0)


class LamostReader(SurveyReader):
    """The LAMOST low-resolution spectra below a folder.

    Every ``.fits`` and ``.fits.gz`` file counts, in the layout of any release. Links that lead
    out of the folder, and links to folders, are not followed.

    Args:
        root: The folder.
        pattern: Only the files whose path below ``root`` matches this shell pattern, in which
            ``*`` matches ``/`` too; all of them if ``None``.
        catalogue: A table of the release (``dr10_v2.0_LRS_stellar.fits.gz``, say), FITS or CSV:
            only files that have a row in it count, and what it says goes before their headers.
    """

    name = "lamost"
    lsf_fwhm = _LSF_FWHM

    def __init__(self, root: str, pattern: str | None = None, catalogue: str | None = None) -> None:
        self.root = root
        self.pattern = pattern
        self.catalogue = catalogue
        self._rows: Mapping[str, Row] | None = None

    @cached_property
    def joined(self) -> JoinedSources | None:
        """The files with their rows, where there is a catalogue.

        Raises:
            DataError: If the catalogue cannot be read, or fits no file.
        """
        if self.catalogue is None:
            return None
        catalogue = LamostCatalogue.read(Path(self.catalogue).expanduser())
        return catalogue.join(self._files())

    def sources(self) -> list[str]:
        """List the paths below ``root``, with forward slashes, sorted.

        Raises:
            DataError: If the folder is missing or has no matching file, or the catalogue cannot
                be read or fits none.
        """
        return self._files() if self.joined is None else self.joined.sources

    def part(self, sources: Sequence[str]) -> "LamostReader":
        """Make a reader that knows only the rows of some sources.

        Args:
            sources: Some of :meth:`sources`.
        """
        part = LamostReader(self.root, self.pattern, self.catalogue)
        part._rows = {} if self.joined is None else self.joined.rows(sources)
        return part

    def read(self, source: str) -> Spectrum:
        """Read one spectrum.

        Args:
            source: Path below ``root``.

        Raises:
            SpectrumError: As :func:`read_lamost`, or if the catalogue has no row for it.
        """
        return read_lamost(self._folder() / source, source, self._row(source))

    def file_of(self, source: str) -> Path:
        """Name the file of a source."""
        return self._folder() / source

    def shared_files(self) -> Sequence[Path]:
        """Name the catalogue, where there is one."""
        return () if self.catalogue is None else (Path(self.catalogue).expanduser(),)

    def provenance(self) -> dict[str, str]:
        """Which catalogue goes before the headers."""
        said = {"reader": self.name}
        return said if self.catalogue is None else said | {"catalogue": Path(self.catalogue).name}

    def _row(self, source: str) -> Row:
        if self._rows is not None:
            return self._rows.get(source, {})
        return {} if self.joined is None else self.joined.rows([source]).get(source, {})

    def _files(self) -> list[str]:
        root = self._folder()
        if not root.is_dir():
            raise DataError(f"no such folder of spectra: {root}")
        found = sorted(filter(self._is_wanted, fits_files_below(root)))
        if not found:
            wanted = f" that matches {self.pattern!r}" if self.pattern else ""
            raise DataError(f"no .fits or .fits.gz file{wanted} below {root}")
        return found

    def _folder(self) -> Path:
        return Path(self.root).expanduser()

    def _is_wanted(self, source: str) -> bool:
        return self.pattern is None or fnmatch.fnmatchcase(source, self.pattern)


class LamostSampleReader(WheelReader):
    """Two real LAMOST spectra (F5 and G3) that ship with the laspec package.

    Args:
        cache: Folder of downloaded archives; the default cache if ``None``.
    """

    name = "lamost_sample"
    lsf_fwhm = _LSF_FWHM
    wheel = LASPEC
    prefix = "laspec/data/"

    def is_spectrum(self, member: str) -> bool:
        """Whether a member is a low-resolution spectrum; the medium-resolution ones are not."""
        return PurePosixPath(member).match("spec-*.fits*")

    def parse(self, raw: bytes, source: str) -> Spectrum:
        """Make a spectrum of the bytes of one member.

        Raises:
            SpectrumError: As :func:`read_lamost`.
        """
        return read_lamost(raw, source)


def read_lamost(file: Path | bytes, source: str, row: Row = NO_ROW) -> Spectrum:
    """Read one LAMOST low-resolution spectrum: vacuum, heliocentric, not at rest.

    The content tells the layout, not the name: one table row (release 9 and later), an image
    with a row of wavelengths (before), or an image without one (release 1), whose wavelengths
    follow from the header. A pixel is bad if its inverse variance is zero, any exposure flags
    it, a value is not finite, or the flux is exactly zero, as in the padding at the red end,
    which the pipeline does not flag.

    Args:
        file: Path of the file, or its bytes; gzipped or not.
        source: What to call it.
        row: What a catalogue says of it.

    Raises:
        SpectrumError: If the file cannot be read, is no LAMOST low-resolution spectrum or no
            spectrum of a star, or has no usable redshift or no good pixel.

    References:
        Luo et al. 2015, RAA 15, 1095.
    """
    units = read_fits(file, source)
    wave, flux, ivar, ormask = lamost_arrays(units, source)
    info = star_info(Known(units[0], row), source)
    good = good_pixels(flux, ivar, ormask)
    _demand_good(good, flux, source)
    info = replace(info, sum_ormask=int(np.nansum(ormask)), n_bad=int(good.size - good.sum()))
    return Spectrum(wave, flux, np.where(good, ivar, 0.0), info)


def good_pixels(flux: np.ndarray, ivar: np.ndarray, ormask: np.ndarray) -> np.ndarray:
    """Tell which pixels can be used.

    Args:
        flux: Flux.
        ivar: Inverse variance.
        ormask: Mask of pixels flagged in any exposure.

    Returns:
        False where a pixel is bad in the sense of :func:`read_lamost`.
    """
    return np.isfinite(flux) & np.isfinite(ivar) & (ivar > 0) & ~(ormask > 0) & (flux != 0)


def lamost_arrays(units: list[FitsUnit], source: str) -> tuple[np.ndarray, ...]:
    """Take the arrays of a file, whichever its layout.

    Args:
        units: Units of the file.
        source: What to call it.

    Returns:
        Wavelength in Angstrom, flux, inverse variance, and mask of pixels flagged in any
        exposure, as the file has them.

    Raises:
        SpectrumError: If the file has neither layout.
    """
    for unit in units:
        if unit.columns.keys() >= set(_COLUMNS):
            return _table_rows(unit, source)
    image = units[0].image
    if image is None or image.ndim != 2 or image.shape[0] < 5:
        raise SpectrumError(f"{source}: neither layout of a LAMOST low-resolution spectrum")
    is_wave = _is_wavelength(image[2])
    wave = image[2] if is_wave else _wave_of_header(units[0], image.shape[1], source)
    return wave, image[0], image[1], image[4]


def _table_rows(unit: FitsUnit, source: str) -> tuple[np.ndarray, ...]:
    columns = [unit.columns[name] for name in _COLUMNS]
    shapes = {column.shape for column in columns}
    if len(shapes) > 1 or columns[0].ndim != 2 or columns[0].shape[0] != 1:
        raise SpectrumError(f"{source}: the table is not one row of equally long arrays")
    return tuple(column[0] for column in columns)


def _is_wavelength(row: np.ndarray) -> bool:
    """Whether the third row of an image is a wavelength; in release 1 it is another flux."""
    first, last = _OPTICAL
    return bool((np.diff(row) > 0).all() and first < row[0] and row[-1] < last)


def _wave_of_header(unit: FitsUnit, n_pix: int, source: str) -> np.ndarray:
    """Log-linear wavelength axis of the header.

    The pipeline computes the axis from single-precision coefficients; rounding them likewise
    gives its numbers to the last digit, where double precision is off by up to 0.003 Angstrom.
    """
    start, step = (np.float64(np.float32(unit.number(key))) for key in ("COEFF0", "COEFF1"))
    if not np.isfinite(start + step):
        raise SpectrumError(f"{source}: no wavelengths, neither as a row nor in the header")
    return 10.0 ** (start + step * np.arange(n_pix))


def _demand_good(good: np.ndarray, flux: np.ndarray, source: str) -> None:
    if not np.isfinite(flux).any():
        raise SpectrumError(f"{source}: the flux is not finite in any pixel")
    if not good.any():
        raise SpectrumError(f"{source}: every pixel is masked")
