"""LAMOST low-resolution spectra of all data releases."""

import fnmatch
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from torchfit.exceptions import DataError, SpectrumError
from torchfit.io.fetch import LASPEC
from torchfit.io.fits_file import FitsUnit, read_fits
from torchfit.io.lamost_header import star_info
from torchfit.io.reader import SurveyReader
from torchfit.io.wheel_reader import WheelReader
from torchfit.spectra import Spectrum

_LSF_FWHM = 3.06
"""R of about 1800 at 5500 Angstrom, where the survey quotes it."""
_COLUMNS = ("WAVELENGTH", "FLUX", "IVAR", "ORMASK")
_OPTICAL = (3000.0, 10000.0)


class LamostReader(SurveyReader):
    """The LAMOST low-resolution spectra below a folder.

    Every ``.fits`` and ``.fits.gz`` file counts, in the layout of any release. Links that lead
    out of the folder, and links to folders, are not followed.

    Args:
        root: The folder.
        pattern: Only the files whose path below ``root`` matches this shell pattern, in which
            ``*`` matches ``/`` too; all of them if ``None``.
    """

    name = "lamost"
    lsf_fwhm = _LSF_FWHM

    def __init__(self, root: str, pattern: str | None = None) -> None:
        self.root = root
        self.pattern = pattern

    def sources(self) -> list[str]:
        """List the paths below ``root``, with forward slashes, sorted.

        Raises:
            DataError: If the folder is missing or has no matching file.
        """
        root = self._folder()
        if not root.is_dir():
            raise DataError(f"no such folder of spectra: {root}")
        found = sorted(filter(self._is_wanted, _files_below(root)))
        if not found:
            wanted = f" that matches {self.pattern!r}" if self.pattern else ""
            raise DataError(f"no .fits or .fits.gz file{wanted} below {root}")
        return found

    def read(self, source: str) -> Spectrum:
        """Read one spectrum.

        Args:
            source: Path below ``root``.

        Raises:
            SpectrumError: As :func:`read_lamost`.
        """
        return read_lamost(self._folder() / source, source)

    def _folder(self) -> Path:
        return Path(self.root).expanduser()

    def _is_wanted(self, source: str) -> bool:
        matches = self.pattern is None or fnmatch.fnmatchcase(source, self.pattern)
        return matches and source.endswith((".fits", ".fits.gz"))


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


def read_lamost(file: Path | bytes, source: str) -> Spectrum:
    """Read one LAMOST low-resolution spectrum: vacuum, heliocentric, not at rest.

    The content tells the layout, not the name: one table row (release 9 and later), an image
    with a row of wavelengths (before), or an image without one (release 1), whose wavelengths
    follow from the header. A pixel is bad if its inverse variance is zero, any exposure flags
    it, a value is not finite, or the flux is exactly zero, as in the padding at the red end,
    which the pipeline does not flag.

    Args:
        file: Path of the file, or its bytes; gzipped or not.
        source: What to call it.

    Raises:
        SpectrumError: If the file cannot be read, is no LAMOST low-resolution spectrum or no
            spectrum of a star, or has no usable redshift or no good pixel.

    References:
        Luo et al. 2015, RAA 15, 1095.
    """
    units = read_fits(file, source)
    wave, flux, ivar, ormask = _rows(units, source)
    info = star_info(units[0], source)
    good = np.isfinite(flux) & np.isfinite(ivar) & (ivar > 0) & ~(ormask > 0) & (flux != 0)
    _demand_good(good, flux, source)
    return Spectrum(wave, flux, np.where(good, ivar, 0.0), info)


def _files_below(root: Path) -> Iterator[str]:
    home = root.resolve()
    for folder, _, files in os.walk(root):
        for path in (Path(folder, file) for file in files):
            if not path.is_symlink() or path.resolve().is_relative_to(home):
                yield path.relative_to(root).as_posix()


def _rows(units: list[FitsUnit], source: str) -> tuple[np.ndarray, ...]:
    """Wavelength, flux, inverse variance and mask, whichever the layout."""
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
