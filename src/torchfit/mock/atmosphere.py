"""The one layer that stands for an atmosphere: temperature, electrons, continuous opacity."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

BOLTZMANN = 1.380649e-16
"""Boltzmann constant in erg/K."""
HYDROGEN_IONISATION = 13.598
"""Ionisation energy of hydrogen in eV."""
LN_10 = math.log(10)


@dataclass(frozen=True)
class Atmosphere:
    """State of the line-forming layer of every star.

    Args:
        teff: Effective temperature in K.
        logg: Logarithm of the surface gravity in cm/s2.
        fe_h: [Fe/H] in dex.
        alpha_fe: [alpha/Fe] in dex.
    """

    teff: Float[Tensor, " star"]
    logg: Float[Tensor, " star"]
    fe_h: Float[Tensor, " star"]
    alpha_fe: Float[Tensor, " star"]

    @classmethod
    def of(cls, labels: Float[Tensor, "star label"]) -> "Atmosphere":
        """Make the atmospheres of labels in the order of :data:`torchfit.names.LABELS`."""
        return cls(*labels.unbind(dim=1))

    @cached_property
    def theta(self) -> Float[Tensor, " star"]:
        """Reciprocal temperature 5040 K / T of the continuum."""
        return 5040.0 / self.teff

    @cached_property
    def theta_line(self) -> Float[Tensor, " star"]:
        """Reciprocal temperature of the cooler layer where metal lines form, 0.92 Teff."""
        return self.theta / 0.92

    @cached_property
    def log_electron_pressure(self) -> Float[Tensor, " star"]:
        r"""Logarithm of the electron pressure in dyn/cm2.

        It rises from the few electrons that metals give in cool stars to ionised hydrogen;
        :math:`P_e \propto g^{1/3}` where H- absorbs and :math:`g^{1/2}` where hydrogen does.

        References:
            Gray 2005, The Observation and Analysis of Stellar Photospheres, chapter 9.
        """
        log_teff = self.teff.log10()
        hot = torch.sigmoid((log_teff - 3.76) / 0.065)
        hotter = 0.06 * torch.nn.functional.softplus((log_teff - 4.0) / 0.05)
        gravity = (0.33 + 0.17 * hot) * (self.logg - 4.44)
        metals = 0.33 * (1 - hot) * (self.fe_h + 0.3 * self.alpha_fe)
        return -1.0 + 4.5 * hot + hotter + gravity + metals

    @cached_property
    def log_electron_density(self) -> Float[Tensor, " star"]:
        """Logarithm of the number of electrons per cm3."""
        return self.log_electron_pressure - (BOLTZMANN * self.teff).log10()

    @cached_property
    def log_gas_pressure(self) -> Float[Tensor, " star"]:
        """Logarithm of the gas pressure in dyn/cm2: higher in cool and metal-poor dwarfs."""
        hot = torch.sigmoid((self.teff.log10() - 3.88) / 0.04)
        return 5.1 - 1.6 * hot + 0.6 * (self.logg - 4.44) - 0.3 * (1 - hot) * self.fe_h

    @cached_property
    def log_ionised_over_neutral(self) -> Float[Tensor, " star"]:
        """Logarithm of the ratio of protons to hydrogen atoms."""
        pressure = self.log_electron_pressure
        return log_ionisation_ratio(self.theta, pressure, HYDROGEN_IONISATION, 0.5)

    def log_level(self, n: int) -> Float[Tensor, " star"]:
        """Logarithm of the share of hydrogen that is neutral and in level ``n``."""
        excitation = HYDROGEN_IONISATION * (1 - 1 / n**2)
        return self.log_neutral + 2 * math.log10(n) - self.theta * excitation

    @cached_property
    def log_neutral(self) -> Float[Tensor, " star"]:
        """Logarithm of the share of hydrogen that is neutral."""
        return torch.nn.functional.logsigmoid(-LN_10 * self.log_ionised_over_neutral) / LN_10

    @cached_property
    def log_opacity(self) -> Float[Tensor, " star"]:
        r"""Logarithm of the continuous opacity at 5000 Angstrom, cm2 per hydrogen nucleus.

        The sum of the H- ion, of hydrogen in its third and fourth level, and of free electrons.

        References:
            Gray 2005, equations 8.4, 8.8, 8.12, 8.17.
        """
        neutral = 10**self.log_neutral
        negative = 1.25e-26 * 10 ** (self.log_electron_pressure + 0.754 * self.theta)
        bound = 5.2e-18 * 10 ** self.log_level(3) + 1.4e-18 * 10 ** self.log_level(4)
        free = 6.65e-25 * (1 - neutral)
        return (neutral * negative * self.theta**2.5 + bound + free).log10()


def log_ionisation_ratio(
    theta: Float[Tensor, "*#shape"],
    log_pe: Float[Tensor, "*#shape"],
    energy: float | Float[Tensor, "*#shape"],
    partition_ratio: float | Float[Tensor, "*#shape"],
) -> Float[Tensor, "*shape"]:
    r"""Logarithm of how many times more abundant the next stage of ionisation is.

    .. math:: \log\frac{N_{r+1}}{N_r} = -\log P_e - \theta\chi_r + \frac52\log T
        - 0.4772 + \log\frac{2 U_{r+1}}{U_r}

    Args:
        theta: 5040 K / T.
        log_pe: Logarithm of the electron pressure in dyn/cm2.
        energy: Ionisation energy of the lower stage in eV.
        partition_ratio: :math:`U_{r+1} / U_r`.

    Returns:
        The logarithm of the ratio.

    References:
        Saha 1920, Phil. Mag. 40, 472; Gray 2005, equation 1.20.
    """
    weight = torch.as_tensor(2.0 * partition_ratio).log10()
    return -log_pe - theta * energy + 2.5 * (5040.0 / theta).log10() - 0.4772 + weight
