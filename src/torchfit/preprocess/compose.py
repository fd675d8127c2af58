"""All of preprocessing in order: from spectra as their files have them to one normalised batch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchfit.exceptions import ConfigError, SpectrumError
from torchfit.preprocess.continuum import clip, divide, smooth_median, sticks_out
from torchfit.preprocess.frame import rest_wave
from torchfit.preprocess.mask import MASK_WINDOWS, inside_windows, interstellar_windows
from torchfit.preprocess.resample import resample
from torchfit.preprocess.resolution import on_pixels, smooth_to
from torchfit.spectra import Spectra, Spectrum

_AT_ONCE = 32
"""Stars per pass: their intermediate arrays stay in the cache of a processor."""


@dataclass(frozen=True)
class Preprocessor:
    """Steps P1-P5 with their settings; library and survey go through the same one.

    Args:
        wave_min: First wavelength of the grid, vacuum Angstrom.
        wave_max: Last wavelength of the grid, included.
        wave_step: Step of the grid in Angstrom.
        windows: Masked windows (low, high) in Angstrom of the observed frame.
        dib_min_ew: Weakest diffuse interstellar band that is masked, in milli-Angstrom of
            equivalent width; ``None`` masks none.
        dib_half_width: Smallest half-width of such a window in Angstrom.
        median_window: Width of the running median in pixels of the grid.
        smoothing: Width of the running mean in pixels of the grid, odd, of which the median is
            taken; 1 for none.
        reconstruct: Number of flux components that spectra of a survey are reconstructed from, so
            that their noise does not bend the continuum
            (:class:`torchfit.emulator.reconstruct.SurveyPreprocessor`); ``None`` leaves it bent.
        clip_upper: Upper limit of the normalised flux; ``None`` for none.
        clip_lower: Lower limit of the normalised flux; ``None`` for none.
        clip_sigma: A pixel beyond a limit by more than so many of its errors is masked; ``None``
            sets its flux to 1 instead, whatever its error, as the paper does.

    Raises:
        ConfigError: If the grid is empty or shorter than the running median, or a limit of the flux
            on the wrong side of the continuum.
    """

    wave_min: float = 3800.0
    wave_max: float = 7400.0
    wave_step: float = 1.0
    windows: Sequence[Sequence[float]] = MASK_WINDOWS
    dib_min_ew: float | None = 30.0
    dib_half_width: float = 3.2
    median_window: int = 400
    smoothing: int = 1
    reconstruct: int | None = 16
    clip_upper: float | None = 2.0
    clip_lower: float | None = None
    clip_sigma: float | None = 5.0

    def __post_init__(self) -> None:
        if self.wave_step <= 0 or self.wave_max <= self.wave_min:
            raise ConfigError(
                f"preprocess: the grid {self.wave_min}-{self.wave_max} step {self.wave_step} "
                "is empty; set wave_min < wave_max and wave_step > 0"
            )
        if not 1 <= self.median_window <= len(self.wave):
            raise ConfigError(
                f"preprocess: median_window={self.median_window} must lie within 1 and the "
                f"{len(self.wave)} pixels of the grid"
            )
        if not 1 <= self.smoothing <= self.median_window or self.smoothing % 2 == 0:
            raise ConfigError(
                f"preprocess: smoothing={self.smoothing} must be odd, and within 1 and "
                f"median_window={self.median_window}"
            )
        if self.reconstruct is not None and self.reconstruct < 1:
            raise ConfigError(f"preprocess: reconstruct={self.reconstruct} must be at least 1")
        if self.clip_upper is not None and self.clip_upper <= 1:
            raise ConfigError(f"preprocess: clip_upper={self.clip_upper} must be above 1")
        if self.clip_lower is not None and self.clip_lower >= 1:
            raise ConfigError(f"preprocess: clip_lower={self.clip_lower} must be below 1")
        if self.clip_sigma is not None and self.clip_sigma < 0:
            raise ConfigError(f"preprocess: clip_sigma={self.clip_sigma} must not be negative")

    @property
    def wave(self) -> Float[Tensor, " pix"]:
        """The grid, vacuum rest wavelength in Angstrom."""
        n_steps = int(np.floor((self.wave_max - self.wave_min) / self.wave_step + 1e-9))
        return self.wave_min + self.wave_step * torch.arange(n_steps + 1, dtype=torch.float64)

    @property
    def masked_windows(self) -> list[tuple[float, float]]:
        """All masked windows in Angstrom of the observed frame, interstellar bands included."""
        fixed = [(float(low), float(high)) for low, high in self.windows]
        if self.dib_min_ew is None:
            return fixed
        return fixed + interstellar_windows(self.dib_min_ew, self.dib_half_width)

    def windows_with(self, extra: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
        """All masked windows and those of a survey, in Angstrom of the observed frame.

        Args:
            extra: Windows (low, high) of the survey.
        """
        return self.masked_windows + [(float(low), float(high)) for low, high in extra]

    def __call__(
        self,
        spectra: Sequence[Spectrum],
        extra_windows: Sequence[Sequence[float]] = (),
        lsf_fwhm: Float[Tensor, " pix"] | None = None,
    ) -> Spectra:
        """Preprocess spectra of any lengths into one batch on the grid.

        Args:
            spectra: Spectra as read; each with its own pixels.
            extra_windows: More masked windows in the observed frame, those of one survey.
            lsf_fwhm: Resolution at the pixels of the grid, full width at half maximum in Angstrom,
                that spectra are brought to which are known to be sharper; ``None`` leaves all as
                they are.

        Returns:
            Normalised flux, float64; a pixel the spectrum does not cover is bad.

        Raises:
            SpectrumError: If a spectrum has no redshift.
        """
        _demand_redshifts(spectra)
        windows = self.windows_with(extra_windows)
        pieces = [
            self._preprocess(spectra[start : start + _AT_ONCE], windows, lsf_fwhm)
            for start in range(0, len(spectra), _AT_ONCE)
        ]
        flux, ivar, has_ivar = (
            torch.cat([getattr(piece, name) for piece in pieces])
            for name in ("flux", "ivar", "has_ivar")
        )
        return Spectra(self.wave, flux, ivar, has_ivar)

    def _preprocess(
        self,
        spectra: Sequence[Spectrum],
        windows: Sequence[tuple[float, float]],
        lsf_fwhm: Float[Tensor, " pix"] | None,
    ) -> Spectra:
        wave, flux, ivar = stack(spectra)
        ivar = torch.where(inside_windows(wave, windows), 0.0, ivar)
        z = torch.tensor([spectrum.info.z for spectrum in spectra], dtype=torch.float64)
        wave = rest_wave(wave, z)
        if lsf_fwhm is not None:
            flux = to_resolution(spectra, (wave, flux, ivar), z, (self.wave, lsf_fwhm))
        flux, ivar = resample(wave, flux, ivar, self.wave)
        has_ivar = torch.tensor([spectrum.has_ivar for spectrum in spectra])
        flux, ivar = divide(flux, ivar, self.continuum(flux, ivar, has_ivar))
        ivar = torch.where(has_ivar[:, None], ivar, (ivar > 0).to(ivar))
        return self._clipped(Spectra(self.wave, flux, ivar, has_ivar))

    def continuum(
        self,
        flux: Float[Tensor, "star pix"],
        ivar: Float[Tensor, "star pix"],
        has_ivar: Bool[Tensor, " star"],
    ) -> Float[Tensor, "star pix"]:
        """Step P4 without its division.

        Args:
            flux: Flux on the grid, in any unit.
            ivar: Its inverse variance; 0 marks a bad pixel.
            has_ivar: Stars whose ``ivar`` is an inverse variance and not only a mask.

        Returns:
            The running median; NaN where a window holds no good pixel.
        """
        return smooth_median(flux, ivar > 0, self.median_window, self.smoothing)

    def normalised_again(self, spectra: Spectra) -> Spectra:
        """Steps P4 and P5 once more, for normalised spectra to which noise has been added."""
        continuum = self.continuum(spectra.flux, spectra.ivar, spectra.has_ivar)
        flux, ivar = divide(spectra.flux, spectra.ivar, continuum)
        return self._clipped(replace(spectra, flux=flux, ivar=ivar))

    def _clipped(self, spectra: Spectra) -> Spectra:
        """Step P5."""
        flux, ivar = spectra.flux, spectra.ivar
        if self.clip_sigma is None:
            flux = clip(flux, self.clip_upper, self.clip_lower)
        else:
            error = torch.where(spectra.has_ivar[:, None], ivar.rsqrt(), 0.0)
            limits = self.clip_lower, self.clip_upper
            ivar = ivar.masked_fill(sticks_out(flux, error, limits, self.clip_sigma), 0.0)
        return replace(spectra, flux=torch.where(ivar > 0, flux, 0.0), ivar=ivar)


def _demand_redshifts(spectra: Sequence[Spectrum]) -> None:
    for spectrum in spectra:
        if not math.isfinite(spectrum.info.z):
            raise SpectrumError(f"{spectrum.info.source}: no redshift")


def to_resolution(
    spectra: Sequence[Spectrum],
    pixels: tuple[Float[Tensor, "star pix"], Float[Tensor, "star pix"], Float[Tensor, "star pix"]],
    z: Float[Tensor, " star"],
    target: tuple[Float[Tensor, " grid"], Float[Tensor, " grid"]],
) -> Float[Tensor, "star pix"]:
    """Bring spectra that are known to be sharper to a resolution; see :func:`smooth_to`.

    Args:
        spectra: Spectra as read, which may know their line-spread functions.
        pixels: The same, stacked: wavelength in a frame, flux, inverse variance.
        z: Redshift of that frame.
        target: Wavelengths, and the resolution at them: full width at half maximum in Angstrom.

    Returns:
        Flux.
    """
    wave, flux, ivar = pixels
    if all(spectrum.lsf_sigma is None for spectrum in spectra):
        return flux
    own = _widths(spectra, wave.shape[1]) / (1 + z[:, None])
    grid, lsf_fwhm = target
    return smooth_to(wave, flux, ivar > 0, own, on_pixels(wave, grid, lsf_fwhm.to(wave)))


def _widths(spectra: Sequence[Spectrum], n_pix: int) -> Float[Tensor, "star pix"]:
    """Widths of the line-spread functions in Angstrom, NaN where they are not known."""
    width = np.full((len(spectra), n_pix), np.nan)
    for row, spectrum in enumerate(spectra):
        if spectrum.lsf_sigma is not None:
            width[row, : len(spectrum.wave)] = spectrum.lsf_sigma
    return torch.from_numpy(width)


def stack(
    spectra: Sequence[Spectrum],
) -> tuple[Float[Tensor, "star pix"], Float[Tensor, "star pix"], Float[Tensor, "star pix"]]:
    """Put spectra of different lengths into one batch, padded at the red end with bad pixels.

    Args:
        spectra: Spectra as read.

    Returns:
        Wavelength (still increasing in the padding), flux, and inverse variance with 0 in the
        padding and in every bad pixel.
    """
    n_pix = max(len(spectrum.wave) for spectrum in spectra)
    wave, flux, ivar = np.zeros((3, len(spectra), n_pix))
    for row, spectrum in enumerate(spectra):
        n = len(spectrum.wave)
        wave[row, :n] = spectrum.wave
        wave[row, n:] = spectrum.wave[-1] + np.arange(1, n_pix - n + 1)
        flux[row, :n] = np.where(spectrum.good, spectrum.flux, 0.0)
        ivar[row, :n] = np.where(spectrum.good, spectrum.ivar, 0.0)
    return torch.from_numpy(wave), torch.from_numpy(flux), torch.from_numpy(ivar)
