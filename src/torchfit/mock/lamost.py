"""A mock survey in the manner of LAMOST."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float
from torch import Tensor

from torchfit.mock.instrument import lamost
from torchfit.mock.observe import LAMOST
from torchfit.mock.population import SURVEY
from torchfit.mock.spectral_type import spectral_type
from torchfit.mock.survey import MockSurvey, Observation, number_of, signal_to_noise, sources
from torchfit.mock.visits import Visits
from torchfit.names import LABELS
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.reader import SurveyReader

_LENGTHS = (3909, 3909, 3909, 3909, 3909, 3909, 3908, 3906, 3902)
_PER_PLATE = 4000
_PER_SPECTROGRAPH = 250
_VISIT_STEP = 10
_FIRST_NIGHT = 55_900
_NORMALISED_SNR = 6.0


@dataclass(frozen=True)
class LamostObject:
    """What a LAMOST file holds of one observation, in single precision.

    Args:
        observation: The observation.
        wave: Vacuum wavelength in Angstrom, heliocentric.
        flux: Flux in relative units.
        ivar: Inverse variance.
        andmask: 1 where all exposures are flagged.
        ormask: 1 where any exposure is flagged: the core of a cosmic ray.
    """

    observation: Observation
    wave: np.ndarray
    flux: np.ndarray
    ivar: np.ndarray
    andmask: np.ndarray
    ormask: np.ndarray

    @property
    def good(self) -> np.ndarray:
        """Pixels that the reader of LAMOST files takes."""
        return (self.ivar > 0) & ~(self.ormask > 0) & (self.flux != 0)

    @property
    def plan(self) -> int:
        """Running number of the plan: a field on a night; every visit is on another night."""
        return (
            1
            + self.observation.number // _PER_PLATE * _VISIT_STEP
            + min(self.observation.visit, _VISIT_STEP - 1)
        )

    @property
    def lmjd(self) -> int:
        """Local modified Julian day of the night."""
        return _FIRST_NIGHT + 3 * self.plan

    @property
    def spectrograph(self) -> int:
        """Number of the spectrograph, 1-16."""
        return 1 + self.observation.number % _PER_PLATE // _PER_SPECTROGRAPH

    @property
    def fiber(self) -> int:
        """Number of the fibre, 1-250."""
        return 1 + self.observation.number % _PER_SPECTROGRAPH

    @property
    def obsid(self) -> int:
        """Identifier of the observation."""
        return self.plan * 100_000 + self.spectrograph * 1000 + self.fiber

    @property
    def plan_id(self) -> str:
        """Identifier of the plan."""
        return f"MOCK{self.plan:06d}B01"

    @property
    def file_stem(self) -> str:
        """Name of the file without its ending."""
        place = f"sp{self.spectrograph:02d}-{self.fiber:03d}"
        return f"spec-{self.lmjd:05d}-{self.plan_id}_{place}"

    @property
    def is_normalised(self) -> bool:
        """Whether the pipeline gives a normalised spectrum; not for faint and for M stars."""
        return self.snr["g"] > _NORMALISED_SNR and not self.subclass.startswith(("d", "g"))

    @property
    def uid(self) -> str:
        """Identifier of the star, shared by its visits."""
        return f"MOCK{self.observation.star.number:010d}"

    @cached_property
    def snr(self) -> dict[str, float]:
        """Signal-to-noise ratio by band."""
        return signal_to_noise(self.wave, self.flux, self.ivar)

    @property
    def subclass(self) -> str:
        """Spectral type."""
        labels = self.observation.star.labels
        return spectral_type(labels["teff"], labels["logg"])


def lamost_object(observation: Observation, wave: np.ndarray) -> LamostObject:
    """Give an observation the shape of a LAMOST spectrum.

    Its length varies a little, and its last pixels are zero though nothing flags them.

    Args:
        observation: The observation.
        wave: Wavelength of the instrument in Angstrom.
    """
    n_pix = _LENGTHS[observation.number % len(_LENGTHS)]
    exposure = observation.exposure
    flux = exposure.flux[:n_pix].astype(np.float32)
    flux[n_pix - 13 - observation.number % 17 :] = 0
    ormask = exposure.hit[:n_pix].astype(np.float32)
    return LamostObject(
        observation,
        wave[:n_pix].astype(np.float32),
        flux,
        exposure.ivar[:n_pix].astype(np.float32),
        np.zeros_like(ormask),
        ormask,
    )


class MockLamostReader(SurveyReader):
    """Mock spectra as if read from LAMOST files; nothing touches the disk.

    The published labels of a star are the true ones, so that a catalogue shows how far off a
    measurement is.

    Args:
        n_stars: Number of spectra.
        seed: Seed; spectrum i is the same for the same seed, whatever ``n_stars``.
        repeats: Share of spectra that are repeat visits of a star on another night.
        snr: Median signal-to-noise ratio.
        resolving_power: Wavelength over the full width at half maximum of the line-spread
            function.

    Raises:
        ConfigError: If a number makes no sense.
    """

    name = "lamost_mock"

    def __init__(
        self,
        n_stars: int,
        seed: int = 1,
        repeats: float = 0.1,
        snr: float = 35.0,
        resolving_power: float = 1800.0,
    ) -> None:
        self.n_stars = n_stars
        self.survey = MockSurvey(
            lamost(resolving_power),
            replace(SURVEY, snr=snr),
            LAMOST,
            Visits(repeats),
            seed,
            at_rest=False,
        )
        self.lsf_fwhm = self.survey.instrument.lsf_fwhm

    def sources(self) -> list[str]:
        """List the spectra: ``mock:00000000`` and so on.

        Raises:
            ConfigError: If there is none, or too many.
        """
        return sources(self.n_stars)

    def lamost_object(self, source: str) -> LamostObject:
        """What a file would hold of one of :meth:`sources`.

        Raises:
            SpectrumError: If there is no such spectrum.
        """
        observation = self.survey.observe(number_of(source, self.n_stars))
        return lamost_object(observation, self.survey.instrument.wave)

    def read(self, source: str) -> Spectrum:
        """Make one spectrum.

        Raises:
            SpectrumError: If there is no such spectrum.
        """
        made = self.lamost_object(source)
        star = made.observation.star
        info = StarInfo(
            source,
            obsid=made.obsid,
            name=star.designation,
            ra=star.ra,
            dec=star.dec,
            subclass=made.subclass,
            z=made.observation.z,
            snr=made.snr,
            labels={name: star.labels[name] for name in LABELS},
            z_err=made.observation.z_err,
            ra_obs=star.ra,
            dec_obs=star.dec,
            mjd=made.lmjd - 1,
            uid=made.uid,
            sum_ormask=int(made.ormask.sum()),
        )
        wave, flux, ivar = (row.astype(np.float64) for row in (made.wave, made.flux, made.ivar))
        return Spectrum(wave, flux, np.where(made.good, ivar, 0.0), info)

    def lsf_fwhm_at(self, wave: Float[Tensor, " pix"]) -> Float[Tensor, " pix"]:
        """The resolving power is the same everywhere."""
        return wave / self.survey.instrument.resolving_power

    def provenance(self) -> dict[str, str]:
        """Say that these are no real stars."""
        return {"reader": self.name, "mock": "analytic spectra for testing, no real stars"}
