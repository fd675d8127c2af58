"""The redshift that brings each spectrum to rest: the survey's, or one measured here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.emulator.inducing_points import farthest_points
from torchfit.exceptions import ConfigError
from torchfit.names import SPEED_OF_LIGHT
from torchfit.spectra import Spectra, Spectrum
from torchfit.velocity.log_grid import LogGrid
from torchfit.velocity.search import Velocities, VelocitySearch

WHEN = ("never", "missing", "always")
_FASTEST = 0.1 * SPEED_OF_LIGHT


@dataclass(frozen=True)
class Redshifts:
    """Gives spectra their redshifts.

    Args:
        search: Measures velocities; ``None`` measures none.
        always: Whether all are measured, or only those without a redshift.
    """

    search: VelocitySearch | None = None
    always: bool = False

    def settle(
        self, spectra: Sequence[Spectrum], windows: Sequence[tuple[float, float]] = ()
    ) -> tuple[list[Spectrum], Velocities]:
        """Give every spectrum the redshift that it is brought to rest with.

        Args:
            spectra: Spectra as read; ``info.z`` is NaN where the survey states none.
            windows: Masked windows in Angstrom of the observed frame.

        Returns:
            The spectra, ``info.z`` and ``info.z_err`` replaced where they were measured, and what
            was measured, NaN for the others. A redshift stays NaN where none is to be found.
        """
        wanted = [place for place, spectrum in enumerate(spectra) if self._measures(spectrum)]
        settled, found = list(spectra), Velocities.unknown(len(spectra))
        if self.search is None or not wanted:
            return settled, found
        measured = self.search([spectra[place] for place in wanted], windows)
        found = found.with_rows(torch.tensor(wanted), measured)
        for place, z, error in zip(
            wanted, measured.z.tolist(), measured.error.tolist(), strict=True
        ):
            info = replace(spectra[place].info, z=z, z_err=error / SPEED_OF_LIGHT)
            settled[place] = replace(spectra[place], info=info)
        return settled, found

    def _measures(self, spectrum: Spectrum) -> bool:
        return self.always or not math.isfinite(spectrum.info.z)


@dataclass(frozen=True)
class VelocityMeasurement:
    """Settings of the search for velocities.

    Args:
        when: ``never``: a spectrum without a redshift is rejected; ``missing``: its velocity is
            measured; ``always``: that of every spectrum is, whatever its survey states.
        max_velocity: Largest velocity in km/s, to both sides.
        n_templates: Number of spectra of the emulator to search with, spread over the labels of
            its library.
        step: Width of a bin in km/s.
        window: Width of the running mean that both are divided by, in km/s.
        floor: Misfit of a template as a share of the continuum.

    Raises:
        ConfigError: If a number makes no sense.
    """

    when: str = "never"
    max_velocity: float = 1500.0
    n_templates: int = 100
    step: float = 60.0
    window: float = 15000.0
    floor: float = 0.03

    def __post_init__(self) -> None:
        if self.when not in WHEN:
            raise ConfigError(f"velocity.when={self.when}: use {', '.join(WHEN)}")
        if not 0 < self.step <= self.max_velocity < _FASTEST or self.window < 3 * self.step:
            raise ConfigError(
                f"velocity: step={self.step} km/s must be positive, max_velocity="
                f"{self.max_velocity} within it and {_FASTEST:.0f}, window={self.window} at "
                "least three of it"
            )
        if self.n_templates < 1 or not 0 <= self.floor < 1:
            raise ConfigError(
                f"velocity: n_templates={self.n_templates} must be at least 1, "
                f"floor={self.floor} lie in [0, 1)"
            )

    def redshifts(self, emulator: Emulator) -> Redshifts:
        """What gives spectra their redshifts, with templates of an emulator.

        Args:
            emulator: At the resolution of the survey.
        """
        if self.when == "never":
            return Redshifts()
        return Redshifts(self.search(emulator), self.when == "always")

    def template_labels(self, emulator: Emulator) -> Float[Tensor, "template label"]:
        """Labels of the templates: stars of the library that leave no other far from one.

        Args:
            emulator: The emulator.
        """
        labels = emulator.library.labels
        unit = emulator.scaler.to_unit(labels)
        return labels[farthest_points(unit, min(self.n_templates, len(unit)))]

    def search(self, emulator: Emulator) -> VelocitySearch:
        """Search with templates of an emulator.

        The emulator's spectra have less noise than those of its library, and the mean of the
        velocities that its stars were wrongly brought to rest with.

        Args:
            emulator: At the resolution of the survey.
        """
        grid = LogGrid(float(emulator.wave[0]), float(emulator.wave[-1]), self.step)
        flux = emulator.flux(self.template_labels(emulator)).double()
        mask = emulator.flux_pca.good.to(flux).expand_as(flux)
        templates = Spectra(emulator.wave, flux, mask, torch.zeros(len(flux), dtype=torch.bool))
        return VelocitySearch(
            grid,
            templates,
            emulator.library.lsf_fwhm,
            max_velocity=self.max_velocity,
            window=2 * int(self.window / self.step / 2) + 1,
            floor=self.floor,
        )
