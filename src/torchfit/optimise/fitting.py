"""The fit with its settings: a metric, and optimisers one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.optimise.fit import Fit, Optimiser, Problem
from torchfit.optimise.metric import Metric
from torchfit.optimise.subspace import Subspace
from torchfit.spectra import Spectra


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

    def fit(
        self,
        emulator: Emulator,
        spectra: Spectra,
        start: Float[Tensor, "star label"],
        subspace: Subspace,
    ) -> tuple[Problem, Fit]:
        """Fit stars.

        Args:
            emulator: At the resolution of the spectra.
            spectra: Normalised spectra, float64.
            start: Start labels.
            subspace: Label-PCA spaces of the stars' groups.

        Returns:
            The problem, for derivatives at the solution, and the fit.
        """
        lower, upper = emulator.bounds
        problem = Problem(self.metric.objective(emulator, spectra, start), lower, upper, subspace)
        fit = Fit.at_start(problem, emulator.scaler.to_unit(start))
        for optimiser in self.optimisers.values():
            fit = optimiser.minimise(problem, fit)
        return problem, fit
