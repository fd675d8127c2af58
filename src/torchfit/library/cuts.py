"""Which stars of a library train the emulator."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torchfit.spectra import StarInfo


@dataclass(frozen=True)
class LabelBox:
    """Keep the stars that have every label, inside closed limits.

    Args:
        label_names: Labels that a star must have.
        limits: Lowest and highest value by label; a label without limits is free.
        exclude: Names of stars to leave out.
        max_errors: Largest error by label; a star whose error is larger or not known is left out.
    """

    label_names: Sequence[str]
    limits: Mapping[str, Sequence[float]] = field(default_factory=dict)
    exclude: Sequence[str] = ()
    max_errors: Mapping[str, float] = field(default_factory=dict)

    def keeps(self, info: StarInfo) -> bool:
        """Tell whether a star stays in the library.

        Args:
            info: What is known of the star.

        Returns:
            True when the star has all labels and lies inside the box.
        """
        if info.name in self.exclude:
            return False
        if any(
            not info.label_errors.get(name, math.inf) <= error
            for name, error in self.max_errors.items()
        ):
            return False
        return all(self._inside(name, info.labels.get(name, math.nan)) for name in self.label_names)

    def _inside(self, name: str, value: float) -> bool:
        low, high = self.limits.get(name, (-math.inf, math.inf))
        return low <= value <= high
