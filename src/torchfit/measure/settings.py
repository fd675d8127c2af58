"""Every setting of a measurement, with the defaults of the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torchfit.flags.rules import Flagging
from torchfit.group.grouping import Grouping
from torchfit.likelihood.metric import Metric
from torchfit.match.matching import Matching
from torchfit.optimise.lm import LevenbergMarquardt
from torchfit.optimise.problem import Optimiser
from torchfit.uncertainty.sampling import PosteriorSampling


def _default_optimisers() -> Mapping[str, Optimiser]:
    return {"lm": LevenbergMarquardt()}


@dataclass(frozen=True)
class FitSettings:
    """How spectra are measured, whatever the emulator and the survey.

    Args:
        matching: Start labels and matched sets.
        grouping: Label PCA of the groups.
        metric: How residuals are weighted.
        optimisers: Run in this order, each from where the last has stopped; none at all leaves
            the start labels.
        flagging: Limits of the flags.
        sampling: How posteriors are sampled; ``None`` for no posterior.
    """

    matching: Matching = field(default_factory=Matching)
    grouping: Grouping = field(default_factory=Grouping)
    metric: Metric = field(default_factory=Metric)
    optimisers: Mapping[str, Optimiser] = field(default_factory=_default_optimisers)
    flagging: Flagging = field(default_factory=Flagging)
    sampling: PosteriorSampling | None = None

    @property
    def moves_groups(self) -> bool:
        """Whether any optimiser needs the label-PCA space of the groups."""
        return any(optimiser.moves_groups for optimiser in self.optimisers.values())

    @property
    def wants_matches(self) -> bool:
        """Whether any optimiser needs more of the matching than start labels."""
        return self.moves_groups or self.has_several_starts

    @property
    def has_several_starts(self) -> bool:
        """Whether any optimiser starts from a star's best templates as well."""
        return any(optimiser.n_starts > 1 for optimiser in self.optimisers.values())

    @property
    def samples(self) -> bool:
        """Whether posteriors are sampled; an unweighted sum of squares has none."""
        return self.sampling is not None and self.metric.weighted
