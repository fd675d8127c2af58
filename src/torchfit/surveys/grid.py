"""Synthetic grids: a folder of model spectra whose labels stand in file names or headers."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.files.fits_tree import OTHER_FILES
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.grid_axes import GridAxes
from torchfit.surveys.grid_files import GridFile, n_spectra, read_grid_file
from torchfit.surveys.grid_labels import GridLabels
from torchfit.surveys.medium import air_to_vacuum
from torchfit.surveys.row_reader import RowReader
from torchfit.surveys.stated_resolution import StatedResolution

MEDIA = ("air", "vacuum")
NOT_STATED = StatedResolution()
NO_LABELS = GridLabels()
PLAIN_AXES = GridAxes()


class GridReader(RowReader[GridFile]):
    """The model spectra below a folder, each with its labels; there is no noise.

    A ``.npz`` file may hold many spectra: ``flux`` of shape (model, pix) on one ``wave``, with an
    array of every label; a source is then ``grid.npz:0003``.

    Args:
        root: The folder.
        medium: Whether wavelengths are in ``air`` or in ``vacuum``.
        pattern: Only the files whose path below ``root`` matches this shell pattern.
        labels: Where their labels stand.
        axes: Wavelengths and fluxes.
        resolution: Resolution of the models.

    Raises:
        ConfigError: If no such medium, or no label, is named.
    """

    name = "grid"
    wanted = "model spectrum"

    def __init__(
        self,
        root: str,
        medium: str,
        pattern: str | None = None,
        labels: GridLabels = NO_LABELS,
        axes: GridAxes = PLAIN_AXES,
        resolution: StatedResolution = NOT_STATED,
    ) -> None:
        super().__init__(root, pattern)
        if medium not in MEDIA:
            raise ConfigError(f"library.reader.medium={medium}: use {' or '.join(MEDIA)}")
        if not labels:
            raise ConfigError(
                "library.reader.labels: give names.expression, cards, or both, for labels"
            )
        self.medium, self.labels, self.axes, self.resolution = medium, labels, axes, resolution

    @property
    def lsf_fwhm(self) -> float | None:  # type: ignore[override]
        """Resolution of the models in Angstrom, where it is one number."""
        return self.resolution.lsf_fwhm

    def takes(self, name: str) -> bool:
        """Whether a file may be a model: any that the names match, and no hidden one."""
        return not name.startswith(".") and self.labels.names.labels_of(name) is not None

    def remarks(self) -> list[str]:
        """What lies below the folder and is no model."""
        ours = "files whose names tell no labels"
        return [line.replace(OTHER_FILES, ours) for line in super().remarks()]

    @cached_property
    def rows(self) -> list[str]:
        """The models of all files, sorted."""
        return self.rows_of([file for file in self.files if file != self.axes.file])

    def parts(self, path: Path) -> Sequence[int] | None:
        """Numbers of the models of a file; only those of numpy hold several."""
        count = n_spectra(path, self.axes.columns.get("flux"))
        return None if count is None else range(count)

    @cached_property
    def axis(self) -> np.ndarray:
        """The wavelengths of all models.

        Raises:
            DataError: If they cannot be read.
        """
        try:
            return read_grid_file(self.folder / str(self.axes.file)).flux.ravel()
        except SpectrumError as error:
            raise DataError(f"library.reader.axes.file: {error}") from error

    def open(self, file: str) -> GridFile:
        """Read a file."""
        path = self.folder / file
        if not path.is_file():
            raise SpectrumError(f"{file}: no such model")
        return read_grid_file(path, self.axes.columns.get("wave"), self.axes.columns.get("flux"))

    def row(self, opened: GridFile, row: int, source: str) -> Spectrum:
        """Make the spectrum of a model."""
        if row >= len(opened.flux):
            raise SpectrumError(f"{source}: no such model, the file has {len(opened.flux)}")
        if opened.wave is None and self.axes.file is None:
            raise SpectrumError(
                f"{source}: the file has no wavelengths; those of all models are named by "
                "library.reader.axes.file=FILE"
            )
        wave = self.axis if opened.wave is None else opened.wave
        try:
            wave, flux = self.axes.spectrum(wave, opened.flux[row], opened)
        except SpectrumError as error:
            raise SpectrumError(f"{source}: {error}") from error
        wave = air_to_vacuum(wave) if self.medium == "air" else wave
        good = np.isfinite(flux) & (flux > 0)
        labels = self.labels.of(source.rpartition("/")[2], opened.values, row)
        info = StarInfo(source, name=source, labels=labels)
        sigma = self.resolution.sigma(wave)
        return Spectrum(wave, flux, good.astype(np.float64), info, False, sigma)

    def lsf_fwhm_at(self, wave: Float[Tensor, " pix"]) -> Float[Tensor, " pix"] | None:
        """Resolution that is stated of the models."""
        fwhm = self.resolution.fwhm(wave.double().numpy())
        return None if fwhm is None else torch.from_numpy(fwhm)

    def provenance(self) -> dict[str, str]:
        """Which folder, and what was stated of it."""
        return {"reader": self.name, "folder": self.folder.name, "medium": self.medium}
