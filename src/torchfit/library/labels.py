"""Which labels a library has: those that torchfit knows, and any others that are described."""

import keyword
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import astropy.units as u

from torchfit.exceptions import ConfigError
from torchfit.names import FE_H, LABELS, LOGG, QUANTITIES, TEFF, Label

_NAME = re.compile(r"(?!e_)[a-z][a-z0-9_]*")
_ENDINGS = (
    "start", "group", "lit", "fisher", "sys", "ran", "mean", "std", "p16", "p50", "p84",
    "lower95", "lower68", "upper68", "upper95",
)  # fmt: skip
"""What follows the name of a label in names of columns."""
TAKEN = frozenset({
    "axes", "columns", "errors", "explain", "exposures", "flags", "flux", "ivar", "label_names",
    "labels", "measured", "model", "names", "one", "plot", "redshifts", "return_cov", "return_std",
    "self", "to_pandas", "to_table", "velocities", "warn", "wave",
})  # fmt: skip
"""Words that mean something else where labels are attributes and arguments."""


@dataclass(frozen=True)
class LabelDescription:
    """What is said of a label that torchfit does not know.

    Args:
        unit: Unit in the spelling of FITS; empty when dimensionless.
        text: A few words in ASCII that say what it is; the name if empty.
        range: Lowest and highest value of library stars.

    Raises:
        ConfigError: If astropy has no such unit, the text is not in ASCII, or the range has not two
            ends in order.
    """

    unit: str = ""
    text: str = ""
    range: Sequence[float] = (-math.inf, math.inf)

    def __post_init__(self) -> None:
        try:
            u.Unit(self.unit)
        except (ValueError, TypeError) as error:
            raise ConfigError(f"library.labels: astropy knows no unit {self.unit!r}") from error
        if not self.text.isascii():
            raise ConfigError(f"library.labels: text={self.text!r} must be in ASCII, as FITS is")
        if len(self.range) != 2 or not self.range[0] < self.range[1]:
            raise ConfigError(f"library.labels: range={list(self.range)} must be [lowest, highest]")


def described(entries: Mapping[str, Any]) -> dict[str, LabelDescription]:
    """Read what a configuration says of labels.

    Args:
        entries: ``unit``, ``text`` and ``range`` by label, each of which may be left out.

    Returns:
        Descriptions by label.

    Raises:
        ConfigError: If an entry has other keys, or :class:`LabelDescription` refuses it.
    """
    return {name: _description(name, entry) for name, entry in entries.items()}


def _description(name: str, entry: Any) -> LabelDescription:
    known = LabelDescription.__dataclass_fields__.keys()
    try:
        settings = dict(entry)
        if "range" in settings:
            settings["range"] = [float(end) for end in settings["range"]]
        if settings.keys() <= known:
            return LabelDescription(**settings)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"library.labels.{name}={entry}: give {', '.join(known)}") from error
    raise ConfigError(f"library.labels.{name}={entry}: give {', '.join(known)}")


def labels_of(
    names: Sequence[str], descriptions: Mapping[str, LabelDescription]
) -> tuple[Label, ...]:
    """Put the labels of a library in order: those of :data:`torchfit.names.LABELS`, then others.

    Args:
        names: The labels, in any order.
        descriptions: What is said of those that torchfit does not know.

    Returns:
        The labels with unit and meaning.

    Raises:
        ConfigError: If a name cannot be one, is taken, or stands twice, the temperature, gravity
            or metallicity is missing, or a description is of no label.
    """
    missing = [name for name in (TEFF, LOGG, FE_H) if name not in names]
    if missing or len(set(names)) < len(names):
        wrong = f"{', '.join(missing)} missing" if missing else "one stands twice"
        raise ConfigError(f"library labels {', '.join(names)}: {wrong}")
    if unused := descriptions.keys() - set(names):
        raise ConfigError(
            f"library.labels describes {', '.join(sorted(unused))}, which library.cuts.label_names "
            "does not name"
        )
    others = [name for name in names if name not in QUANTITIES]
    for name in others:
        _demand_name(name)
    own = [Label(name, each.unit, each.text) for name, each in _each(others, descriptions)]
    return (*(QUANTITIES[name] for name in LABELS if name in names), *own)


def _each(
    names: Sequence[str], descriptions: Mapping[str, LabelDescription]
) -> list[tuple[str, LabelDescription]]:
    return [(name, descriptions.get(name, LabelDescription())) for name in names]


def _demand_name(name: str) -> None:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ConfigError(
            f"{name!r} cannot be the name of a label: use small letters, digits and underscores, "
            "a letter first, no e_ before it"
        )
    if name in TAKEN or name.endswith(tuple(f"_{end}" for end in _ENDINGS)):
        raise ConfigError(f"{name!r} cannot be the name of a label: it means something else here")
