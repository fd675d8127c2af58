"""The contract that every survey and library reader keeps."""

import abc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import SpectrumError, TorchfitError, UnexpectedError
from torchfit.spectra import Spectrum
from torchfit.surveys.time_limit import time_limit

T = TypeVar("T")
Outcome = Spectrum | SpectrumError
"""What reading one source comes to."""


def attempt(read: Callable[[], T], source: str, seconds: float | None = None) -> T | SpectrumError:
    """Read one spectrum or file, whatever comes of it: one file never stops a survey.

    Args:
        read: Reads it.
        source: What to call it.
        seconds: How long it may take; ``None`` for no limit.

    Returns:
        What was read, or why there is nothing. A full disk and other troubles of the run as a whole
        are raised.
    """
    try:
        with time_limit(seconds, source):
            return read()
    except SpectrumError as error:
        return error
    except TorchfitError:
        raise
    except Exception as error:
        return UnexpectedError(source, error)


class SurveyReader(abc.ABC):
    """Reads the spectra of one survey or library, one at a time.

    A reader is small and can be pickled: it goes into the workers of a data loader. The
    sources are strings that mean the same in every process; ``read(source)`` gives a spectrum
    whose ``info.source`` is that string.

    Attributes:
        name: Short name of the survey or library.
        lsf_fwhm: Full width at half maximum of the line-spread function in Angstrom, at 5500
            Angstrom if it is not the same everywhere; ``None`` where it is not known.
        time_limit: Seconds that reading one spectrum may take.
        sequential: Whether the spectra lie in one stream, so that reading one costs as much as
            reading all of them by :meth:`spectra`.
    """

    name: str
    lsf_fwhm: float | None
    time_limit: float = 60.0
    sequential: bool = False

    @abc.abstractmethod
    def sources(self) -> list[str]:
        """List every spectrum there is, sorted, the same at every call.

        Raises:
            DataError: If the folder or archive is missing, or holds no spectrum.
        """

    @abc.abstractmethod
    def read(self, source: str) -> Spectrum:
        """Read one spectrum: vacuum wavelength, flux, inverse variance with 0 for a bad pixel.

        Args:
            source: One of :meth:`sources`.

        Raises:
            SpectrumError: If this spectrum is missing or cannot be used.
        """

    def spectra(self, sources: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
        """Read many spectra, in the order that is cheapest.

        Args:
            sources: Some of :meth:`sources`, each once.

        Yields:
            Each source once, with its spectrum or the reason why it cannot be used. The order is
            that of ``sources`` unless the reader is sequential; it is the same at every call.

        Raises:
            DataError: If an archive as a whole cannot be used.
        """
        for source in sources:
            yield source, attempt(partial(self.read, source), source, self.time_limit)

    def remarks(self) -> list[str]:
        """What :meth:`sources` has left out, one line each, for the end of a run."""
        return []

    def part(self, sources: Sequence[str]) -> "SurveyReader":
        """Make a reader for some of the sources, to be sent to another process.

        Args:
            sources: Some of :meth:`sources`.

        Returns:
            A reader that needs to know no others; this one unless it holds much.
        """
        return self

    def file_of(self, source: str) -> Path | None:
        """Name the file that a source is read from, whose change changes this source alone.

        Args:
            source: One of :meth:`sources`.

        Returns:
            Its path; ``None`` if it has no file of its own.
        """
        return None

    def shared_files(self) -> Sequence[Path]:
        """Name the files that all sources are read from; none where a hash pins their content."""
        return ()

    def lsf_fwhm_at(self, wave: Float[Tensor, " pix"]) -> Float[Tensor, " pix"] | None:
        """Tell the resolution along the spectrum: ``lsf_fwhm`` everywhere, unless overridden.

        Args:
            wave: Vacuum wavelength in Angstrom.

        Returns:
            Full width at half maximum in Angstrom; ``None`` where it is not known.
        """
        return None if self.lsf_fwhm is None else torch.full_like(wave, self.lsf_fwhm)

    def provenance(self) -> dict[str, str]:
        """Say where the data come from, for the catalogue and the artefact."""
        return {"reader": self.name}
