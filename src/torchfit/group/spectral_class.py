"""The coarse spectral class that groups are made within."""

import re
from collections.abc import Sequence

import numpy as np

CLASS_LIMITS = (
    ("M", 3850.0),
    ("K", 5250.0),
    ("G", 6000.0),
    ("F", 7300.0),
    ("A", 10000.0),
    ("OB", float("inf")),
)
"""Classes with the temperature in K where each ends."""

_TYPE = re.compile(r"^(?:esd|usd|sd|d|g|s)?[:.\s]*([OBAFGKM])(?![a-zAC-HJ-UW-Z])", re.ASCII)


def spectral_classes(subclasses: Sequence[str], teff: Sequence[float] | np.ndarray) -> list[str]:
    """Coarse class of every star; see :func:`spectral_class`.

    Args:
        subclasses: Spectral types as the survey writes them.
        teff: Start temperatures in K.
    """
    return [spectral_class(each, hot) for each, hot in zip(subclasses, teff, strict=True)]


def spectral_class(subclass: str, teff: float) -> str:
    """Coarse class of a star, from its spectral type or else its temperature.

    Args:
        subclass: Spectral type as the survey writes it ("G5", "dM1", "sdF8"); may be empty or
            something else ("Non", "Carbon", "WD").
        teff: Start temperature in K, for stars without a usable type.

    Returns:
        One of M, K, G, F, A, OB.
    """
    match = _TYPE.match(subclass.strip())
    if match:
        return "OB" if match[1] in "OB" else match[1]
    return next(name for name, limit in CLASS_LIMITS if teff < limit or limit == float("inf"))
