"""Synthetic grids: a folder of model spectra whose labels stand in file names or headers."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import astropy.units as u
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import ConfigError, DataError, SpectrumError
from torchfit.files.fits_tree import OTHER_FILES
from torchfit.files.table_file import quiet_astropy
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.grid_files import GridFile, n_spectra, read_grid_file
from torchfit.surveys.label_pattern import LabelPattern
from torchfit.surveys.medium import air_to_vacuum
from torchfit.surveys.quantities import flux_and_ivar, wavelength
from torchfit.surveys.row_reader import RowReader
from torchfit.surveys.stated_resolution import StatedResolution

MEDIA = ("air", "vacuum")
NOT_STATED = StatedResolution()
NO_PATTERN = LabelPattern()
WAVES = (3000.0, 11000.0)


class GridReader(RowReader[GridFile]):
    """The model spectra below a folder, each with its labels; there is no noise.

    A model has its labels by the pattern of its file name, by header cards (FITS) or arrays (npz),
    or by what is said of all. A ``.npz`` file may hold many spectra: ``flux`` of shape (model, pix)
    on one ``wave``, with an array of every label; a source is then ``grid.npz:0003``.

    Args:
        root: The folder.
        medium: Whether wavelengths are in ``air`` or in ``vacuum``.
        pattern: Only the files whose path below ``root`` matches this shell pattern.
        names: How file names tell labels; files that it does not match are left out.
        cards: Header card or array of a label, by label.
        fixed: Values of labels that all models share, or those that neither name nor card tells.
        wave: File, below ``root``, of the wavelengths of all models, where theirs do not have them.
        columns: ``wave`` and ``flux``: names of arrays or columns, or numbers of columns of text.
        units: ``wave`` and ``flux``, before what a file says; a flux per frequency is converted.
        resolution: Resolution of the models.
        waves: Least and greatest wavelength that is kept, in Angstrom.

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
        names: LabelPattern = NO_PATTERN,
        cards: Mapping[str, str] | None = None,
        fixed: Mapping[str, float] | None = None,
        wave: str | None = None,
        columns: Mapping[str, str | None] | None = None,
        units: Mapping[str, str | None] | None = None,
        resolution: StatedResolution = NOT_STATED,
        waves: Sequence[float] = WAVES,
    ) -> None:
        super().__init__(root, pattern)
        if medium not in MEDIA:
            raise ConfigError(f"library.reader.medium={medium}: use {' or '.join(MEDIA)}")
        self.medium, self.names, self.resolution, self.waves = medium, names, resolution, waves
        self.cards, self.fixed, self.wave = dict(cards or {}), dict(fixed or {}), wave
        self.columns, self.units = dict(columns or {}), dict(units or {})
        if not (names.expression or self.cards):
            raise ConfigError("library.reader: give names.expression, cards, or both, for labels")

    @property
    def lsf_fwhm(self) -> float | None:  # type: ignore[override]
        """Resolution of the models in Angstrom, where it is one number."""
        return self.resolution.lsf_fwhm

    def takes(self, name: str) -> bool:
        """Whether a file may be a model: any that the names match, and no hidden one."""
        return not name.startswith(".") and self.names.labels_of(name) is not None

    def remarks(self) -> list[str]:
        """What lies below the folder and is no model."""
        ours = "files whose names tell no labels"
        return [line.replace(OTHER_FILES, ours) for line in super().remarks()]

    @cached_property
    def rows(self) -> list[str]:
        """The models of all files, sorted."""
        files = [file for file in self.files if file != self.wave]
        counted = ((file, self.parts(self.folder / file)) for file in files)
        return sorted(
            source
            for file, rows in counted
            for source in ([file] if rows is None else (f"{file}:{row:04d}" for row in rows))
        )

    def parts(self, path: Path) -> Sequence[int] | None:
        """Numbers of the models of a file; only those of numpy hold several."""
        count = n_spectra(path, self.columns.get("flux"))
        return None if count is None else range(count)

    @cached_property
    def axis(self) -> np.ndarray:
        """The wavelengths of all models.

        Raises:
            DataError: If they cannot be read.
        """
        if self.wave is None:
            raise DataError(
                "the models have no wavelengths: name the file of them, library.reader.wave=FILE"
            )
        try:
            return read_grid_file(self.folder / self.wave).flux.ravel()
        except SpectrumError as error:
            raise DataError(f"library.reader.wave: {error}") from error

    def open(self, file: str) -> GridFile:
        """Read a file."""
        path = self.folder / file
        if not path.is_file():
            raise SpectrumError(f"{file}: no such model")
        return read_grid_file(path, self.columns.get("wave"), self.columns.get("flux"))

    def row(self, opened: GridFile, row: int, source: str) -> Spectrum:
        """Make the spectrum of a model."""
        if row >= len(opened.flux):
            raise SpectrumError(f"{source}: no such model, the file has {len(opened.flux)}")
        wave = self.axis if opened.wave is None else opened.wave
        try:
            wave, flux = self._on_axis(wave, opened.flux[row], opened)
        except SpectrumError as error:
            raise SpectrumError(f"{source}: {error}") from error
        good = np.isfinite(flux) & (flux > 0)
        info = StarInfo(source, name=source, labels=self._labels(opened, row, source))
        sigma = self.resolution.sigma(wave)
        return Spectrum(wave, flux, good.astype(np.float64), info, False, sigma)

    def _on_axis(
        self, wave: np.ndarray, flux: np.ndarray, opened: GridFile
    ) -> tuple[np.ndarray, np.ndarray]:
        """Vacuum wavelengths in Angstrom, increasing, and flux per wavelength."""
        if wave.shape != flux.shape:
            raise SpectrumError(f"{len(flux)} fluxes and {len(wave)} wavelengths")
        unit, flux_unit = self._units(opened)
        _, first = np.unique(wave, return_index=True)
        quantity = wave[first] * unit
        if quantity[-1] < quantity[0]:
            first, quantity = first[::-1], quantity[::-1]
        length = wavelength(quantity)
        kept = (length >= self.waves[0]) & (length <= self.waves[1])
        length, values = length[kept], flux[first][kept]
        per_wave, _ = flux_and_ivar(values * flux_unit, None, length)
        return air_to_vacuum(length) if self.medium == "air" else length, per_wave

    def _units(self, opened: GridFile) -> tuple[u.UnitBase, u.UnitBase]:
        """Units of wavelength and flux: what is stated, else what the file says."""
        wave = self.units.get("wave") or opened.wave_unit or "Angstrom"
        flux = self.units.get("flux") or opened.flux_unit
        try:
            with quiet_astropy():
                return u.Unit(wave), u.Unit(flux)
        except ValueError as error:
            raise SpectrumError(
                f"unknown unit {wave} or {flux}; give library.reader.units"
            ) from error

    def _labels(self, opened: GridFile, row: int, source: str) -> dict[str, float]:
        labels = dict(self.fixed) | (self.names.labels_of(source.rpartition("/")[2]) or {})
        for label, card in self.cards.items():
            if card in opened.values:
                values = np.asarray(opened.values[card], dtype=np.float64)
                labels[label] = float(values[row] if values.ndim else values)
        return labels

    def lsf_fwhm_at(self, wave: Float[Tensor, " pix"]) -> Float[Tensor, " pix"] | None:
        """Resolution that is stated of the models."""
        fwhm = self.resolution.fwhm(wave.double().numpy())
        return None if fwhm is None else torch.from_numpy(fwhm)

    def provenance(self) -> dict[str, str]:
        """Which folder, and what was stated of it."""
        return {"reader": self.name, "folder": self.folder.name, "medium": self.medium}
