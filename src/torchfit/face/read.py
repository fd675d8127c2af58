"""Spectra from files of many kinds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torchfit.exceptions import SpectrumError
from torchfit.face.spectrum import Spectrum
from torchfit.surveys.specutils_files import medium_of, read_file


def read_spectra(
    files: str | Path | Sequence[str | Path],
    *,
    format: str | None = None,
    medium: str | None = None,
    **settings: Any,
) -> list[Spectrum]:
    """Read spectra with specutils, to which LAMOST and MaStar files are known too.

    Args:
        files: One file or several.
        format: Name of a format of specutils; found out if it is not given.
        medium: Whether wavelengths are in ``air`` or in ``vacuum``, of files that do not say it:
            the formats of LAMOST, MaStar, SDSS, BOSS, DESI and APOGEE do (vacuum), and headers
            whose axis is ``AWAV`` (air).
        **settings: More of :class:`torchfit.Spectrum`: ``z``, ``lsf_fwhm``.

    Returns:
        All spectra of all files, named after them.

    Raises:
        SpectrumError: If there is no file, one cannot be read, or the medium is not known.

    Examples:
        >>> import torchfit as tf
        >>> (spectrum,) = tf.read_spectra("spec-56591-EG012606N021203B01_sp01-018.fits.gz")
        >>> spectrum.name
        'spec-56591-EG012606N021203B01_sp01-018.fits.gz'
    """
    several = [files] if isinstance(files, str | Path) else list(files)
    if not several:
        raise SpectrumError("there is no file to read: the list is empty")
    return [
        Spectrum(each, medium=_medium(path, found, each, medium), **({"name": name} | settings))
        for path in map(Path, several)
        for found, name, each in _read(path, format)
    ]


def _read(path: Path, format: str | None) -> list[tuple[str, str, Any]]:
    """Format, name and specutils Spectrum of everything in a file."""
    found, spectra = read_file(path, format)
    names = [path.name] if len(spectra) == 1 else [f"{path.name}:{n}" for n in range(len(spectra))]
    return [(found, name, each) for name, each in zip(names, spectra, strict=True)]


def _medium(path: Path, format: str, spectrum: Any, stated: str | None) -> str:
    """What the format or the header says, before what is said of all files."""
    if known := medium_of(format, spectrum) or stated:
        return known
    raise SpectrumError(
        f"{path}: format {format or 'unknown'} does not say whether its wavelengths are in air or "
        'in vacuum; give medium="air" or medium="vacuum"'
    )
