"""The recommended sample: the stars whose labels can be used without a second look."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from torchfit.catalogue.schema import labels_among
from torchfit.exceptions import ConfigError
from torchfit.files.table_pieces import Table
from torchfit.flags.bits import ResultFlag
from torchfit.flags.judgement import finite
from torchfit.flags.survey_rules import FLAG_ALPHA_FE, FLAG_CHI2, FLAG_SNR

COLUMNS = (FLAG_SNR, FLAG_CHI2, FLAG_ALPHA_FE)
"""The flags of the survey that a sample can be cut by."""


@dataclass(frozen=True)
class Recommendation:
    """Which stars are recommended.

    A flag that is not known excludes nobody: a survey without S/N is judged by the rest.

    Args:
        excluded_bits: Names of bits of ``flags``, each of which excludes a star.
        excluded_flags: Those of the survey's flags whose 1 excludes a star.

    Raises:
        ConfigError: If a name is unknown.
    """

    excluded_bits: Sequence[str]
    excluded_flags: Sequence[str]

    def __post_init__(self) -> None:
        known = [flag.name for flag in ResultFlag]
        for name, value, names in (
            ("excluded_bits", self.excluded_bits, known),
            ("excluded_flags", self.excluded_flags, COLUMNS),
        ):
            if not set(value) <= set(names):
                raise ConfigError(
                    f"catalogue.recommended.{name}={list(value)}: use {', '.join(map(str, names))}"
                )

    def select(self, table: Table) -> Bool[np.ndarray, " star"]:
        """Say which stars are recommended.

        Args:
            table: The catalogue.

        Returns:
            True for a star with finite labels that nothing excludes.
        """
        bits = sum(int(ResultFlag[name]) for name in self.excluded_bits)
        chosen = (table["flags"].to_numpy(dtype=np.int64) & bits) == 0
        for name in self.excluded_flags:
            chosen &= table[name].to_numpy(dtype=np.int64, na_value=0) != 1
        return chosen & finite(table, labels_among([str(name) for name in table]))
