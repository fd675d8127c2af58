"""The contract that every survey and library reader keeps."""

import abc

from torchfit.spectra import Spectrum


class SurveyReader(abc.ABC):
    """Reads the spectra of one survey or library, one at a time.

    A reader is small and can be pickled: it goes into the workers of a data loader. The
    sources are strings that mean the same in every process; ``read(source)`` gives a spectrum
    whose ``info.source`` is that string.

    Attributes:
        name: Short name of the survey or library.
        lsf_fwhm: Full width at half maximum of the line-spread function in Angstrom, constant
            over the spectrum; ``None`` where it is not known.
    """

    name: str
    lsf_fwhm: float | None

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

    def provenance(self) -> dict[str, str]:
        """Say where the data come from, for the catalogue and the artefact."""
        return {"reader": self.name}
