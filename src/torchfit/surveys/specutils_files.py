"""Spectra from files of any format that specutils reads."""

from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np

from torchfit.exceptions import DataError, SpectrumError
from torchfit.files.fits_stream import demand_possible_sizes
from torchfit.files.table_file import quiet_astropy

VACUUM = ("LAMOST", "MaStar", "SDSS", "BOSS", "DESI", "APOGEE", "HST", "JWST", "MUSCLES", "MaNGA")
"""Words in the names of specutils' formats whose wavelengths are in vacuum by definition."""
GENERIC = ("tabular-fits", "wcs1d-fits", "ASCII", "ECSV", "IPAC")
"""Formats of specutils that are of no survey."""

_LIST_OF_FORMATS = " The available formats are"
"""How the table begins that astropy adds to an error."""
_MOST_LOGARITHM = 6.0
"""No decimal logarithm of a wavelength in Angstrom is above it, no wavelength of a star below."""


def read_file(path: Path, format: str | None) -> tuple[str, list[Any]]:
    """Read all spectra of a file.

    Args:
        path: The file.
        format: Name of a format of specutils; found out if ``None``.

    Returns:
        The format, and the ``specutils.Spectrum`` objects, each of one spectrum.

    Raises:
        SpectrumError: If specutils is not installed or does not read it.
    """
    try:
        from specutils import SpectrumList
        from specutils.io.registers import identify_spectrum_format

        import torchfit.surveys.specutils_loaders  # noqa: F401
    except ImportError as error:
        raise SpectrumError("reading files needs specutils: pip install specutils") from error
    if not path.is_file():
        raise SpectrumError(f"no such file: {path}")
    try:
        demand_possible_sizes(path)
        with quiet_astropy(), np.errstate(all="ignore"):
            found = format or _specific(identify_spectrum_format(str(path), SpectrumList))
            spectra = SpectrumList.read(str(path), format=found or None)
            return found, [row for each in spectra for row in _rows(_in_angstrom(each))]
    except DataError as error:
        raise SpectrumError(f"{error}") from error
    except Exception as error:  # Whatever a loader of specutils raises, the file is not read.
        why = " ".join(str(error).split()).partition(_LIST_OF_FORMATS)[0][:200]
        what = "name its format" if format is None else f"is it no file of format {format}?"
        raise SpectrumError(f"{path} cannot be read ({why}); {what}") from error


def medium_of(format: str, spectrum: Any) -> str | None:
    """Whether wavelengths are in air or in vacuum, by definition of the format or by the header.

    Args:
        format: Name of a format of specutils.
        spectrum: What specutils has read; an axis of FITS called ``AWAV`` is in air.

    Returns:
        ``vacuum``, ``air``, or ``None`` if neither says it.
    """
    if any(word.lower() in format.lower() for word in VACUUM):
        return "vacuum"
    return "air" if str(_header(spectrum).get("CTYPE1", "")).upper().startswith("AWAV") else None


def _header(spectrum: Any) -> Any:
    """The header of the file, as far as specutils has kept one; else a mapping without a card."""
    header = (spectrum.meta or {}).get("header")
    return header if hasattr(header, "get") else {}


def _in_angstrom(spectrum: Any) -> Any:
    """The spectrum; specutils takes IRAF's logarithms of wavelengths (DC-FLAG is 1) for these."""
    from specutils import Spectrum

    axis = spectrum.spectral_axis
    if (
        not _is_logarithm(_header(spectrum))
        or axis.unit != u.AA
        or axis.value.max() > _MOST_LOGARITHM
    ):
        return spectrum
    return Spectrum(
        flux=spectrum.flux,
        spectral_axis=10.0**axis.value * u.AA,
        uncertainty=spectrum.uncertainty,
        mask=spectrum.mask,
        meta=spectrum.meta,
    )


def _is_logarithm(header: Any) -> bool:
    said = (str(header.get(key, "")).upper() for key in ("CTYPE1", "WFITTYPE"))
    return header.get("DC-FLAG") == 1 or any("LOG" in text for text in said)


def _rows(spectrum: Any) -> list[Any]:
    """One spectrum each, of an object that may hold several on one grid."""
    return [spectrum] if np.ndim(spectrum.flux) <= 1 else [r for s in spectrum for r in _rows(s)]


def _specific(formats: str | list[str]) -> str:
    """The format to read with: that of a survey before a generic one; empty for none."""
    several = [formats] if isinstance(formats, str) else formats
    return min(several, key=lambda name: name in GENERIC, default="")
