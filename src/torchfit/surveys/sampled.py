"""Parts of a survey or library: some that stand for the whole of it, or chosen ones."""

import abc
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.spectra import Spectrum, evenly
from torchfit.surveys.reader import Outcome, SurveyReader

RUN = 64
"""Spectra that stay together, so that most repeat visits of a star do."""


class PartReader(SurveyReader):
    """Reads a part of the spectra of another reader, as the other does.

    Args:
        reader: The other reader.
    """

    def __init__(self, reader: SurveyReader) -> None:
        self.reader = reader
        self.name, self.lsf_fwhm = reader.name, reader.lsf_fwhm
        self.time_limit, self.sequential = reader.time_limit, reader.sequential

    @abc.abstractmethod
    def sources(self) -> list[str]:
        """List the spectra of the part, in the order of the other reader."""

    def read(self, source: str) -> Spectrum:
        """Read one spectrum."""
        return self.reader.read(source)

    def spectra(self, sources: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
        """Read many spectra."""
        return self.reader.spectra(sources)

    def remarks(self) -> list[str]:
        """What the other reader has left out."""
        return self.reader.remarks()

    def part(self, sources: Sequence[str]) -> SurveyReader:
        """The other reader for some of the sources."""
        return self.reader.part(sources)

    def file_of(self, source: str) -> Path | None:
        """Name the file that a source is read from."""
        return self.reader.file_of(source)

    def shared_files(self) -> Sequence[Path]:
        """Name the files that all sources are read from."""
        return self.reader.shared_files()

    def lsf_fwhm_at(self, wave: Float[Tensor, " pix"]) -> Float[Tensor, " pix"] | None:
        """Tell the resolution along the spectrum."""
        return self.reader.lsf_fwhm_at(wave)

    def provenance(self) -> dict[str, str]:
        """Say where the data come from, and how many of them are taken."""
        return self.reader.provenance() | {"spectra taken": str(len(self.sources()))}


class SampledReader(PartReader):
    """Reads runs of neighbours, evenly over all spectra of another reader.

    Args:
        reader: The other reader.
        n_spectra: Most spectra; ``None`` for all.

    Raises:
        ConfigError: If the number is not positive.
    """

    def __init__(self, reader: SurveyReader, n_spectra: int | None = None) -> None:
        super().__init__(reader)
        if n_spectra is not None and n_spectra < 1:
            raise ConfigError(f"n_spectra={n_spectra} must be at least 1, or null")
        self.n_spectra = n_spectra

    def sources(self) -> list[str]:
        """List the spectra of the sample, in the order of the other reader."""
        every = self.reader.sources()
        if self.n_spectra is None or self.n_spectra >= len(every):
            return every
        first = evenly(np.arange(0, len(every), RUN), -(-self.n_spectra // RUN))
        chosen = [source for start in first.tolist() for source in every[start : start + RUN]]
        return chosen[: self.n_spectra]


class ChosenReader(PartReader):
    """Reads chosen spectra of another reader.

    Args:
        reader: The other reader.
        chosen: Some of its sources.

    Raises:
        ConfigError: If none is chosen.
    """

    def __init__(self, reader: SurveyReader, chosen: Sequence[str]) -> None:
        super().__init__(reader)
        if not chosen:
            raise ConfigError("chosen=[]: choose at least one spectrum")
        self.chosen = chosen

    def sources(self) -> list[str]:
        """List the chosen spectra, in the order of the other reader."""
        chosen = set(self.chosen)
        return [source for source in self.reader.sources() if source in chosen]
