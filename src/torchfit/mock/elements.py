"""How many atoms of every element are in every stage of ionisation."""

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.mock.atmosphere import LN_10, Atmosphere, log_ionisation_ratio
from torchfit.mock.tables import numbers, read_table

ELEMENTS = "elements.csv"
HELIUM = "He"


def element_rows(names: list[str]) -> list[int]:
    """Rows of elements.csv for the symbols of elements."""
    known = read_table(ELEMENTS)["element"]
    return [known.index(name) for name in names]


def log_populations(star: Atmosphere) -> Float[Tensor, "star element stage"]:
    r"""Logarithm of :math:`N_r / (U_r N_H)` for the first four stages of every element.

    The abundances are solar (Asplund et al. 2009) plus [Fe/H], plus [alpha/Fe] for O, Mg, Si,
    Ca, Ti; helium keeps its own. Partition functions are taken as constant.

    Args:
        star: The stars.

    Returns:
        Populations in the order of elements.csv.
    """
    energy = _columns(star, "chi1", "chi2", "chi3")
    partition = _columns(star, "u0", "u1", "u2", "u3")
    ratio = log_ionisation_ratio(
        star.theta_line[:, None, None],
        star.log_electron_pressure[:, None, None],
        energy,
        partition[:, 1:] / partition[:, :-1],
    )
    ladder = torch.nn.functional.pad(ratio, (1, 0)).cumsum(dim=-1)
    share = torch.log_softmax(LN_10 * ladder, dim=-1) / LN_10
    return share + _log_abundance(star)[:, :, None] - partition.log10()


def _log_abundance(star: Atmosphere) -> Float[Tensor, "star element"]:
    """Logarithm of atoms per hydrogen nucleus."""
    solar, alpha = _columns(star, "abundance", "alpha").unbind(dim=1)
    is_metal = solar.new_tensor([name != HELIUM for name in read_table(ELEMENTS)["element"]])
    metals = is_metal * star.fe_h[:, None] + alpha * star.alpha_fe[:, None]
    return solar - 12 + metals


def _columns(star: Atmosphere, *names: str) -> Float[Tensor, "element column"]:
    table = [numbers(ELEMENTS, name) for name in names]
    return torch.tensor(table, dtype=star.teff.dtype, device=star.teff.device).T
