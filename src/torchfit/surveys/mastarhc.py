"""Averages of MaStar stars, and one single star: the real MaStar flux that a package carries."""

import re
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import SpectrumError
from torchfit.files.fetch import MANGADAP, read_member, wheel_members
from torchfit.files.fits_file import FitsUnit, read_fits
from torchfit.names import FWHM_PER_SIGMA
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.band_snr import band_snr
from torchfit.surveys.plausible import measured_ivar
from torchfit.surveys.wheel_reader import WheelReader

_STAR = "examples/mastar-8047-9101-tpl.fits"
_RESOLUTIONS = ("SRES", "SPECRES")


class MastarHcReader(WheelReader):
    """The 65 averages of MaStar stars (MaStarHC v2), 3632-10322 Angstrom, and one single star.

    Each average is of a hierarchical cluster of similar stars: at rest, dereddened, with errors
    (far above the noise of the average) and without labels. Wavelengths are in vacuum: the package
    says so (``in_vacuum = True``), and the lines agree. Resolution is that of ``SRES``, R of 1380
    to 2330 from blue to red, the same for all averages. The single star (plate 8047, fibre bundle
    9101) is sharper, has no errors, and is brought to the resolution of the averages.

    Args:
        cache: Folder of downloaded archives; the default cache if ``None``.

    References:
        Yan et al. 2019, ApJ 883, 175 (MaStar); Westfall et al. 2019, AJ 158, 231, section 5
        (hierarchical clustering of a library); the README beside the files.
    """

    name = "mastarhc"
    lsf_fwhm = 2.95
    wheel = MANGADAP
    prefix = "mangadap/data/spectral_templates/mastarhc_v2/MaStarHC_"

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Names of the spectra in the wheel, sorted."""
        return tuple(sorted([*super().members, *wheel_members(self.archive, _STAR)]))

    def is_spectrum(self, member: str) -> bool:
        """Whether a member that starts with ``prefix`` is a spectrum."""
        return member.endswith(".fits.gz")

    def lsf_fwhm_at(self, wave: Float[Tensor, " pix"]) -> Float[Tensor, " pix"]:
        """Resolution of the averages along the spectrum.

        Args:
            wave: Vacuum wavelength in Angstrom.

        Returns:
            Full width at half maximum in Angstrom, constant beyond the ends of the averages.
        """
        average = next(member for member in self.members if member.startswith(self.prefix))
        units = read_fits(read_member(self.archive, average), average)
        pixels = _wavelength(units[0], average)
        fwhm = FWHM_PER_SIGMA * _sigma(units, pixels, average)
        return torch.from_numpy(np.interp(wave.numpy(), pixels, fwhm)).to(wave)

    def parse(self, raw: bytes, source: str) -> Spectrum:
        """Make a spectrum of the bytes of one member.

        Raises:
            SpectrumError: If the file is damaged or has no good pixel.
        """
        units = read_fits(raw, source)
        wave = _wavelength(units[0], source)
        flux, ivar = _image(units[0], wave, source), _image(_unit(units, "IVAR"), wave, source)
        if flux is None:
            raise SpectrumError(f"{source}: the first unit is no row of flux")
        has_ivar = ivar is not None
        if ivar is None:
            ivar = (np.isfinite(flux) & (flux > 0)).astype(np.float64)
        else:
            ivar = measured_ivar(flux, ivar, ivar > 0, source)
        snr = band_snr(wave, flux, ivar) if has_ivar else {}
        info = StarInfo(source, name=_name(source), snr=snr)
        return Spectrum(wave, flux, ivar, info, has_ivar, _sigma(units, wave, source))


def _name(source: str) -> str:
    """What the file is called: ``MaStarHC_42``, ``mastar-8047-9101``."""
    return re.sub(r"(-tpl)?\.fits(\.gz)?$", "", source.rpartition("/")[2])


def _unit(units: list[FitsUnit], *names: str) -> FitsUnit | None:
    return next((unit for unit in units if unit.text("EXTNAME") in names), None)


def _wavelength(unit: FitsUnit, source: str) -> np.ndarray:
    """Vacuum wavelengths of a logarithmic axis."""
    n_pix = unit.header.whole("NAXIS1", 0)
    place = 1.0 + np.arange(n_pix) - unit.number("CRPIX1")
    logarithm = unit.number("CRVAL1") + unit.number("CDELT1") * place
    if not (n_pix and np.isfinite(logarithm).all() and (np.abs(logarithm) < 6).all()):
        raise SpectrumError(f"{source}: its cards give no axis of log10 Angstrom")
    return 10.0**logarithm


def _image(unit: FitsUnit | None, wave: np.ndarray, source: str) -> np.ndarray | None:
    """A row of the same length as the wavelengths; ``None`` where there is no such unit."""
    if unit is None or unit.image is None:
        return None
    if unit.image.shape != wave.shape:
        raise SpectrumError(f"{source}: rows of {unit.image.shape} and {wave.shape} pixels")
    return unit.image


def _sigma(units: list[FitsUnit], wave: np.ndarray, source: str) -> np.ndarray:
    """Standard deviation of the line-spread function in Angstrom; NaN where it is not known."""
    power = _image(_unit(units, *_RESOLUTIONS), wave, source)
    if power is None:
        raise SpectrumError(f"{source}: no resolution ({' or '.join(_RESOLUTIONS)})")
    return wave / np.where(power > 0, power, np.nan) / FWHM_PER_SIGMA
