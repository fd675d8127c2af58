"""LAMOST low-resolution spectra of all data releases."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np

from torchfit.exceptions import SpectrumError
from torchfit.files.fetch import LASPEC
from torchfit.files.fits_bytes import read_bytes, unpack
from torchfit.files.fits_file import read_fits
from torchfit.spectra import Spectrum
from torchfit.surveys.lamost_arrays import good_pixels, lamost_arrays
from torchfit.surveys.lamost_catalogue import JoinedSources, LamostCatalogue, Row
from torchfit.surveys.lamost_header import Known, star_info
from torchfit.surveys.plausible import demand_noise
from torchfit.surveys.tree_reader import TreeReader
from torchfit.surveys.wheel_reader import WheelReader

_LSF_FWHM = 3.06
"""R of about 1800 at 5500 Angstrom, where the survey quotes it."""
NO_ROW: Row = {}
_MAX_WHOLE = 2.0**53
"""Whole numbers up to here are exact in the sums of floats."""


class LamostReader(TreeReader):
    """The LAMOST low-resolution spectra below a folder.

    Every file that :class:`~torchfit.files.fits_tree.FitsTree` finds counts, in the layout of any
    release; links are followed, and each file is taken once.

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
        super().__init__(root, pattern)
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
        return catalogue.join(self.files)

    def sources(self) -> list[str]:
        """List the paths below ``root``, with forward slashes, sorted.

        Raises:
            DataError: If the folder is missing or has no matching file, or the catalogue cannot
                be read or fits none.
        """
        return self.files if self.joined is None else self.joined.sources

    def part(self, sources: Sequence[str]) -> "LamostReader":
        """Make a reader that knows only the rows of some sources.

        Args:
            sources: Some of :meth:`sources`.
        """
        part = LamostReader(str(self.root), self.pattern, self.catalogue)
        part._rows = {} if self.joined is None else self.joined.rows(sources)
        return part

    def read(self, source: str) -> Spectrum:
        """Read one spectrum.

        Args:
            source: Path below ``root``.

        Raises:
            SpectrumError: As :func:`read_lamost`, or if the catalogue has no row for it.
        """
        return read_lamost(self.file_of(source), source, self._row(source))

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
    it, a value is not finite or no measurement, or the flux is exactly zero, as in the padding at
    the red end, which the pipeline does not flag.

    Args:
        file: Path of the file, or its bytes; gzipped or not.
        source: What to call it.
        row: What a catalogue says of it.

    Raises:
        SpectrumError: If the file cannot be read, is no LAMOST low-resolution spectrum or no
            spectrum of a star, or has no usable redshift, no good pixel, or numbers that cannot be.

    References:
        Luo et al. 2015, RAA 15, 1095.
    """
    content = unpack(file, source) if isinstance(file, bytes) else read_bytes(file, source)
    units = read_fits(content, source)
    wave, flux, ivar, ormask = lamost_arrays(units, source)
    info = star_info(Known(units[0], row), source)
    good = good_pixels(flux, ivar, ormask)
    _demand_good(good, flux, source)
    demand_noise(flux[good], ivar[good], source)
    flags = _sum_of_mask(ormask, source)
    n_bad = int(good.size - good.sum())
    info = replace(info, sum_ormask=flags, n_bad=n_bad, checksum=zlib.adler32(content))
    return Spectrum(wave, flux, np.where(good, ivar, 0.0), info)


def _demand_good(good: np.ndarray, flux: np.ndarray, source: str) -> None:
    if not np.isfinite(flux).any():
        raise SpectrumError(f"{source}: the flux is not finite in any pixel")
    if not good.any():
        raise SpectrumError(f"{source}: every pixel is masked")


def _sum_of_mask(ormask: np.ndarray, source: str) -> int:
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(np.nansum(ormask))
    if not abs(total) < _MAX_WHOLE:
        raise SpectrumError(f"{source}: ORMASK is no mask (its sum is {total:g})")
    return int(total)
