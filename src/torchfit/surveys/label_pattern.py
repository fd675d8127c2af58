"""Labels in the names of files, as makers of synthetic grids write them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from torchfit.exceptions import ConfigError

_SIGNS = {"m": "-", "p": "+"}
"""Letters that stand for signs before digits."""


@dataclass(frozen=True)
class LabelPattern:
    r"""How a file name tells the labels of its model.

    Args:
        expression: A regular expression with a named group for each label,
            ``t(?P<teff>\d+)_g(?P<logg>\d\.\d+)``. It may match anywhere in the name. A group
            holds a number, with ``m`` or ``p`` for its sign where the maker writes so. Empty for
            none.
        scale: What a number is multiplied with, by label: 0.1 for ``g45``.
        words: Value of each word that stands for one, by label: ``{fe_h: {G: 0.0}}``.

    Raises:
        ConfigError: If it is no regular expression, or has no named group.
    """

    expression: str = ""
    scale: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            groups = re.compile(self.expression).groupindex
        except re.error as error:
            raise ConfigError(
                f"library.reader.labels.names.expression={self.expression} is no regular "
                f"expression ({error})"
            ) from error
        if self.expression and not groups:
            raise ConfigError(
                f"library.reader.labels.names.expression={self.expression} has no group "
                "(?P<teff>...)"
            )

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.expression)

    def labels_of(self, name: str) -> dict[str, float] | None:
        """Labels that a name tells.

        Args:
            name: Name of a file, without folders.

        Returns:
            Values by label, those that are there; ``None`` if the name does not match.
        """
        match = self._compiled.search(name)
        if match is None:
            return None
        found = {label: text for label, text in match.groupdict().items() if text is not None}
        values = {label: self._value(label, text) for label, text in found.items()}
        return {label: value for label, value in values.items() if value is not None}

    def _value(self, label: str, text: str) -> float | None:
        """A number; ``None`` for a word that has none."""
        words = self.words.get(label, {})
        if text in words:
            return float(words[text])
        signed = _SIGNS.get(text[:1], text[:1]) + text[1:]
        try:
            return float(signed) * self.scale.get(label, 1.0) + 0.0  # No negative zero.
        except ValueError:
            return None
