"""What the figures are made of; everything is made when a figure first asks for it."""

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float

from torchfit.catalogue.finished import FinishedSurvey
from torchfit.compare.clusters import ClusterComparison
from torchfit.compare.reference import Comparison
from torchfit.emulator.emulator import Emulator
from torchfit.files.model_spectra import ModelSpectra
from torchfit.library.library import Library
from torchfit.match.matching import Matching
from torchfit.measure.measurement import Measurement
from torchfit.paper.matched_library import MatchedLibrary
from torchfit.report.training import HeldOut

OURS, PAPER, UNGROUPED = "default", "paper", "ungrouped"
"""Readings of the method: ours, the paper's, and the paper's with groups of one star."""


@dataclass(frozen=True)
class GroupedTrial:
    """Library stars measured by an emulator that has not seen them.

    Args:
        truth: Their published labels.
        measured: What was measured.
        seconds: How long it took, matching and errors included.
    """

    truth: Float[torch.Tensor, "star label"]
    measured: Measurement
    seconds: float

    @property
    def residual(self) -> Float[torch.Tensor, "star label"]:
        """Measured minus published labels."""
        return self.measured.labels - self.truth


@dataclass(frozen=True)
class MeasuredSurvey:
    """A measured survey beside the catalogues of others.

    Args:
        finished: The survey, joined and flagged.
        comparisons: Labels of others for its stars, by the catalogue's name in the configuration;
            a catalogue without a file is absent.
        folder: Where its catalogue lies.
    """

    finished: FinishedSurvey
    comparisons: Mapping[str, Comparison | ClusterComparison]
    folder: Path


class Material(abc.ABC):
    """Library, emulator and surveys of one reproduction."""

    @property
    @abc.abstractmethod
    def library(self) -> Library:
        """The library; no emulator is needed for it."""

    @property
    @abc.abstractmethod
    def matching(self) -> Matching:
        """The paper's settings of the matching."""

    @property
    @abc.abstractmethod
    def emulator(self) -> Emulator:
        """The emulator of the library."""

    @property
    @abc.abstractmethod
    def stand_ins(self) -> Mapping[str, str]:
        """Files in place of those of others, for mock stars only: paths by key."""

    @abc.abstractmethod
    def matched(self, t: int) -> MatchedLibrary:
        """Every star of the library matched to the others.

        Args:
            t: Number of matched sets.
        """

    @abc.abstractmethod
    def held_out(self, reading: str = OURS) -> HeldOut:
        """Library stars emulated and measured by emulators that have not seen them.

        Args:
            reading: Ours, or the paper's.
        """

    @abc.abstractmethod
    def trial(self, n_group: int | None) -> GroupedTrial:
        """Held-out stars measured by the paper's grouped search, or by ours.

        Args:
            n_group: Largest number of stars in a group; ``None`` for our default, whatever it is.
        """

    @abc.abstractmethod
    def survey(self, reading: str = OURS) -> MeasuredSurvey:
        """The measured survey, joined and compared with the catalogues that are at hand.

        Args:
            reading: Ours, the paper's, or that without groups.
        """

    @abc.abstractmethod
    def models(self, sources: Sequence[str]) -> ModelSpectra:
        """Some spectra of the survey, fitted once more, with what was fitted.

        Args:
            sources: Which spectra.
        """


def with_sets(matching: Matching, t: int) -> Matching:
    """The same matching with another number of matched sets."""
    return replace(matching, t=t)
