"""One observed spectrum as a user has it: arrays, quantities, or a specutils Spectrum."""

from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np

from torchfit.exceptions import SpectrumError
from torchfit.names import FWHM_PER_SIGMA, SPEED_OF_LIGHT
from torchfit.spectra import Spectrum as ReadSpectrum
from torchfit.spectra import StarInfo
from torchfit.surveys.medium import air_to_vacuum

FLUX_DENSITY = u.Unit("erg / (s cm2 AA)")
MEDIA = ("air", "vacuum")


@dataclass(frozen=True, init=False, repr=False, eq=False)
class Spectrum:
    """One observed spectrum.

    The flux may have any scale: a fit divides it by its running median.

    Args:
        wave: Wavelength, increasing; a number is in Angstrom. Or a ``specutils.Spectrum``, which
            brings flux, uncertainty, mask and redshift.
        flux: Flux density, of any unit; per frequency is converted to per wavelength.
        ivar: Inverse variance of ``flux``, 0 for a bad pixel; ``None`` if it is not known, and the
            fit estimates one noise level from its residuals.
        medium: Whether ``wave`` is in ``air`` or in ``vacuum``; nothing is assumed.
        z: Redshift still in the spectrum, or a radial velocity as a quantity.
        lsf_fwhm: Resolution, full width at half maximum in Angstrom: one number or one per pixel;
            ``None`` takes that of the emulator.
        name: What it is called in tables and plots.

    Raises:
        SpectrumError: If the arrays are empty, of different shapes, not real numbers, without a
            good pixel, if the wavelengths do not increase, an inverse variance is negative, a unit
            does not convert, or the medium is not said.

    Examples:
        >>> import numpy as np, torchfit as tf
        >>> wave = np.linspace(4000, 7000, 3000)
        >>> tf.Spectrum(wave, np.ones_like(wave), medium="air", name="flat")
        <Spectrum flat: 3000 pixels, 4001.1-7001.9 Angstrom (vacuum), no errors, z=0>
    """

    wave: np.ndarray
    flux: np.ndarray
    ivar: np.ndarray | None
    z: float
    lsf_fwhm: np.ndarray | float | None
    name: str

    def __init__(
        self,
        wave: Any,
        flux: Any = None,
        ivar: Any = None,
        *,
        medium: str | None = None,
        z: Any = None,
        lsf_fwhm: Any = None,
        name: str = "",
    ) -> None:
        if hasattr(wave, "spectral_axis"):
            wave, flux, ivar, z, name = _of_specutils(wave, flux, ivar, z, name)
        length = _wave(wave)
        values, error = _flux(flux, ivar, length)
        if medium not in MEDIA:
            raise SpectrumError(
                f"{name or 'spectrum'}: say whether its wavelengths are in air or in vacuum: "
                'medium="air" or medium="vacuum"'
            )
        in_air = medium == "air"
        set_field = object.__setattr__
        set_field(self, "wave", air_to_vacuum(length) if in_air else length)
        set_field(self, "flux", values)
        set_field(self, "ivar", error)
        set_field(self, "z", _redshift(z))
        set_field(self, "lsf_fwhm", _lsf_fwhm(lsf_fwhm, length))
        set_field(self, "name", name)
        self.read()

    def __len__(self) -> int:
        """Number of pixels."""
        return len(self.wave)

    def __repr__(self) -> str:
        """A line."""
        return (
            f"<Spectrum {self.name or 'without a name'}: {len(self)} pixels, "
            f"{self.wave[0]:.1f}-{self.wave[-1]:.1f} Angstrom (vacuum), "
            f"{'no errors' if self.ivar is None else 'with errors'}, z={self.z:g}>"
        )

    def read(self) -> ReadSpectrum:
        """The spectrum as readers of surveys give it.

        Raises:
            SpectrumError: If it cannot be used.
        """
        info = StarInfo(self.name or "spectrum", name=self.name, z=self.z)
        good = np.isfinite(self.flux).astype(float)
        ivar = good if self.ivar is None else self.ivar
        sigma = None
        if self.lsf_fwhm is not None:
            sigma = np.broadcast_to(self.lsf_fwhm / FWHM_PER_SIGMA, self.wave.shape).copy()
        return ReadSpectrum(self.wave, self.flux, ivar, info, self.ivar is not None, sigma)


def _of_specutils(spectrum: Any, flux: Any, ivar: Any, z: Any, name: str) -> tuple[Any, ...]:
    """Wave, flux, ivar, redshift and name of a specutils Spectrum."""
    if flux is not None or ivar is not None:
        raise SpectrumError("a specutils Spectrum brings its own flux and errors: give it alone")
    wave = spectrum.spectral_axis.to(u.AA, u.spectral())
    flux, sigma = spectrum.flux, spectrum.uncertainty
    if np.ndim(flux) != 1:
        raise SpectrumError(f"a specutils Spectrum of shape {np.shape(flux)}: give them one by one")
    if sigma is not None:
        from astropy.nddata import InverseVariance

        ivar = sigma.represent_as(InverseVariance).quantity
        ivar = np.where(np.isfinite(ivar.value), ivar.value, 0.0) * ivar.unit
    masked = np.zeros(len(wave), bool) if spectrum.mask is None else np.asarray(spectrum.mask, bool)
    order = np.argsort(wave)  # A spectrum by frequency runs the other way.
    flux = np.where(masked, np.nan, flux.value) * flux.unit
    redshift = getattr(spectrum, "redshift", None)
    z = float(redshift) if z is None and redshift is not None else z
    name = name or str(spectrum.meta.get("name", ""))
    return wave[order], flux[order], None if ivar is None else ivar[order], z, name


def _numbers(values: Any, what: str) -> np.ndarray:
    """One row of real numbers in double precision."""
    array = np.asarray(values)
    if array.dtype.kind not in "iufb" or array.ndim != 1 or array.size == 0:
        raise SpectrumError(
            f"{what} must be one row of real numbers, not {array.dtype} of shape {array.shape}"
        )
    return array.astype(np.float64)


def _convert(values: Any, unit: u.UnitBase, what: str, equivalencies: Any = ()) -> np.ndarray:
    try:
        return np.asarray(values.to_value(unit, equivalencies))
    except u.UnitConversionError as error:
        raise SpectrumError(f"{what} in {values.unit} does not convert to {unit}") from error


def _wave(wave: Any) -> np.ndarray:
    if isinstance(wave, u.Quantity):
        wave = _convert(wave, u.AA, "wave", u.spectral())
    length = _numbers(wave, "wave")
    if not (np.isfinite(length).all() and (np.diff(length) > 0).all() and length[0] > 0):
        raise SpectrumError("wave must be finite, positive and increasing: sort the pixels by it")
    return length


def _flux(flux: Any, ivar: Any, wave: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Flux and inverse variance as numbers of one scale."""
    scale: np.ndarray = np.ones_like(wave)
    if isinstance(flux, u.Quantity):
        unit = flux.unit
        if unit.is_equivalent(FLUX_DENSITY, u.spectral_density(wave * u.AA)):
            factor = (1 * unit).to_value(FLUX_DENSITY, u.spectral_density(wave * u.AA))
            scale = np.broadcast_to(factor, wave.shape)
        elif not (unit.is_equivalent(u.one) or unit.physical_type in ("unknown", "data quantity")):
            raise SpectrumError(f"flux in {unit} is no flux density, counts or plain number")
        if isinstance(ivar, u.Quantity):
            ivar = _convert(ivar, unit**-2, "ivar")
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


def _redshift(z: Any) -> float:
    if isinstance(z, u.Quantity) and not z.unit.is_equivalent(u.one):
        z = float(_convert(z, u.km / u.s, "z")) / SPEED_OF_LIGHT
    value = 0.0 if z is None else float(z)
    if not -1 < value < np.inf:
        raise SpectrumError(f"z={value} is no redshift")
    return value


def _lsf_fwhm(lsf_fwhm: Any, wave: np.ndarray) -> np.ndarray | float | None:
    if lsf_fwhm is None:
        return None
    if isinstance(lsf_fwhm, u.Quantity):
        lsf_fwhm = _convert(lsf_fwhm, u.AA, "lsf_fwhm")
    value = np.asarray(lsf_fwhm, dtype=np.float64)
    if value.shape not in ((), wave.shape) or not ((value > 0) & np.isfinite(value)).all():
        raise SpectrumError("lsf_fwhm must be positive: one number, or one per pixel, in Angstrom")
    return float(value) if value.ndim == 0 else value
