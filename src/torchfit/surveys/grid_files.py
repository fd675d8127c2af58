"""Files of synthetic spectra: arrays of numpy, tables and images of FITS, columns of text."""

import gzip
import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.io import fits

from torchfit.exceptions import SpectrumError
from torchfit.files.fits_astropy import open_fits

_WAVES = ("wave", "wavelength", "lambda", "loglam")
_FLUXES = ("flux", "specificintensity", "flam", "f_lambda")
_EXPONENT = re.compile(r"(?<=\d)[dD](?=[+-]?\d)|(?<=\d)(?=[+-]\d\d\d(?!\d))")
"""Where Fortran writes a D for an E, or nothing before an exponent of three digits."""
_LOG_10, _LN, _LINEAR = (2.9, 5.1), (6.7, 11.8), (800.0, 1.3e5)
"""First wavelengths between 800 and 130,000 Angstrom, by how the axis is written."""


@dataclass(frozen=True)
class GridFile:
    """What a file holds.

    Args:
        wave: Wavelengths; ``None`` if they lie in a file of their own.
        flux: One spectrum a row.
        values: Numbers beside them, by name: header cards, or arrays with one value a row.
        wave_unit: Unit of the wavelengths; empty if the file does not say it.
        flux_unit: Unit of the fluxes; empty if the file does not say it.
    """

    wave: np.ndarray | None
    flux: np.ndarray
    values: Mapping[str, Any] = field(default_factory=dict)
    wave_unit: str = ""
    flux_unit: str = ""


def read_grid_file(path: Path, wave: str | None = None, flux: str | None = None) -> GridFile:
    """Read a file of one spectrum, or of several on one axis.

    Args:
        path: A ``.npz`` file of arrays; a FITS table, or image with a linear or logarithmic axis;
            or columns of text. Gzipped text and FITS are unpacked.
        wave: Name of the array or column of wavelengths, its number (from 0) in a text; found out
            if ``None``.
        flux: The same for fluxes.

    Returns:
        What it holds.

    Raises:
        SpectrumError: If it cannot be read, or holds no spectrum.
    """
    try:
        if path.name.endswith(".npz"):
            return _of_arrays(path, wave or "wave", flux or "flux")
        if re.search(r"\.fits?(\.gz)?$", path.name):
            with open_fits(path) as units:
                return _of_fits(units, wave, flux)
        return _of_text(path, wave, flux)
    except Exception as error:  # A damaged file can raise anything in what reads it.
        why = " ".join(str(error).split())[:200]
        raise SpectrumError(f"{path.name} cannot be read as synthetic spectra ({why})") from error


def n_spectra(path: Path, flux: str | None = None) -> int | None:
    """Count the spectra of a ``.npz`` file; ``None`` if it is one, or cannot be read.

    Args:
        path: Any file of a grid; only those of numpy hold several.
        flux: Name of the array of fluxes.
    """
    if not path.name.endswith(".npz"):
        return None
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{flux or 'flux'}.npy") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0
            shape = (read if version == (1, 0) else np.lib.format.read_array_header_2_0)(file)[0]
    except Exception:  # Reading it says why, and a damaged one can raise anything.
        return None
    return shape[0] if len(shape) > 1 else None


def _of_arrays(path: Path, wave: str, flux: str) -> GridFile:
    with np.load(path, allow_pickle=False) as arrays:
        values = {name: arrays[name] for name in arrays.files if name not in (wave, flux)}
        axis = np.asarray(arrays[wave], dtype=np.float64) if wave in arrays.files else None
        return GridFile(axis, np.atleast_2d(np.asarray(arrays[flux], dtype=np.float64)), values)


def _of_fits(units: fits.HDUList, wave: str | None, flux: str | None) -> GridFile:
    cards: dict[str, Any] = {}
    for unit in reversed(units):
        cards |= {key: value for key, value in unit.header.items() if key}
    for unit in units:
        if isinstance(unit, fits.BinTableHDU):
            return _of_table(unit, cards, wave, flux)
        if unit.data is not None:
            values = np.atleast_2d(np.asarray(unit.data, dtype=np.float64))
            axis, axis_unit = _axis(unit.header, values.shape[-1])
            return GridFile(axis, values, cards, axis_unit, str(unit.header.get("BUNIT", "")))
    raise ValueError("it has neither a table nor an image")


def _of_table(
    table: fits.BinTableHDU, cards: Mapping[str, Any], wave: str | None, flux: str | None
) -> GridFile:
    names = {name.lower(): name for name in table.columns.names}
    x = names[wave.lower()] if wave else _first(names, _WAVES)
    y = names[flux.lower()] if flux else _first(names, _FLUXES)
    values = np.asarray(table.data[x], dtype=np.float64).ravel()
    axis = 10.0**values if x.lower() == "loglam" else values
    spectrum = np.asarray(table.data[y], dtype=np.float64).reshape(1, -1)
    return GridFile(
        axis, spectrum, cards, *(str(table.columns[name].unit or "") for name in (x, y))
    )


def _first(names: Mapping[str, str], wanted: tuple[str, ...]) -> str:
    found = [names[name] for name in wanted if name in names]
    if not found:
        raise ValueError(f"no column {' or '.join(wanted)} among {', '.join(names.values())}")
    return found[0]


def _axis(header: fits.Header, n_pix: int) -> tuple[np.ndarray | None, str]:
    """Wavelengths of an image, and their unit; nothing if its header has no axis."""
    step = header.get("CDELT1", header.get("CD1_1"))
    if step is None or "CRVAL1" not in header:
        return None, ""
    pixel = np.arange(n_pix) + 1.0 - header.get("CRPIX1", 1.0)
    axis, unit = header["CRVAL1"] + step * pixel, str(header.get("CUNIT1", "")).strip()
    if _LOG_10[0] < axis[0] < _LOG_10[1]:
        return 10.0**axis, unit
    if _LN[0] < axis[0] < _LN[1]:
        return np.exp(axis), unit
    first = float((axis[0] * u.Unit(unit or "Angstrom")).to_value("Angstrom"))
    if _LINEAR[0] < first < _LINEAR[1]:
        return axis, unit
    raise ValueError(f"an axis that begins at {axis[0]:g} {unit} is none of wavelengths")


def _of_text(path: Path, wave: str | None, flux: str | None) -> GridFile:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw).decode("latin-1")
    rows = np.loadtxt(io.StringIO(_EXPONENT.sub("E", text)), ndmin=2)
    if rows.shape[1] == 1:
        return GridFile(None, rows.T)
    x, y = (int(column) if column else place for column, place in ((wave, 0), (flux, 1)))
    return GridFile(rows[:, x], rows[:, [y]].T)
