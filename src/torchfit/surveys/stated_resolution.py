"""The resolution that a user states of spectra whose files do not say it."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from torchfit.exceptions import ConfigError
from torchfit.names import FWHM_PER_SIGMA, WIDEST_LSF


@dataclass(frozen=True)
class StatedResolution:
    r"""A line-spread function of constant width, or of constant resolving power.

    The full width at half maximum is :math:`w`, or :math:`\lambda / R`.

    Args:
        lsf_fwhm: Full width at half maximum w in Angstrom; ``None`` if it is not stated.
        resolving_power: Resolving power R; ``None`` if it is not stated.

    Raises:
        ConfigError: If both are stated, one is no positive number, or the width is 500 Angstrom
            and more, as a resolving power would be.
    """

    lsf_fwhm: float | None = None
    resolving_power: float | None = None

    def __post_init__(self) -> None:
        stated = {name: value for name, value in vars(self).items() if value is not None}
        if len(stated) > 1:
            raise ConfigError(f"state one of {' and '.join(stated)}, not both")
        for name, value in stated.items():
            if not 0 < value < math.inf:
                raise ConfigError(f"{name}={value} must be a positive number")
        if self.lsf_fwhm is not None and self.lsf_fwhm >= WIDEST_LSF:
            raise ConfigError(
                f"lsf_fwhm={self.lsf_fwhm} is too wide for a width in Angstrom; a resolving power "
                "is resolving_power"
            )

    def fwhm(self, wave: Float64[np.ndarray, " pix"]) -> Float64[np.ndarray, " pix"] | None:
        """Full width at half maximum at some wavelengths.

        Args:
            wave: Wavelength in Angstrom.

        Returns:
            Angstrom; ``None`` if nothing is stated.
        """
        if self.resolving_power is not None:
            return wave / self.resolving_power
        return None if self.lsf_fwhm is None else np.full_like(wave, self.lsf_fwhm)

    def sigma(self, wave: Float64[np.ndarray, " pix"]) -> Float64[np.ndarray, " pix"] | None:
        """Standard deviation at some wavelengths; see :meth:`fwhm`."""
        fwhm = self.fwhm(wave)
        return None if fwhm is None else fwhm / FWHM_PER_SIGMA
