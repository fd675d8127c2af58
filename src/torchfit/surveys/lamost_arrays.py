"""The arrays of a LAMOST low-resolution file, in the layout of any release."""

import numpy as np

from torchfit.exceptions import SpectrumError
from torchfit.files.fits_file import FitsUnit
from torchfit.surveys.line_medium import lines_in_air
from torchfit.surveys.medium import air_to_vacuum
from torchfit.surveys.plausible import is_measured

_COLUMNS = ("WAVELENGTH", "FLUX", "IVAR", "ORMASK")
_N_ROWS = 5
_MAX_PIXELS = 20_000
"""Five times those of the survey."""
_OPTICAL = (3000.0, 10000.0)


def lamost_arrays(units: list[FitsUnit], source: str) -> tuple[np.ndarray, ...]:
    """Take the arrays of a file, whichever its layout.

    Pixels whose wavelength is zero or NaN, as in the padding of a grid, are left out. Wavelengths
    in air (``VACUUM = F``, or no such card and lines that say so) are converted.

    Args:
        units: Units of the file.
        source: What to call it.

    Returns:
        Vacuum wavelength in Angstrom, flux, inverse variance, and mask of pixels flagged in any
        exposure.

    Raises:
        SpectrumError: If the file has neither layout, or its wavelengths do not increase within
            the optical.
    """
    wave, flux, ivar, ormask = _stored(units, source)
    if wave.size > _MAX_PIXELS:
        raise SpectrumError(f"{source}: {wave.size} pixels are no low-resolution spectrum")
    there = np.isfinite(wave) & (wave > 0)
    if not there.all():
        wave, flux, ivar, ormask = (row[there] for row in (wave, flux, ivar, ormask))
    if not is_wavelength(wave):
        first, last = _OPTICAL
        raise SpectrumError(
            f"{source}: the wavelengths do not increase within {first:g}-{last:g} Angstrom"
        )
    in_vacuum = units[0].header.logical("VACUUM")
    if in_vacuum is None:
        weight = np.where(good_pixels(flux, ivar, ormask), ivar, 0.0)
        in_vacuum = not lines_in_air(wave, flux, weight, units[0].number("Z"))
    return wave if in_vacuum else air_to_vacuum(wave), flux, ivar, ormask


def good_pixels(flux: np.ndarray, ivar: np.ndarray, ormask: np.ndarray) -> np.ndarray:
    """Tell which pixels can be used.

    Args:
        flux: Flux.
        ivar: Inverse variance.
        ormask: Mask of pixels flagged in any exposure.

    Returns:
        False where any exposure flags the pixel, a value is not finite or no measurement, or the
        flux is exactly zero, as in the padding at the red end.
    """
    return is_measured(flux, ivar) & (ormask == 0) & (flux != 0)


def is_wavelength(row: np.ndarray) -> bool:
    """Whether a row of numbers is a wavelength; in release 1 it is another flux."""
    first, last = _OPTICAL
    return bool(row.size > 1 and first < row[0] and row[-1] < last and (np.diff(row) > 0).all())


def _stored(units: list[FitsUnit], source: str) -> tuple[np.ndarray, ...]:
    """Wavelength, flux, inverse variance and mask, as the file has them."""
    for unit in units:
        if unit.columns.keys() >= set(_COLUMNS):
            return _table_rows(unit, source)
    for unit in units:
        image = unit.image
        if image is not None and image.ndim == 2 and image.shape[0] >= _N_ROWS and image.size:
            row = image[2]
            has_wave = is_wavelength(row[np.isfinite(row) & (row > 0)])
            wave = row if has_wave else _wave_of_header(unit, image.shape[1], source)
            return wave, image[0], image[1], image[4]
    raise SpectrumError(f"{source}: neither layout of a LAMOST low-resolution spectrum")


def _table_rows(unit: FitsUnit, source: str) -> tuple[np.ndarray, ...]:
    columns = [unit.columns[name] for name in _COLUMNS]
    shapes = {column.shape for column in columns}
    if len(shapes) > 1 or columns[0].ndim != 2 or columns[0].shape[0] != 1:
        raise SpectrumError(f"{source}: the table is not one row of equally long arrays")
    return tuple(column[0] for column in columns)


def _wave_of_header(unit: FitsUnit, n_pix: int, source: str) -> np.ndarray:
    """Log-linear wavelength axis of the header.

    The pipeline computes the axis from single-precision coefficients; rounding them likewise
    gives its numbers to the last digit, where double precision is off by up to 0.003 Angstrom.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        start, step = (np.float64(np.float32(unit.number(key))) for key in ("COEFF0", "COEFF1"))
        wave = 10.0 ** (start + step * np.arange(n_pix))
    if not np.isfinite(start + step):
        raise SpectrumError(f"{source}: no wavelengths, neither as a row nor in the header")
    return wave
