"""A mock survey: stars from a population through an instrument, in blocks."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch

from torchfit.exceptions import ConfigError, SpectrumError
from torchfit.mock.extinction import redden
from torchfit.mock.instrument import Instrument
from torchfit.mock.observe import Conditions, Exposure, Telescope
from torchfit.mock.population import MockStar, Population
from torchfit.mock.star import StarModel
from torchfit.mock.visits import Visits
from torchfit.names import LABELS, SPEED_OF_LIGHT

BLOCK = 64
"""Observations made at once; always whole blocks, so that one spectrum never depends on which
others are asked for."""
_WIDTH_STREAM = 4
_MOST_SIGMA = 3.0
_PREFIX = "mock:"
_DIGITS = 8
_BANDS = {
    "u": (3700.0, 4000.0),
    "g": (4000.0, 5500.0),
    "r": (5600.0, 6900.0),
    "i": (6900.0, 8200.0),
    "z": (8200.0, 9000.0),
}
"""Ranges in Angstrom that reproduce the S/N by band in LAMOST headers."""


@dataclass(frozen=True)
class Observation:
    """One observation.

    Args:
        number: Its number in the survey.
        star: The star.
        visit: 0 at the first visit of the star.
        exposure: What was recorded.
        lsf_width: Width of its line-spread function over that of the instrument.
    """

    number: int
    star: MockStar
    visit: int
    exposure: Exposure
    lsf_width: float

    @property
    def z(self) -> float:
        """Measured redshift."""
        return float(self.star.z + self.exposure.velocity_error / SPEED_OF_LIGHT)

    @property
    def z_err(self) -> float:
        """Error of the measured redshift."""
        return float(self.exposure.velocity_sigma / SPEED_OF_LIGHT)


@dataclass(frozen=True)
class MockSurvey:
    """All settings of a survey; observation i is the same in every survey with these.

    Args:
        instrument: The spectrograph.
        population: The stars.
        conditions: The defects.
        visits: The repeat visits.
        seed: Seed of everything.
        at_rest: Whether spectra are shifted to the rest frame of their stars.
        lsf_scatter: Scatter of the logarithm of the width of the line-spread function between
            observations, no further than three times this.

    Raises:
        ConfigError: If this scatter is negative, or the narrowest or broadest of these functions
            is none that the model can give.
    """

    instrument: Instrument
    population: Population
    conditions: Conditions
    visits: Visits
    seed: int
    at_rest: bool
    lsf_scatter: float = 0.0

    def __post_init__(self) -> None:
        if self.lsf_scatter < 0:
            raise ConfigError(f"lsf_scatter={self.lsf_scatter} must not be negative")
        for extreme in (-_MOST_SIGMA, _MOST_SIGMA):
            power = self.instrument.resolving_power * math.exp(self.lsf_scatter * extreme)
            replace(self.instrument, resolving_power=power)

    def lsf_width(self, number: int) -> float:
        """Width of the line-spread function of an observation over that of the instrument."""
        rng = np.random.default_rng([self.seed, _WIDTH_STREAM, number])
        return math.exp(self.lsf_scatter * np.clip(rng.normal(), -_MOST_SIGMA, _MOST_SIGMA))

    def observe(self, number: int) -> Observation:
        """Make one observation; its neighbours are made along with it and kept for a while."""
        block, row = divmod(number, BLOCK)
        return _block(self, block)[row]


@lru_cache(maxsize=2)
def _block(survey: MockSurvey, block: int) -> list[Observation]:
    numbers = range(block * BLOCK, (block + 1) * BLOCK)
    visits = [survey.visits.star(number) for number in numbers]
    stars = [survey.population.draw(survey.seed, star) for star, _ in visits]
    widths = [survey.lsf_width(number) for number in numbers]
    flux = _light(survey, stars, widths)
    telescope = _telescope(survey.instrument, survey.conditions)
    return [
        Observation(
            number, star, visit, telescope.expose(row, star.snr, survey.seed, number), width
        )
        for number, (_, visit), star, row, width in zip(
            numbers, visits, stars, flux, widths, strict=True
        )
    ]


@torch.inference_mode()
def _light(survey: MockSurvey, stars: list[MockStar], widths: list[float]) -> np.ndarray:
    """Spectra as they reach the detector."""
    model = _model(survey.instrument)
    labels = torch.tensor([[star.labels[name] for name in LABELS] for star in stars])
    ebv = torch.tensor([star.ebv for star in stars])
    z = torch.tensor([0.0 if survey.at_rest else star.z for star in stars], dtype=torch.float64)
    flux = redden(model(labels), model.wave, ebv)
    return survey.instrument.expose(flux, z, torch.tensor(widths)).numpy()


@lru_cache(maxsize=2)
def _model(instrument: Instrument) -> StarModel:
    return instrument.model()


@lru_cache(maxsize=2)
def _telescope(instrument: Instrument, conditions: Conditions) -> Telescope:
    return Telescope(instrument, conditions)


def sources(n_stars: int) -> list[str]:
    """Names of the first observations: ``mock:00000000`` and so on.

    Raises:
        ConfigError: If there is no star, or there are more than eight digits can count.
    """
    if not 0 < n_stars <= 10**_DIGITS:
        raise ConfigError(f"n_stars={n_stars} must lie within 1 and {10**_DIGITS}")
    return [f"{_PREFIX}{number:0{_DIGITS}d}" for number in range(n_stars)]


def number_of(source: str, n_stars: int) -> int:
    """Number of an observation.

    Raises:
        SpectrumError: If the survey has no such observation.
    """
    digits = source.removeprefix(_PREFIX)
    if not source.startswith(_PREFIX) or not digits.isdecimal() or int(digits) >= n_stars:
        raise SpectrumError(f"{source}: no such mock spectrum")
    return int(digits)


def signal_to_noise(wave: np.ndarray, flux: np.ndarray, ivar: np.ndarray) -> dict[str, float]:
    """Median signal-to-noise ratio per pixel by band.

    Args:
        wave: Wavelength in Angstrom.
        flux: Flux.
        ivar: Inverse variance.
    """
    ratio = flux * np.sqrt(ivar)
    edges = {band: np.searchsorted(wave, limits) for band, limits in _BANDS.items()}
    return {band: float(np.median(ratio[low:high])) for band, (low, high) in edges.items()}
