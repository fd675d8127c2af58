"""The fit with its settings: a metric, and optimisers one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.likelihood.exact import Metric
from torchfit.optimise.problem import Fit, Optimiser, Problem
from torchfit.optimise.subspace import Subspace
from torchfit.spectra import Spectra


@dataclass(frozen=True)
class Fitted:
    """Stars after the fit.

    Args:
        problem: What was minimised.
        fit: Where it ended.
        clipped: Outliers that had no say.
        score: Outlier score of every star; NaN where outliers are not looked for.
    """

    problem: Problem
    fit: Fit
    clipped: Bool[Tensor, "star pix"]
    score: Float[Tensor, " star"]


@dataclass(frozen=True)
class Fitting:
    """Settings of the fit.

    Args:
        metric: How residuals are weighed.
        optimisers: Run in this order, each from where the last has stopped; none at all leaves
            the start labels.
    """

    metric: Metric
    optimisers: Mapping[str, Optimiser]

    @property
    def moves_groups(self) -> bool:
        """Whether any optimiser needs the label-PCA space of the groups."""
        return any(optimiser.moves_groups for optimiser in self.optimisers.values())

    @property
    def wants_matches(self) -> bool:
        """Whether any optimiser needs more of the matching than start labels."""
        starts = [getattr(optimiser, "n_starts", 1) for optimiser in self.optimisers.values()]
        return self.moves_groups or max(starts, default=1) > 1

    @property
    def exact(self) -> "Fitting":
        """The same with the exact metric, for stars that a common one is not for."""
        return replace(self, metric=self.metric.exact)

    def fit(
        self,
        emulator: Emulator,
        spectra: Spectra,
        start: Float[Tensor, "star label"],
        subspace: Subspace | None,
        candidates: Float[Tensor, "star cand label"] | None = None,
    ) -> "Fitted":
        """Fit stars.

        Args:
            emulator: At the resolution of the spectra.
            spectra: Normalised spectra, float64.
            start: Start labels.
            subspace: Label-PCA spaces of the stars' groups.
            candidates: Unit labels of the best templates of each star.

        Returns:
            The problem, for derivatives at the solution, the fit, and the outliers.
        """
        folded = self.metric.fold(emulator, spectra, start)
        dtype = folded.objective.dtype
        lower, upper = (corner.to(dtype) for corner in emulator.bounds)
        problem = Problem(folded.objective, lower, upper, subspace, candidates)
        fit = Fit.at_start(problem, emulator.scaler.to_unit(start).to(dtype))
        for optimiser in self.optimisers.values():
            fit = optimiser.minimise(problem, fit)
        return Fitted(problem, fit.to(torch.float64), folded.clipped, folded.score)
