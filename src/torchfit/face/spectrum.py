"""One observed spectrum as a user has it: arrays, quantities, or a specutils Spectrum."""

from copy import copy
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np

from torchfit.exceptions import SpectrumError
from torchfit.face.widths import widths_of
from torchfit.names import FWHM_PER_SIGMA, SPEED_OF_LIGHT
from torchfit.spectra import Spectrum as ReadSpectrum
from torchfit.spectra import StarInfo
from torchfit.surveys.medium import air_to_vacuum
from torchfit.surveys.quantities import (
    array_of,
    convert,
    flux_and_ivar,
    parts_of,
    plain,
    wavelength,
)

MEDIA = ("air", "vacuum")


@dataclass(frozen=True, init=False, repr=False, eq=False)
class Spectrum:
    """One observed spectrum.

    The flux may have any scale: a fit divides it by its running median. Arrays may be of numpy,
    PyTorch or pandas, or columns of astropy tables, which have their units; what they mask is bad.

    Args:
        wave: Wavelength, increasing; a number is in Angstrom. Or a ``specutils.Spectrum``, which
            brings flux, uncertainty, mask and redshift.
        flux: Flux density, of any unit; per frequency is converted to per wavelength.
        ivar: Inverse variance of ``flux``, 0 for a bad pixel; ``None`` if it is not known, and the
            fit estimates one noise level from its residuals.
        medium: Whether ``wave`` is in ``air`` or in ``vacuum``; nothing is assumed.
        z: Redshift still in the spectrum, or a radial velocity as a quantity; ``None`` where it is
            not known, and a fit measures it by cross-correlation. 0 for a spectrum at rest.
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
        <Spectrum flat: 3000 pixels, 4001.1-7001.9 Angstrom (vacuum), no errors>
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
        name: Any = "",
    ) -> None:
        name = "" if name is None else str(name)
        if hasattr(wave, "spectral_axis"):
            wave, flux, ivar, z, name = parts_of(wave, flux, ivar, z, name)
        length = wavelength(wave)
        values, error = flux_and_ivar(flux, ivar, length)
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
        set_field(self, "lsf_fwhm", None if lsf_fwhm is None else widths_of(lsf_fwhm, length))
        set_field(self, "name", name)
        self.read()

    def __len__(self) -> int:
        """Number of pixels."""
        return len(self.wave)

    def __repr__(self) -> str:
        """A line."""
        known = "" if np.isnan(self.z) else f", z={self.z:g}"
        return (
            f"<Spectrum {self.name or 'without a name'}: {len(self)} pixels, "
            f"{self.wave[0]:.1f}-{self.wave[-1]:.1f} Angstrom (vacuum), "
            f"{'no errors' if self.ivar is None else 'with errors'}{known}>"
        )

    def at_redshift(self, z: float) -> "Spectrum":
        """The same with another redshift.

        Examples:
            >>> spectrum.at_redshift(1e-4).z
            0.0001
        """
        other = copy(self)
        object.__setattr__(other, "z", z)
        return other

    def read(self) -> ReadSpectrum:
        """The spectrum as readers of surveys give it.

        Raises:
            SpectrumError: If it cannot be used.

        Examples:
            >>> spectrum.read().good.any()
            np.True_
        """
        info = StarInfo(self.name or "spectrum", name=self.name, z=self.z)
        good = np.isfinite(self.flux).astype(float)
        ivar = good if self.ivar is None else self.ivar
        sigma = None
        if self.lsf_fwhm is not None:
            sigma = np.broadcast_to(self.lsf_fwhm / FWHM_PER_SIGMA, self.wave.shape).copy()
        return ReadSpectrum(self.wave, self.flux, ivar, info, self.ivar is not None, sigma)


def _redshift(z: Any) -> float:
    if z is None:
        return np.nan
    given, z = z, plain(z)
    if isinstance(z, u.Quantity) and not z.unit.is_equivalent(u.one):
        z = convert(z, u.km / u.s, "z") / SPEED_OF_LIGHT
    value = array_of(z)
    if value.dtype.kind not in "iuf" or value.ndim or not -1 < value < np.inf:
        raise SpectrumError(
            f"z={given} is no redshift: give one number, a velocity as a quantity, or None where "
            "it is not known"
        )
    return float(value)
