"""A spectrograph: its pixels, its resolution, and what velocity and dust do before it."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.mock.lines import INTRINSIC_SIGMA
from torchfit.mock.star import StarModel
from torchfit.names import FWHM_PER_SIGMA, SPEED_OF_LIGHT

_FINE = 2
"""Points of the model in a pixel."""
_MARGIN = 128
"""Points of the model beyond the first and the last pixel: room for 4000 km/s and the blur."""
_REFERENCE_WAVE = 5500.0


@dataclass(frozen=True)
class Instrument:
    """A spectrograph with pixels of equal width in log wavelength.

    Args:
        log_start: Decimal logarithm of the first wavelength in vacuum Angstrom.
        log_step: Width of a pixel in dex.
        n_pix: Number of pixels.
        resolving_power: Wavelength over the full width at half maximum of the line-spread
            function.

    Raises:
        ConfigError: If the resolving power lies outside 500-3500, what the model can give.
    """

    log_start: float
    log_step: float
    n_pix: int
    resolving_power: float

    def __post_init__(self) -> None:
        if not 500 <= self.resolving_power <= 3500:
            raise ConfigError(
                f"resolving_power={self.resolving_power} must lie within 500 and 3500, "
                "the resolution that mock spectra can be made with"
            )

    @cached_property
    def wave(self) -> np.ndarray:
        """Wavelength of the pixels, vacuum Angstrom."""
        return 10.0 ** (self.log_start + self.log_step * np.arange(self.n_pix))

    @property
    def lsf_fwhm(self) -> float:
        """Full width at half maximum of the line-spread function at 5500 Angstrom."""
        return _REFERENCE_WAVE / self.resolving_power

    @property
    def lsf_sigma(self) -> np.ndarray:
        """Standard deviation of the line-spread function at every pixel in Angstrom."""
        return self.wave / (self.resolving_power * FWHM_PER_SIGMA)

    def model(self) -> StarModel:
        """The star model on the finer grid that :meth:`expose` expects, single precision."""
        fine = np.arange(-_MARGIN, _FINE * (self.n_pix - 1) + _MARGIN + 1)
        wave = 10.0 ** (self.log_start + self.log_step / _FINE * fine)
        return StarModel(torch.from_numpy(wave).float())

    def expose(
        self,
        flux: Float[Tensor, "star fine"],
        z: Float[Tensor, " star"],
        width: Float[Tensor, " star"] | None = None,
    ) -> Float[Tensor, "star pix"]:
        r"""Shift model spectra by a redshift, blur them, and take one value per pixel.

        .. math:: F_j = \sum_k g\big((k + \delta) / \sigma\big) M_{2j + k}, \quad
            \delta = \log(1 + z) / \Delta

        One convolution does it all, with a Gaussian g for each star, off centre by its velocity.

        Args:
            flux: Flux on the grid of :meth:`model`.
            z: Redshift, positive when receding.
            width: Width of the line-spread function of each star over that of the resolving power;
                1 if ``None``.
        """
        step = self.log_step / _FINE
        width = torch.ones_like(z) if width is None else width
        shift = torch.log10(1 + z.double()) / step
        taps = torch.arange(-_MARGIN, _MARGIN + 1, dtype=torch.float64)
        kernel = torch.exp(
            -0.5 * ((taps + shift[:, None]) / self._blur(step, width)[:, None]).square()
        )
        kernel = (kernel / kernel.sum(dim=1, keepdim=True)).to(flux)
        near = kernel.amax(dim=0).nonzero()[:, 0]
        first, last = int(near[0]), int(near[-1])
        reach = flux[:, first : flux.shape[1] - 2 * _MARGIN + last]
        exposed = torch.nn.functional.conv1d(
            reach[None], kernel[:, None, first : last + 1], stride=_FINE, groups=len(flux)
        )
        return exposed[0]

    def _blur(self, step: float, width: Float[Tensor, " star"]) -> Float[Tensor, " star"]:
        """Blur in points that brings a drawn line to the resolving power."""
        sigma = width.double() * (SPEED_OF_LIGHT / self.resolving_power / FWHM_PER_SIGMA)
        added = (sigma.square() - INTRINSIC_SIGMA**2).sqrt()
        return added / SPEED_OF_LIGHT / math.log(10) / step


LAMOST_START, LAMOST_STEP = (float(np.float32(value)) for value in (3.5682, 1e-4))
"""The pipeline rounds its coefficients to single precision; so must we to meet its pixels."""


def lamost(resolving_power: float) -> Instrument:
    """LAMOST in low resolution: 3700-9099 Angstrom."""
    return Instrument(LAMOST_START, LAMOST_STEP, 3909, resolving_power)


def mastar(resolving_power: float) -> Instrument:
    """MaStar with the BOSS spectrographs: 3622-10354 Angstrom."""
    return Instrument(3.5589, 1e-4, 4563, resolving_power)
