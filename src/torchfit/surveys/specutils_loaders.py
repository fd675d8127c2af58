"""LAMOST, MaStar and model spectra in specutils: ``import torchfit.surveys.specutils_loaders``.

specutils finds loaders of other packages only when they are imported. The line above in a file
``~/.specutils/torchfit.py`` has specutils do that by itself.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.nddata import InverseVariance
from specutils import Spectrum
from specutils.io.registers import data_loader

from torchfit.exceptions import DataError
from torchfit.files.fits_file import read_fits
from torchfit.files.fits_stream import open_table
from torchfit.files.model_reader import is_models, read_models
from torchfit.surveys.lamost_arrays import good_pixels, lamost_arrays

_ABOVE_GENERIC_TABLES = 20
MASTAR_FLUX = u.Unit("1e-17 erg / (Angstrom cm2 s)")
_MASTAR_PIXELS = ("WAVE", "FLUX", "IVAR", "MASK")
_MASTAR_KEYS = ("MANGAID", "PLATE", "IFUDESIGN", "MJD")


def is_lamost(origin: str, *arguments: Any, **settings: Any) -> bool:
    """Tell a LAMOST low-resolution spectrum by its header and its arrays.

    Args:
        origin: Read or write.
        arguments: Path, then the open file.
        settings: Not looked at.
    """
    units = read_fits(_content(arguments[0] or arguments[1]), "file")
    is_ours = any("LAMOST" in units[0].text(card).upper() for card in ("TELESCOP", "ORIGIN"))
    return origin == "read" and is_ours and bool(lamost_arrays(units, "file"))


@data_loader("LAMOST LRS", is_lamost, Spectrum, ["fits", "fits.gz"], _ABOVE_GENERIC_TABLES)
def read_lamost_spectrum(file_obj: Any, **settings: Any) -> Spectrum:
    """Read a LAMOST low-resolution spectrum of any release, of a star or not.

    Args:
        file_obj: Path, or a file open for bytes.
        settings: Not looked at.

    Returns:
        Flux (relative, without a unit) in vacuum, heliocentric, not at rest, with the redshift
        of the header; bad pixels are masked.

    Raises:
        SpectrumError: If it is none.
    """
    source = str(getattr(file_obj, "name", file_obj))
    units = read_fits(_content(file_obj), source)
    wave, flux, ivar, ormask = lamost_arrays(units, source)
    good, z = good_pixels(flux, ivar, ormask), units[0].number("Z")
    return Spectrum(
        flux=flux * u.dimensionless_unscaled,
        spectral_axis=wave * u.AA,
        uncertainty=InverseVariance(np.where(good, ivar, 0.0)),
        mask=~good,
        redshift=z if z > -1 else 0.0,
        meta={
            "obsid": units[0].header.whole("OBSID", -1),
            "name": units[0].text("DESIG"),
            "class": units[0].text("CLASS"),
            "subclass": units[0].text("SUBCLASS"),
            "ra": units[0].number("RA"),
            "dec": units[0].number("DEC"),
        },
    )


def is_mastar(origin: str, *arguments: Any, **settings: Any) -> bool:
    """Tell a table of MaStar spectra by its columns.

    Args:
        origin: Read or write.
        arguments: Path, then the open file.
        settings: Not looked at.
    """
    with open_table(_path(arguments[0] or arguments[1])) as table:
        return origin == "read" and {*_MASTAR_PIXELS, *_MASTAR_KEYS} <= set(table.layout.names)


@data_loader("MaStar", is_mastar, Spectrum, ["fits", "fits.gz"], _ABOVE_GENERIC_TABLES)
def read_mastar_spectra(
    file_obj: Any, rows: Sequence[int] | None = None, **settings: Any
) -> Spectrum:
    """Read visits of the MaStar spectra, in a stream that keeps those that are wanted.

    Args:
        file_obj: Path of a goodspec file, or of a file of one object, or such a file open.
        rows: Rows to take, ascending; all of them if ``None``.
        settings: Not looked at.

    Returns:
        Flux in 1e-17 erg/s/cm2/Angstrom in vacuum, at rest: one row each, or a plain spectrum
        for a single one. Bad pixels are masked; the keys of the rows are in ``meta``.

    Raises:
        DataError: If the file is damaged, has no such row, or rows differ in wavelength.
    """
    path = _path(file_obj)
    columns = _mastar_rows(path, rows)
    wave, flux, ivar, mask = (columns[name].astype(np.float64) for name in _MASTAR_PIXELS)
    if not len(wave) or not np.array_equal(wave, np.broadcast_to(wave[0], wave.shape)):
        raise DataError(f"{path}: no rows, or rows of different wavelengths; choose others")
    good = np.isfinite(flux) & np.isfinite(ivar) & (ivar > 0) & (mask == 0)
    one = slice(None) if len(wave) > 1 else 0
    return Spectrum(
        flux=flux[one] * MASTAR_FLUX,
        spectral_axis=wave[0] * u.AA,
        uncertainty=InverseVariance(np.where(good, ivar, 0.0)[one]),
        mask=~good[one],
        meta={name.lower(): columns[name][one] for name in _MASTAR_KEYS},
    )


def _mastar_rows(path: Path, rows: Sequence[int] | None) -> dict[str, np.ndarray]:
    names = (*_MASTAR_PIXELS, *_MASTAR_KEYS)
    pieces: list[list[np.ndarray]] = []
    first = 0
    with open_table(path) as table:
        wanted = np.arange(table.layout.n_rows) if rows is None else np.asarray(rows)
        if wanted.min(initial=0) < 0 or wanted.max(initial=-1) >= table.layout.n_rows:
            raise DataError(f"{path}: rows must lie within 0 and {table.layout.n_rows - 1}")
        for block in table.blocks():
            inside = wanted[(wanted >= first) & (wanted < first + len(block))] - first
            pieces.append([table.layout.values(block[inside], name) for name in names])
            first += len(block)
    columns = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return dict(zip(names, columns, strict=True))


def is_model_part(origin: str, *arguments: Any, **settings: Any) -> bool:
    """Tell a part of ``products=[models]``, Parquet or FITS.

    Args:
        origin: Read or write.
        arguments: Path, then the open file.
        settings: Not looked at.
    """
    return origin == "read" and is_models(_path(arguments[0] or arguments[1]))


@data_loader("torchfit models", is_model_part, Spectrum, ["parquet", "fits"], _ABOVE_GENERIC_TABLES)
def read_model_spectra(
    file_obj: Any, stars: Sequence[int] | None = None, **settings: Any
) -> Spectrum:
    """Read observed spectra with their models, a part of what ``torchfit infer`` has written.

    Args:
        file_obj: Path of a part, or the part open.
        stars: Running numbers of the wanted stars; all of them if ``None``.
        settings: Not looked at.

    Returns:
        Normalised flux in vacuum, at rest, one row a star; what was not fitted is masked. ``star``,
        ``source``, ``model``, ``continuum`` and ``mask`` (its bits) are in ``meta``.

    Raises:
        DataError: If the part is damaged or has no such star.
    """
    read = read_models(_path(file_obj), stars)
    names = ("star", "source", "mask", "model", "continuum")
    return Spectrum(
        flux=read.flux * u.dimensionless_unscaled,
        spectral_axis=read.wave * u.AA,
        uncertainty=InverseVariance(read.ivar),
        mask=read.mask > 0,
        meta={name: getattr(read, name) for name in names},
    )


def _path(file: Any) -> Path:
    """The path of a file, which specutils may have opened already."""
    return Path(getattr(file, "name", file))


def _content(file: Any) -> Path | bytes:
    if not hasattr(file, "read"):
        return Path(file)
    file.seek(0)
    return file.read()
