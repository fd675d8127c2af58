"""An exposure: photon noise, and everything that goes wrong at a telescope."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from torchfit.mock.instrument import Instrument
from torchfit.mock.sky import LINES, sky_brightness, sky_profiles

_EXPOSURE_STREAM = 1
_REFERENCE = (5900.0, 6900.0)
_N_WAVES = 6
_SPIKE = 3
_SKY_AT_SNR = 8.0


@dataclass(frozen=True)
class Arm:
    """Throughput of an arm of a spectrograph, a Gaussian in wavelength between two edges.

    Args:
        low: First wavelength in Angstrom.
        high: Last wavelength in Angstrom.
        centre: Wavelength of its maximum in Angstrom.
        width: Standard deviation in Angstrom.
        height: Throughput there.
        floor: Throughput far from there.
    """

    low: float
    high: float
    centre: float
    width: float
    height: float
    floor: float

    def throughput(self, wave: np.ndarray) -> np.ndarray:
        """Throughput at wavelengths in Angstrom; 0 outside the arm."""
        bell = np.exp(-0.5 * ((wave - self.centre) / self.width) ** 2)
        inside = (wave >= self.low) & (wave < self.high)
        return np.where(inside, self.floor + (self.height - self.floor) * bell, 0.0)


@dataclass(frozen=True)
class Conditions:
    """How bad exposures are.

    Args:
        arms: Arms of the spectrograph; only ratios of their throughput matter.
        ripple: Standard deviation of the smooth error of the flux calibration.
        residual: Standard deviation of what is left of a sky line of height 10, in units of the
            noise there.
        cosmic_rays: Mean number of cosmic-ray hits.
        dead_columns: Mean number of blocks of dead pixels.
        dichroic: Loss of light between the arms, 0-1.
        snr_scatter: Scatter of the logarithm of S/N between the visits of one star.
        velocity_error: Error of the measured velocity in km/s at high S/N.
    """

    arms: tuple[Arm, ...]
    ripple: float
    residual: float
    cosmic_rays: float
    dead_columns: float
    dichroic: float
    snr_scatter: float
    velocity_error: float


LAMOST = Conditions(
    (Arm(0.0, 5875.0, 5250.0, 700.0, 0.32, 0.03), Arm(5875.0, np.inf, 7400.0, 1050.0, 1.0, 0.03)),
    0.03, 2.0, 2.0, 0.2, 0.8, 0.12, 3.0,
)  # fmt: skip
"""Its arms have the noise of spectra of LAMOST DR1, DR7 and DR8 from 4000 to 7100 Angstrom."""
MASTAR = Conditions(
    (Arm(0.0, np.inf, 6300.0, 1500.0, 1.0, 0.15),), 0.01, 0.5, 0.5, 0.1, 0.2, 0.1, 0.0
)


@dataclass(frozen=True)
class Exposure:
    """One observation of one star, as it comes out of a pipeline.

    Args:
        truth: What the instrument would give without noise and defects, errors of the flux
            calibration included.
        flux: Flux in arbitrary units.
        ivar: Inverse variance of ``flux``, 0 around a cosmic ray and in dead pixels.
        hit: Core pixels of cosmic rays.
        velocity_error: By how much the measured velocity is off, in km/s.
        velocity_sigma: The standard deviation of that.
    """

    truth: np.ndarray
    flux: np.ndarray
    ivar: np.ndarray
    hit: np.ndarray
    velocity_error: float
    velocity_sigma: float


@dataclass(frozen=True)
class Telescope:
    """Makes exposures with an instrument under given conditions."""

    instrument: Instrument
    conditions: Conditions

    def expose(self, flux: np.ndarray, snr: float, seed: int, observation: int) -> Exposure:
        """Observe one star: the same for the same seed and number.

        Args:
            flux: Spectrum on the pixels of the instrument.
            snr: Typical S/N of the star per pixel around 6400 Angstrom.
            seed: Seed of the survey.
            observation: Number of the observation.
        """
        rng = np.random.default_rng([seed, _EXPOSURE_STREAM, observation])
        settings, n_pix = self.conditions, self.instrument.n_pix
        snr = snr * np.exp(settings.snr_scatter * rng.normal())
        truth = flux * (10 * snr / np.median(flux[self._reference])) * self._ripple(rng)
        sigma = self._noise(truth, snr)
        observed = truth + sigma * (
            rng.standard_normal(n_pix, dtype=np.float32) + self._residual(rng)
        )
        dead, hit = self._dead(rng), self._hits(rng)
        observed += hit * sigma * rng.uniform(30, 300)
        beside = np.convolve(hit, np.ones(2 * _SPIKE - 1), mode="same") > 0
        ivar = np.where(dead | beside, 0.0, sigma**-2)
        uncertain = settings.velocity_error * (1 + 20 / snr)
        return Exposure(truth, observed, ivar, hit > 0, uncertain * rng.normal(), uncertain)

    def _noise(self, flux: np.ndarray, snr: float) -> np.ndarray:
        r"""Standard deviation: photons of star and sky over the throughput T.

        .. math:: \sigma^2 = \frac{F_0^2}{S^2 (1 + s)}
            \left(\frac{F}{F_0 T} + \frac{s B}{T^2}\right)

        with the sky s = 8 / S in units of the star, so that a faint star drowns in it.
        """
        level, sky = 10 * snr, _SKY_AT_SNR / snr
        photons = np.clip(flux / level, 0.0, None) / self._throughput
        background = sky * self._sky / self._throughput**2
        return level / snr * np.sqrt((photons + background) / (1 + sky))

    def _ripple(self, rng: np.random.Generator) -> np.ndarray:
        amplitude = self.conditions.ripple * rng.normal(size=_N_WAVES) / np.sqrt(_N_WAVES / 2)
        return np.exp(amplitude @ self._waves)

    def _residual(self, rng: np.random.Generator) -> np.ndarray:
        left = self.conditions.residual * np.sqrt(LINES[:, 1] / 10) * rng.normal(size=len(LINES))
        return left.astype(np.float32) @ self._profiles

    def _dead(self, rng: np.random.Generator) -> np.ndarray:
        dead = np.zeros(self.instrument.n_pix, dtype=bool)
        for start in rng.integers(0, len(dead), size=rng.poisson(self.conditions.dead_columns)):
            dead[start : start + rng.integers(3, 40)] = True
        return dead

    def _hits(self, rng: np.random.Generator) -> np.ndarray:
        hit = np.zeros(self.instrument.n_pix)
        hit[rng.integers(0, len(hit), size=rng.poisson(self.conditions.cosmic_rays))] = 1.0
        return hit

    @cached_property
    def _reference(self) -> slice:
        return slice(*np.searchsorted(self.instrument.wave, _REFERENCE).tolist())

    @cached_property
    def _waves(self) -> np.ndarray:
        """Slow waves along the spectrum, of up to three periods."""
        phase = np.linspace(0, 2 * np.pi, self.instrument.n_pix)
        orders = np.arange(1, _N_WAVES // 2 + 1)[:, None]
        return np.concatenate([np.cos(orders * phase), np.sin(orders * phase)])

    @cached_property
    def _profiles(self) -> np.ndarray:
        profiles = sky_profiles(self.instrument.wave, self.instrument.resolving_power)
        return profiles.astype(np.float32)

    @cached_property
    def _sky(self) -> np.ndarray:
        return sky_brightness(self._profiles)

    @cached_property
    def _throughput(self) -> np.ndarray:
        """Throughput over that at 6400 Angstrom: low at both ends, and between the two arms."""
        wave, arms = self.instrument.wave, self.conditions.arms
        whole = sum(arm.throughput(wave) for arm in arms)
        whole = whole * (1 - self.conditions.dichroic * np.exp(-0.5 * ((wave - 5875) / 90) ** 2))
        return whole / np.interp(6400.0, wave, whole)
