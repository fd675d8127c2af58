"""The fit with its settings: a metric, and optimisers one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.optimise.fit import Fit, Optimiser, Problem
from torchfit.optimise.metric import Metric
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
        lower, upper = emulator.bounds
        folded = self.metric.fold(emulator, spectra, start)
        problem = Problem(folded.objective, lower, upper, subspace, candidates)
        fit = Fit.at_start(problem, emulator.scaler.to_unit(start))
        for optimiser in self.optimisers.values():
            fit = optimiser.minimise(problem, fit)
        return Fitted(problem, fit, folded.clipped, folded.score)
