"""Spectral types as the LAMOST pipeline writes them."""

_LIMITS = (
    ("M", 2800.0, 3850.0),
    ("K", 3850.0, 5250.0),
    ("G", 5250.0, 6000.0),
    ("F", 6000.0, 7300.0),
    ("A", 7300.0, 10000.0),
    ("B", 10000.0, 30000.0),
    ("O", 30000.0, 50000.0),
)
_GIANT = 3.8


def spectral_type(teff: float, logg: float) -> str:
    """Spectral type: "G5", "A2V", "dM1", "gM3".

    Args:
        teff: Effective temperature in K.
        logg: Surface gravity in dex.
    """
    letter, low, high = next(row for row in _LIMITS if teff < row[2])
    subtype = f"{letter}{min(9, int(10 * (high - teff) / (high - low)))}"
    if letter == "M":
        return ("g" if logg < _GIANT else "d") + subtype
    return subtype + _luminosity(logg) if letter == "A" else subtype


def _luminosity(logg: float) -> str:
    if logg < 3.2:
        return "III"
    return "IV" if logg < _GIANT else "V"
