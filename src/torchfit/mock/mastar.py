"""A mock library in the manner of MaStar."""

import numpy as np
from jaxtyping import Float
from torch import Tensor

from torchfit.mock.instrument import mastar
from torchfit.mock.observe import MASTAR
from torchfit.mock.population import HIGHEST, LIBRARY, LOWEST
from torchfit.mock.spectral_type import spectral_type
from torchfit.mock.survey import MockSurvey, Observation, number_of, signal_to_noise, sources
from torchfit.mock.visits import Visits
from torchfit.names import LABELS
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.reader import SurveyReader

_LABEL_STREAM = 2
_TYPICAL_ERROR = np.array([0.012, 0.1, 0.07, 0.05])
"""Error of published labels: relative in temperature, in dex for the others."""


class MockMastarReader(SurveyReader):
    """Mock spectra as if read from MaStar files: at rest, some stars on several visits.

    Args:
        n_stars: Number of spectra.
        seed: Seed; spectrum i is the same for the same seed, whatever ``n_stars``.
        repeats: Share of spectra that are repeat visits of a star.
        label_error: Scale of the errors of the published labels; at 0 they are exact, at 1 they
            scatter by 1.2 % in temperature and 0.1, 0.07, 0.05 dex in the others.
        resolving_power: Wavelength over the full width at half maximum of the line-spread
            function.
        lsf_scatter: Scatter of the logarithm of the width of that function between spectra, as
            fibres and nights differ; each spectrum tells its own.

    Raises:
        ConfigError: If a number makes no sense.
    """

    name = "mastar_mock"

    def __init__(
        self,
        n_stars: int,
        seed: int = 0,
        repeats: float = 0.2,
        label_error: float = 0.0,
        resolving_power: float = 1800.0,
        lsf_scatter: float = 0.05,
    ) -> None:
        self.n_stars = n_stars
        self.label_error = label_error
        self.survey = MockSurvey(
            mastar(resolving_power), LIBRARY, MASTAR, Visits(repeats), seed, True, lsf_scatter
        )
        self.lsf_fwhm = self.survey.instrument.lsf_fwhm

    def sources(self) -> list[str]:
        """List the spectra: ``mock:00000000`` and so on.

        Raises:
            ConfigError: If there is none, or too many.
        """
        return sources(self.n_stars)

    def read(self, source: str) -> Spectrum:
        """Make one spectrum.

        Raises:
            SpectrumError: If there is no such spectrum.
        """
        observation = self.survey.observe(number_of(source, self.n_stars))
        star, exposure = observation.star, observation.exposure
        wave = self.survey.instrument.wave
        info = StarInfo(
            source,
            name=f"7-{star.number:08d}",
            ra=star.ra,
            dec=star.dec,
            subclass=spectral_type(star.labels["teff"], star.labels["logg"]),
            snr=signal_to_noise(wave, exposure.flux, exposure.ivar),
            labels=self._published_labels(observation),
        )
        flux = exposure.flux.astype(np.float64)
        lsf_sigma = observation.lsf_width * self.survey.instrument.lsf_sigma
        return Spectrum(wave, flux, exposure.ivar, info, lsf_sigma=lsf_sigma)

    def _published_labels(self, observation: Observation) -> dict[str, float]:
        """True labels with the errors of a publication, the same at every visit."""
        star = observation.star
        rng = np.random.default_rng([self.survey.seed, _LABEL_STREAM, star.number])
        true = np.array([star.labels[name] for name in LABELS])
        error = self.label_error * _TYPICAL_ERROR * rng.normal(size=len(LABELS))
        published = np.clip(true + error * [true[0], 1, 1, 1], LOWEST, HIGHEST)
        return dict(zip(LABELS, published.tolist(), strict=True))

    def lsf_fwhm_at(self, wave: Float[Tensor, " pix"]) -> Float[Tensor, " pix"]:
        """The resolving power is the same everywhere."""
        return wave / self.survey.instrument.resolving_power

    def provenance(self) -> dict[str, str]:
        """Say that these are no real stars."""
        return {"reader": self.name, "mock": "analytic spectra for testing, no real stars"}
