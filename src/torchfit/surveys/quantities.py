"""Arrays with units, and spectra of specutils, as plain numbers in our units."""

from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Column
from astropy.utils.masked import Masked
from torch import Tensor

from torchfit.exceptions import SpectrumError

FLUX_DENSITY = u.Unit("erg / (s cm2 AA)")


def parts_of(spectrum: Any, flux: Any, ivar: Any, z: Any, name: str) -> tuple[Any, ...]:
    """Wave, flux, ivar, redshift and name of a specutils Spectrum, by increasing wavelength.

    A redshift of 0, which specutils has where none is stated, is none.

    Raises:
        SpectrumError: If flux or ivar are given beside it, or it holds several spectra.
    """
    if flux is not None or ivar is not None:
        raise SpectrumError("a specutils Spectrum brings its own flux and errors: give it alone")
    if np.ndim(spectrum.flux) != 1:
        shape = np.shape(spectrum.flux)
        raise SpectrumError(f"a specutils Spectrum of shape {shape}: give them one by one")
    wave = convert(u.Quantity(spectrum.spectral_axis), u.AA, "wave", u.spectral()) * u.AA
    flux, sigma = spectrum.flux, spectrum.uncertainty
    _demand_linear(flux.unit)
    if sigma is not None:
        ivar = _ivar_of(sigma)
    masked = np.zeros(len(wave), bool) if spectrum.mask is None else np.asarray(spectrum.mask, bool)
    order = np.argsort(wave)  # A spectrum by frequency runs the other way.
    flux = np.where(masked, np.nan, flux.value) * flux.unit
    redshift = getattr(spectrum, "redshift", None)
    if z is None and redshift is not None and float(redshift) != 0:
        z = float(redshift)
    name = name or str(spectrum.meta.get("name", ""))
    return wave[order], flux[order], None if ivar is None else ivar[order], z, name


def _ivar_of(uncertainty: Any) -> u.Quantity:
    """Inverse variance of what specutils has; 0 if not finite, or of an error not positive."""
    from astropy.nddata import InverseVariance, StdDevUncertainty

    with np.errstate(all="ignore"):
        ivar = uncertainty.represent_as(InverseVariance).quantity
    known = np.isfinite(ivar.value)
    if isinstance(uncertainty, StdDevUncertainty):
        known &= uncertainty.array > 0  # What marks a bad pixel has a square, too.
    return np.where(known, ivar.value, 0.0) * ivar.unit


def _demand_linear(unit: Any) -> None:
    """Demand that a unit is of no logarithm: magnitudes, dex, decibels."""
    if isinstance(unit, u.function.FunctionUnitBase):
        raise SpectrumError(f"flux in {unit} is no flux density, counts or plain number")


def plain(values: Any) -> Any:
    """Values that neither hide a mask nor have a unit beside them: NaN where masked, a quantity.

    A column of a table whose unit astropy does not know is numbers; so is all else that has none.
    """
    if isinstance(values, Column):
        known = values.unit is not None and not isinstance(values.unit, u.UnrecognizedUnit)
        bare = _unmasked(values)
        return bare * values.unit if known else bare
    if isinstance(values, u.Quantity) and isinstance(values, Masked):
        return u.Quantity(_unmasked(values.value), values.unit)
    return _unmasked(values)


def _unmasked(values: Any) -> Any:
    if isinstance(values, Masked):
        return np.where(values.mask, np.nan, np.asarray(values.unmasked))
    if isinstance(values, np.ma.MaskedArray):
        return np.where(values.mask, np.nan, np.asarray(values.data))
    return np.asarray(values) if isinstance(values, Column) else values


def array_of(values: Any) -> np.ndarray:
    """Values as an array, whatever device they are on; of objects where they are no array."""
    if isinstance(values, Tensor):
        values = values.detach().cpu()
    try:
        return np.asarray(values)
    except ValueError:  # Rows of several lengths.
        return np.asarray(values, dtype=object)


def _numbers(values: Any, what: str) -> np.ndarray:
    """One row of real numbers in double precision."""
    array = array_of(values)
    if array.dtype.kind not in "iufb" or array.ndim != 1 or array.size == 0:
        raise SpectrumError(
            f"{what} must be one row of real numbers, not {array.dtype} of shape {array.shape}"
        )
    return array.astype(np.float64)


def convert(values: Any, unit: u.UnitBase, what: str, equivalencies: Any = ()) -> np.ndarray:
    """Numbers of a quantity in a unit.

    Raises:
        SpectrumError: If the units do not convert.
    """
    try:
        return np.asarray(values.to_value(unit, equivalencies))
    except u.UnitConversionError as error:
        raise SpectrumError(f"{what} in {values.unit} does not convert to {unit}") from error


def wavelength(wave: Any) -> np.ndarray:
    """Wavelengths in Angstrom, from numbers in Angstrom or a quantity.

    Raises:
        SpectrumError: If they do not increase, or their unit does not convert.
    """
    wave = plain(wave)
    if isinstance(wave, u.Quantity):
        wave = convert(wave, u.AA, "wave", u.spectral())
    length = _numbers(wave, "wave")
    if not (np.isfinite(length).all() and (np.diff(length) > 0).all() and length[0] > 0):
        raise SpectrumError("wave must be finite, positive and increasing: sort the pixels by it")
    return length


def flux_and_ivar(flux: Any, ivar: Any, wave: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Flux per wavelength and inverse variance as numbers of one scale.

    Raises:
        SpectrumError: If shapes or units do not fit, or an inverse variance is negative.
    """
    scale: np.ndarray = np.ones_like(wave)
    flux, ivar = plain(flux), plain(ivar)
    if isinstance(flux, u.Quantity):
        _demand_linear(unit := flux.unit)
        if unit.is_equivalent(FLUX_DENSITY, u.spectral_density(wave * u.AA)):
            factor = (1 * unit).to_value(FLUX_DENSITY, u.spectral_density(wave * u.AA))
            scale = np.broadcast_to(factor, wave.shape)
        elif unit.is_equivalent(u.mag) or not (
            unit.is_equivalent(u.one) or unit.physical_type in ("unknown", "data quantity")
        ):
            raise SpectrumError(f"flux in {unit} is no flux density, counts or plain number")
        if isinstance(ivar, u.Quantity):
            ivar = convert(ivar, unit**-2, "ivar")
        flux = flux.value
    values = _numbers(flux, "flux")
    error = None if ivar is None else _numbers(ivar, "ivar")
    if values.shape != wave.shape or (error is not None and error.shape != wave.shape):
        shapes = (wave.shape, values.shape, None if error is None else error.shape)
        raise SpectrumError(f"wave, flux and ivar have shapes {shapes}; they must be equal")
    if error is not None and (error < 0).any():
        raise SpectrumError("ivar must not be negative; 0 marks a bad pixel")
    # Only the shape of the spectrum counts: a scale near 1 keeps the numbers tame.
    relative = scale / np.median(scale)
    return values * relative, None if error is None else error / np.square(relative)
