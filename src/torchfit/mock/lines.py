"""Lines of metals and helium: Boltzmann's law and a curve of growth."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.mock.atmosphere import LN_10, Atmosphere
from torchfit.mock.continuum import core_depth
from torchfit.mock.elements import ELEMENTS, element_rows, log_populations
from torchfit.mock.tables import numbers, read_table
from torchfit.names import SPEED_OF_LIGHT

INTRINSIC_SIGMA = 30.0
"""Standard deviation in km/s of the profile that an unresolved line is drawn with."""
_CHUNK = 512
_CORE_REACH = 8.0
"""How far the profile of a line is drawn, in standard deviations."""
_WING_REACH = 0.03
"""How far wings are drawn, in units of the wavelength."""
_FILE = "lines.csv"


@dataclass(frozen=True)
class LineList:
    """The lines of lines.csv on a grid.

    It is an approximate list for testing: the stronger lines of well-known multiplets between
    3600 and 10400 Angstrom, with wavelengths in vacuum, excitation energies and oscillator
    strengths as textbooks round them, neither complete nor evaluated. The strongest are drawn
    with damping wings.

    Args:
        grid: Vacuum wavelength in Angstrom, increasing.
        error: Standard deviation in dex of the errors of oscillator strengths, as the lists that
            synthetic spectra are made from have them; the same for every list.
    """

    grid: Float[Tensor, " pix"]
    error: float = 0.0

    @cached_property
    def wave(self) -> Float[Tensor, " line"]:
        """Vacuum wavelength of every line in Angstrom."""
        return self._column("wave")

    @cached_property
    def species(self) -> tuple[Int[Tensor, " line"], Int[Tensor, " line"]]:
        """Element and stage of every line, as in :func:`log_populations`."""
        stage = self._column("stage").long() - 1
        return torch.tensor(element_rows(read_table(_FILE)["element"])), stage

    @cached_property
    def winged(self) -> Int[Tensor, " strong"]:
        """Numbers of the lines with damping wings."""
        return self._column("wings").nonzero()[:, 0]

    @cached_property
    def profiles(self) -> list[tuple[slice, Float[Tensor, "line chunk"]]]:
        """Gaussians of unit area in Angstrom, by chunks of the grid: which lines, and them."""
        return [self._chunk(grid) for grid in self.grid.split(_CHUNK)]

    def _chunk(self, grid: Float[Tensor, " chunk"]) -> tuple[slice, Float[Tensor, "line chunk"]]:
        reach = _CORE_REACH * INTRINSIC_SIGMA / SPEED_OF_LIGHT
        ends = torch.stack([grid[0] * (1 - reach), grid[-1] * (1 + reach)])
        near = slice(*torch.searchsorted(self.wave, ends).tolist())
        sigma = self.sigma[near, None]
        offset = (grid - self.wave[near, None]) / sigma
        return near, torch.exp(-0.5 * offset.square()) / (sigma * math.sqrt(2 * math.pi))

    @property
    def sigma(self) -> Float[Tensor, " line"]:
        """Standard deviation in Angstrom that every line is drawn with."""
        return self.wave * (INTRINSIC_SIGMA / SPEED_OF_LIGHT)

    def depth(self, star: Atmosphere) -> Float[Tensor, "star pix"]:
        r"""Optical depth :math:`\tau = -\ln F` of all lines.

        Args:
            star: The stars.

        Returns:
            The depth on the grid.
        """
        velocity = doppler_velocity(star, self._mass)
        centre = torch.exp(LN_10 * self.log_centre_opacity(star, velocity))
        core, wings = curve_of_growth(centre, damping(star)[:, None])
        deepest = core_depth(star.teff, self.wave)
        width = deepest * self.wave * velocity / SPEED_OF_LIGHT
        area = core * width
        total = torch.cat([area[:, near] @ profile for near, profile in self.profiles], dim=1)
        return self._add_wings(total, wings * width, deepest)

    def log_centre_opacity(
        self, star: Atmosphere, velocity: Float[Tensor, "star line"]
    ) -> Float[Tensor, "star line"]:
        r"""Logarithm of line over continuous opacity at the centre of every line.

        .. math:: \eta = \frac{\sqrt\pi e^2}{m c} \frac{\lambda}{b} \frac{N_r}{U_r N_H}
            g f\, 10^{-\theta\chi} / \kappa_c

        Args:
            star: The stars.
            velocity: Doppler velocity b of every line in km/s.
        """
        element, stage = self.species
        population = log_populations(star)[:, element, stage]
        excited = population - star.theta_line[:, None] * self._column("excitation")
        log_gf = self._column("log_gf")
        if self.error:
            log_gf = log_gf + self.error * _standard_errors(len(log_gf)).to(log_gf)
        cross_section = -11.82 + log_gf + (self.wave / 5000).log10()
        return excited + cross_section - velocity.log10() - star.log_opacity[:, None]

    def _add_wings(
        self,
        total: Float[Tensor, "star pix"],
        wings: Float[Tensor, "star line"],
        deepest: Float[Tensor, "star line"],
    ) -> Float[Tensor, "star pix"]:
        for line in self.winged.tolist():
            centre = float(self.wave[line])
            reach = self.grid.new_tensor([centre * (1 - _WING_REACH), centre * (1 + _WING_REACH)])
            near = slice(*torch.searchsorted(self.grid, reach).tolist())
            shape = minnaert(
                self.grid[near] - centre, wings[:, line], deepest[:, line], float(self.sigma[line])
            )
            total[:, near] -= torch.log1p(-shape)
        return total

    @cached_property
    def _mass(self) -> Float[Tensor, " line"]:
        masses = self.grid.new_tensor(numbers(ELEMENTS, "mass"))
        return masses[self.species[0]]

    def _column(self, name: str) -> Float[Tensor, " line"]:
        return self.grid.new_tensor(numbers(_FILE, name))


def _standard_errors(n_lines: int) -> Float[Tensor, " line"]:
    """Errors of unit standard deviation, the same at every call."""
    return torch.randn(n_lines, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def doppler_velocity(star: Atmosphere, mass: Float[Tensor, " line"]) -> Float[Tensor, "star line"]:
    r"""Doppler velocity :math:`\sqrt{2kT/m + \xi^2}` in km/s; giants are more turbulent.

    Args:
        star: The stars.
        mass: Atomic mass of every line's element.
    """
    hot = torch.sigmoid((star.teff - 9000) / 1500)
    turbulence = 2.0 + 0.15 * (4.44 - star.logg) + 2.5 * hot
    return (0.01663 * star.teff[:, None] / mass + turbulence.square()[:, None]).sqrt()


def damping(star: Atmosphere) -> Float[Tensor, " star"]:
    """Damping parameter a of the Voigt profile, by collisions with atoms and electrons."""
    return 10 ** (star.log_gas_pressure - 7.0) + 10 ** (star.log_electron_density - 16.5)


def curve_of_growth(
    centre: Float[Tensor, "star line"], damping: Float[Tensor, "star 1"]
) -> tuple[Float[Tensor, "star line"], Float[Tensor, "star line"]]:
    r"""Equivalent widths of core and wings in Doppler widths.

    The core follows :math:`\sqrt\pi\,\eta` while it is thin and :math:`2\sqrt{\ln\eta}` once it
    is saturated; the wings :math:`\sqrt{\pi^{3/2} a \eta}` once they are thick.

    Args:
        centre: Ratio of line to continuous opacity at the centre.
        damping: Damping parameter a.

    Returns:
        Widths of the core and of the wings.

    References:
        Gray 2005, chapter 16.
    """
    thin = math.sqrt(math.pi) * centre
    flat = 2 * torch.log(math.e + centre).sqrt()
    thick = damping * centre
    core = thin / (1 + (thin / flat).square()).sqrt()
    return core, math.pi**0.75 * thick**1.5 / (1 + thick)


def minnaert(
    offset: Float[Tensor, " pix"],
    width: Float[Tensor, " star"],
    deepest: Float[Tensor, " star"],
    sigma: float,
) -> Float[Tensor, "star pix"]:
    r"""Depth of damping wings.

    .. math:: R = R_0 \frac{h}{\sqrt{h^2 + \sigma^2}} \frac{1}{1 + x^2 / (h^2 + \sigma^2)},
        \quad h = \frac{W}{\pi R_0}

    Minnaert's formula, with an area that stays the equivalent width W when the wings are
    narrower than the profile that lines are drawn with.

    Args:
        offset: Distance x from the line in Angstrom.
        width: Equivalent width W in Angstrom.
        deepest: Depth R0 of a saturated line.
        sigma: Standard deviation of a drawn line in Angstrom.
    """
    half = (width / (math.pi * deepest))[:, None]
    broad = half.square() + sigma**2
    return deepest[:, None] * half / broad.sqrt() / (1 + offset.square() / broad)
