"""Mock LAMOST stars of one class, with and without their noise, for benchmarks/faint.py."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from settings import build, composed
from torchfit.emulator.emulator import Emulator
from torchfit.mock.lamost import LamostObject, MockLamostReader, lamost_object
from torchfit.mock.population import SURVEY
from torchfit.spectra import Spectra

CLASSES = {"M": 0, "FGK dwarf": 1, "giant": 2, "A": 4, "OB": 5}
"""Tracks of the mock population by class."""
MARGIN = 0.03
"""Stars nearer to an end of the library, whose fits may come to rest on its edge, are left out."""


class OneClass(MockLamostReader):
    """Mock LAMOST stars of one class.

    Args:
        n_stars: Number of stars.
        track: Place of the class among the tracks of the population.
        snr: Median signal-to-noise ratio at 6400 Angstrom.
        scatter: Standard deviation of its natural logarithm.
        noisy: Whether spectra have their noise; without it their errors stay what they are.
    """

    def __init__(
        self, n_stars: int, track: int, snr: float, scatter: float = 0.7, noisy: bool = True
    ) -> None:
        super().__init__(n_stars, seed=3, repeats=0.0, snr=snr)
        shares = tuple(float(place == track) for place in range(len(SURVEY.shares)))
        population = replace(self.survey.population, shares=shares, snr_scatter=scatter)
        self.survey = replace(self.survey, population=population)
        self.noisy = noisy

    def lamost_object(self, source: str) -> LamostObject:
        """The observation, as it is or without its noise."""
        made = super().lamost_object(source)
        if self.noisy:
            return made
        exposure = made.observation.exposure
        quiet = replace(exposure, flux=exposure.truth)
        observation = replace(made.observation, exposure=quiet)
        return lamost_object(observation, self.survey.instrument.wave)


@dataclass(frozen=True)
class Sample:
    """Stars of one class.

    Args:
        emulator: At their resolution.
        spectra: Preprocessed.
        truth: True labels.
        snr: Signal-to-noise ratio in the band of the class.
    """

    emulator: Emulator
    spectra: Spectra
    truth: torch.Tensor
    snr: np.ndarray

    @classmethod
    def of(cls, reader: OneClass, trained: Emulator, kind: str) -> "Sample":
        """Stars that are not near the ends of the library."""
        emulator = trained.at_resolution(reader.lsf_fwhm_at(trained.wave))
        spectra = [reader.read(source) for source in reader.sources()]
        teff = emulator.library.labels[:, 0]
        low, high = float(teff.min()) * (1 + MARGIN), float(teff.max()) * (1 - MARGIN)
        spectra = [s for s in spectra if low < s.info.labels["teff"] < high]
        names = emulator.label_names
        truth = torch.tensor([[s.info.labels[n] for n in names] for s in spectra]).double()
        snr = np.array([s.info.snr["i" if kind == "M" else "g"] for s in spectra])
        windows = build(composed(["pack=lamost"]).pack).windows
        return cls(emulator, emulator.survey_preprocessor(spectra, windows), truth, snr)
