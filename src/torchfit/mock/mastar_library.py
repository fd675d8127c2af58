"""Writes a mock library as the files of MaStar."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from torchfit.exceptions import OutputError
from torchfit.mock.mastar import MockMastarReader
from torchfit.mock.mastar_files import MastarVisitTable, write_mastar
from torchfit.names import LABELS
from torchfit.spectra import Spectrum

_FIRST_NIGHT = 57_000


def write_mock_mastar(folder: Path, reader: MockMastarReader) -> None:
    """Write a mock library in the format of MaStar; its spectra are held in memory meanwhile.

    Args:
        folder: Where to.
        reader: The library.

    Raises:
        OutputError: If the system refuses a write.
        ConfigError: If the library is empty.
    """
    progress = tqdm(reader.sources(), desc="making mock MaStar spectra", unit="star")
    spectra = [reader.read(source) for source in progress]
    flux, ivar, disp = (
        np.array([getattr(spectrum, name) for spectrum in spectra], dtype=np.float32)
        for name in ("flux", "ivar", "lsf_sigma")
    )

    def pixels(rows: np.ndarray) -> dict[str, np.ndarray]:
        """Pixels of some visits."""
        return {"FLUX": flux[rows], "IVAR": ivar[rows], "DISP": disp[rows]}

    try:
        write_mastar(folder, visit_table(spectra), pixels)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror or error})") from error


def visit_table(spectra: list[Spectrum]) -> MastarVisitTable:
    """What the summary and the parameter files say of mock spectra.

    Args:
        spectra: As read, in their order, which gives every visit a night of its own.
    """
    labels = [[spectrum.info.labels[name] for name in LABELS] for spectrum in spectra]
    return MastarVisitTable(
        mangaid=np.array([spectrum.info.name for spectrum in spectra]),
        mjd=_FIRST_NIGHT + np.arange(len(spectra)),
        labels=np.array(labels),
        s2n=np.array([spectrum.info.snr["r"] for spectrum in spectra]),
        mjdqual=np.zeros(len(spectra), dtype=np.int32),
    )
