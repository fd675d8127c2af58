"""Every quantity once: its name, unit, and meaning.

The rest of the package spells a quantity by importing it from here, so that a
stellar parameter has one name from the reader to the catalogue. Survey spellings
(``feh``, ``m_h``, ``LOG_G``) are translated in :mod:`torchfit.surveys` alone.
"""

TEFF = "teff"
LOGG = "logg"
FE_H = "fe_h"
ALPHA_FE = "alpha_fe"

LABELS = (TEFF, LOGG, FE_H, ALPHA_FE)
"""Stellar labels in their fixed order; a library has the first three, and others after them."""

SPEED_OF_LIGHT = 299792.458
"""Speed of light in km/s (exact)."""

FWHM_PER_SIGMA = 2.3548200450309493
"""Full width at half maximum of a Gaussian of unit standard deviation, 2 sqrt(2 ln 2)."""

WIDEST_LSF = 500.0
"""Full width at half maximum in Angstrom that no line-spread function has: who gives as much means
the resolving power."""

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a Gaussian over its median absolute deviation."""


class Label(str):
    """A stellar label: its name, which knows its unit and its meaning.

    It is the text of its name wherever a name is wanted, and equal to it.

    Args:
        name: Column and attribute name.
        unit: Unit in FITS spelling; empty when dimensionless.
        text: A few words that say what it is; the name if empty.
    """

    unit: str
    text: str

    def __new__(cls, name: str, unit: str = "", text: str = "") -> "Label":
        """Make the text, and keep the rest beside it."""
        label = super().__new__(cls, name)
        label.unit, label.text = unit, text or str(name)
        return label

    def __reduce__(self) -> tuple[type["Label"], tuple[str, str, str]]:
        """What a copy, or another process, makes it of."""
        return Label, (str(self), self.unit, self.text)


QUANTITIES = {
    str(label): label
    for label in (
        Label(TEFF, "K", "Effective temperature"),
        Label(LOGG, "dex(cm/s2)", "Logarithm of the surface gravity"),
        Label(FE_H, "dex", "Iron abundance relative to the Sun, [Fe/H]"),
        Label(ALPHA_FE, "dex", "Alpha-element abundance relative to iron, [alpha/Fe]"),
    )
}
"""The labels that torchfit knows by itself; a library may have others beside them."""


def label_of(name: str) -> Label:
    """Unit and meaning of a label.

    Args:
        name: A label, or the name of one of :data:`QUANTITIES`.

    Raises:
        KeyError: If it is plain text and torchfit does not know the label.
    """
    return name if isinstance(name, Label) else QUANTITIES[name]
