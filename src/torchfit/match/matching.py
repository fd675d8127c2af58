"""The matching of a survey with its settings."""

from dataclasses import dataclass, field
from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.library.library import Library
from torchfit.match.matched_sets import PriorIntervals, matched_sets
from torchfit.match.start import start_labels


@dataclass(frozen=True)
class Matching:
    """Settings of the matching.

    Args:
        t: Number of matched label sets per star.
        n_best: Number of best templates averaged for the start labels.
        prior: Half-widths of the intervals the matched sets come from.
        space: What is correlated: ``pixels``, or flux ``components``, twenty times faster and with
            less noise.
        scatter: Scatter of flux about the best template, in units of the continuum: pixels weigh
            1 / (1/ivar + scatter^2) in the correlation. ``None`` weighs all alike.

    Raises:
        ConfigError: If a number is not positive or the space unknown.
    """

    t: int = 100
    n_best: int = 5
    prior: PriorIntervals = field(default_factory=PriorIntervals)
    space: Literal["pixels", "components"] = "pixels"
    scatter: float | None = 0.03

    def __post_init__(self) -> None:
        if self.t < 1 or self.n_best < 1:
            raise ConfigError(f"match: t={self.t} and n_best={self.n_best} must be at least 1")
        if self.space not in ("pixels", "components"):
            raise ConfigError(f"match.space={self.space} is unknown; use pixels or components")
        if self.scatter is not None and self.scatter <= 0:
            raise ConfigError(f"match.scatter={self.scatter} must be positive, or null")

    def start(
        self, cfi: Float[Tensor, "star template"], library: Library
    ) -> Float[Tensor, "star label"]:
        """Start labels of stars with known correlations."""
        return start_labels(cfi, library.labels, self.n_best)

    def sets(
        self,
        cfi: Float[Tensor, "star template"],
        library: Library,
        start: Float[Tensor, "star label"],
    ) -> tuple[Int[Tensor, "star t"], Float[Tensor, "star label"]]:
        """Matched sets, and the half-widths of the intervals they come from."""
        widths = self.prior.half_widths(start[:, 0], library.label_names, library.labels)
        return matched_sets(cfi, library.labels, start, widths, self.t), widths
