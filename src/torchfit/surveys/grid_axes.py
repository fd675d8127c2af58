"""What the numbers of a synthetic grid are: wavelengths and fluxes, their names and units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import astropy.units as u
import numpy as np

from torchfit.exceptions import SpectrumError
from torchfit.files.table_file import quiet_astropy
from torchfit.surveys.grid_files import GridFile
from torchfit.surveys.quantities import flux_and_ivar, wavelength


@dataclass(frozen=True)
class GridAxes:
    """Wavelengths and fluxes of the models of a grid.

    Args:
        file: File, below the folder of the grid, of the wavelengths of all models, where theirs do
            not have them.
        columns: ``wave`` and ``flux``: names of arrays or columns, or numbers of columns of text.
        units: ``wave`` and ``flux``, before what a file says; a flux per frequency is converted.
        range: Least and greatest wavelength that is kept, in Angstrom.
    """

    file: str | None = None
    columns: Mapping[str, str | None] = field(default_factory=dict)
    units: Mapping[str, str | None] = field(default_factory=dict)
    range: Sequence[float] = (3000.0, 11000.0)

    def spectrum(
        self, wave: np.ndarray, flux: np.ndarray, opened: GridFile
    ) -> tuple[np.ndarray, np.ndarray]:
        """Wavelengths in Angstrom, increasing, and flux per wavelength, in the range.

        Args:
            wave: Wavelengths as they stand in the file.
            flux: Fluxes as they stand in the file.
            opened: The file, which may say their units.

        Raises:
            SpectrumError: If a unit is unknown, or there is not a flux for every wavelength.
        """
        if wave.shape != flux.shape:
            raise SpectrumError(f"{len(flux)} fluxes and {len(wave)} wavelengths")
        unit, flux_unit = self._units(opened)
        _, first = np.unique(wave, return_index=True)
        quantity = wave[first] * unit
        if quantity[-1] < quantity[0]:
            first, quantity = first[::-1], quantity[::-1]
        length = wavelength(quantity)
        kept = (length >= self.range[0]) & (length <= self.range[1])
        length, values = length[kept], flux[first][kept]
        return length, flux_and_ivar(values * flux_unit, None, length)[0]

    def _units(self, opened: GridFile) -> tuple[u.UnitBase, u.UnitBase]:
        """Units of wavelength and flux: what is stated, else what the file says."""
        wave = self.units.get("wave") or opened.wave_unit or "Angstrom"
        flux = self.units.get("flux") or opened.flux_unit
        try:
            with quiet_astropy():
                return u.Unit(wave), u.Unit(flux)
        except ValueError as error:
            raise SpectrumError(
                f"unknown unit {wave} or {flux}; give library.reader.axes.units"
            ) from error
