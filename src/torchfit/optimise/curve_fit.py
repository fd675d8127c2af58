"""scipy's curve_fit, star by star: slow, and the reference everyone trusts."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import curve_fit
from torch import Tensor

from torchfit.emulator.predictor import Predictor
from torchfit.likelihood.objective import Objective
from torchfit.optimise.problem import STOP_REASONS, Fit, Problem, StopReason

CONVERGED, EXHAUSTED, SINGULAR = (
    STOP_REASONS.index(reason)
    for reason in (StopReason.CONVERGED, StopReason.MAX_ITERATIONS, StopReason.SINGULAR)
)


@dataclass(frozen=True)
class CurveFit:
    r"""``scipy.optimize.curve_fit`` on the same loss, one star after the other.

    The quadratic form becomes a sum of squares by :math:`P = U^T U`: the model is
    :math:`[U d(x), \Lambda^{1/2} x, w^{1/2} [\ln(\rho_{min}/\rho)]_+]`, the data are
    :math:`[U^{-T} g, \Lambda^{1/2} x_0, 0]`.

    Args:
        max_evaluations: Most evaluations of a star, those for derivatives not counted.
        tolerance: Relative change of the loss, of the labels and of the gradient that counts.
        derivatives: ``finite`` differences, as scipy takes them by itself and which share nothing
            with our own derivatives, or those ``analytic`` ones.

    References:
        Branch, Coleman & Li 1999, SIAM J. Sci. Comput. 21, 1.
    """

    max_evaluations: int = 200
    tolerance: float = 1e-8
    derivatives: Literal["finite", "analytic"] = "finite"

    @property
    def moves_groups(self) -> bool:
        """Every star moves by itself."""
        return False

    @property
    def n_starts(self) -> int:
        """The start it is given, no other."""
        return 1

    def minimise(self, problem: Problem, start: Fit) -> Fit:
        """Refine every star; see :class:`torchfit.optimise.problem.Optimiser`."""
        predictor = problem.objective.predictor.to(torch.float64)
        fits = [self._fit_star(problem, predictor, start, star) for star in range(len(start.loss))]
        unit = torch.stack([unit for unit, _, _ in fits]).to(start.unit)
        counts = torch.tensor([count for _, count, _ in fits]).to(start.iterations)
        stop = torch.tensor([stop for _, _, stop in fits]).to(start.stop)
        loss = problem.objective.loss(unit)
        better = loss < start.loss
        return Fit(
            torch.where(better[:, None], unit, start.unit),
            torch.where(better, loss, start.loss),
            start.iterations + counts,
            start.evaluations + counts,
            stop,
        )

    def _fit_star(
        self, problem: Problem, predictor: Predictor, start: Fit, star: int
    ) -> tuple[Tensor, int, int]:
        """Labels, number of evaluations and stop reason of one star."""
        if not bool(start.loss[star].isfinite()):
            return start.unit[star].cpu(), 0, SINGULAR
        squares = _SumOfSquares(problem.objective[torch.tensor([star])], predictor)
        # scipy wants its start strictly inside the box.
        margin = 1e-9 * (problem.upper - problem.lower)
        inside = start.unit[star].clamp(problem.lower + margin, problem.upper - margin)
        try:
            labels, _, info, _, _ = curve_fit(
                squares.model,
                None,
                squares.data,
                inside.cpu().numpy(),
                jac=squares.jacobian if self.derivatives == "analytic" else None,
                bounds=(problem.lower.cpu().numpy(), problem.upper.cpu().numpy()),
                full_output=True,
                ftol=self.tolerance,
                xtol=self.tolerance,
                gtol=self.tolerance,
                max_nfev=self.max_evaluations,
            )
        except RuntimeError:
            return start.unit[star].cpu(), self.max_evaluations, EXHAUSTED
        return torch.from_numpy(labels), int(info["nfev"]), CONVERGED


class _SumOfSquares:
    """The loss of one star as a sum of squares."""

    def __init__(self, objective: Objective, predictor: Predictor) -> None:
        self.predictor, self.support = predictor, objective.support
        self.origin = objective.centre[0].double()
        self.root, target = objective.form.square_root(0)
        self.prior_root = _square_root(objective.prior.precision[0].double())
        prior_target = self.prior_root @ objective.prior.mean[0].double()
        self.data = torch.cat([target, prior_target, target.new_zeros(1)]).cpu().numpy()

    def model(self, _: None, *labels: float) -> np.ndarray:
        """Model at unit labels."""
        unit = self._unit(labels)
        mean, density = self.predictor.mean_and_density(unit[None])
        offset = mean[0] - self.origin
        rows = [self.root @ offset, self.prior_root @ unit, self.support.root(density)]
        return torch.cat(rows).cpu().numpy()

    def jacobian(self, abscissa: None, *labels: float) -> np.ndarray:
        """Derivatives of the model."""
        _, jacobian, density, slope = self.predictor.derivatives(self._unit(labels)[None])
        wall = self.support.root_slope(density, slope)
        return torch.cat([self.root @ jacobian[0].mT, self.prior_root, wall]).cpu().numpy()

    def _unit(self, labels: tuple[float, ...]) -> Float[Tensor, " label"]:
        return torch.tensor(labels, dtype=self.origin.dtype, device=self.origin.device)


def _square_root(matrix: Float[Tensor, "dim dim"]) -> Float[Tensor, "dim dim"]:
    """R with R^T R = matrix, for a matrix that may be zero."""
    value, vector = torch.linalg.eigh(matrix)
    return value.clamp_min(0).sqrt()[:, None] * vector.mT
