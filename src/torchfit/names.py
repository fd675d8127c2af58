"""Every quantity once: its name, unit, and meaning.

The rest of the package spells a quantity by importing it from here, so that a
stellar parameter has one name from the reader to the catalogue. Survey spellings
(``feh``, ``m_h``, ``LOG_G``) are translated in :mod:`torchfit.surveys` alone.
"""

from dataclasses import dataclass

TEFF = "teff"
LOGG = "logg"
FE_H = "fe_h"
ALPHA_FE = "alpha_fe"

LABELS = (TEFF, LOGG, FE_H, ALPHA_FE)
"""The stellar labels in their fixed order; a library carries the first three or all four."""

SPEED_OF_LIGHT = 299792.458
"""Speed of light in km/s (exact)."""

FWHM_PER_SIGMA = 2.3548200450309493
"""Full width at half maximum of a Gaussian of unit standard deviation, 2 sqrt(2 ln 2)."""

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a Gaussian over its median absolute deviation."""


@dataclass(frozen=True)
class Quantity:
    """A named physical quantity.

    Args:
        name: Column and attribute name.
        unit: Unit in FITS spelling; empty when dimensionless.
        text: One sentence that says what it is.
    """

    name: str
    unit: str
    text: str


QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        Quantity(TEFF, "K", "Effective temperature"),
        Quantity(LOGG, "dex(cm/s2)", "Logarithm of the surface gravity"),
        Quantity(FE_H, "dex", "Iron abundance relative to the Sun, [Fe/H]"),
        Quantity(ALPHA_FE, "dex", "Alpha-element abundance relative to iron, [alpha/Fe]"),
    )
}
"""The labels with unit and meaning, by name."""
