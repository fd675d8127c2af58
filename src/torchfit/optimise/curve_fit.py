"""scipy's curve_fit, star by star: slow, and the reference everyone trusts."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import least_squares
from torch import Tensor

from torchfit.optimise.fit import STOP_REASONS, Fit, Problem, StopReason
from torchfit.optimise.objective import Objective

CONVERGED, EXHAUSTED, SINGULAR = (
    STOP_REASONS.index(reason)
    for reason in (StopReason.CONVERGED, StopReason.MAX_ITERATIONS, StopReason.SINGULAR)
)


@dataclass(frozen=True)
class CurveFit:
    r"""Trust-region least squares of scipy on the same loss, one star after the other.

    This is what ``scipy.optimize.curve_fit`` calls when it is given bounds. The quadratic form
    becomes a sum of squares by :math:`P = U^T U`: residuals :math:`U f(x) - U^{-T} v` and
    :math:`\Lambda^{1/2} (x - x_0)`.

    Args:
        max_evaluations: Most evaluations of a star.
        tolerance: Relative change of the loss, of the labels and of the gradient that counts.

    References:
        Branch, Coleman & Li 1999, SIAM J. Sci. Comput. 21, 1.
    """

    max_evaluations: int = 200
    tolerance: float = 1e-8

    def minimise(self, problem: Problem, start: Fit) -> Fit:
        """Refine every star; see :class:`torchfit.optimise.fit.Optimiser`."""
        fits = [self._fit_star(problem, start, star) for star in range(len(start.loss))]
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

    def _fit_star(self, problem: Problem, start: Fit, star: int) -> tuple[Tensor, int, int]:
        """Labels, number of evaluations and stop reason of one star."""
        objective = problem.objective[torch.tensor([star])]
        if not bool(start.loss[star].isfinite()):
            return start.unit[star].cpu(), 0, SINGULAR
        residuals = _Residuals(objective)
        # scipy wants its start strictly inside the box.
        margin = 1e-9 * (problem.upper - problem.lower)
        inside = start.unit[star].clamp(problem.lower + margin, problem.upper - margin)
        found = least_squares(
            residuals.value,
            inside.cpu().numpy(),
            jac=residuals.jacobian,
            bounds=(problem.lower.cpu().numpy(), problem.upper.cpu().numpy()),
            ftol=self.tolerance,
            xtol=self.tolerance,
            gtol=self.tolerance,
            max_nfev=self.max_evaluations,
        )
        return torch.from_numpy(found.x), found.nfev, CONVERGED if found.status > 0 else EXHAUSTED


class _Residuals:
    """The loss of one star as a sum of squares."""

    def __init__(self, objective: Objective) -> None:
        self.gp = objective.gp
        value, vector = torch.linalg.eigh(objective.precision[0])
        kept = value > 1e-12 * value.max()
        self.root = (vector[:, kept] * value[kept].sqrt()).mT
        self.target = (vector[:, kept] / value[kept].sqrt()).mT @ objective.linear[0]
        self.centre = objective.prior.mean[0]
        self.prior_root = _square_root(objective.prior.precision[0])

    def value(self, x: np.ndarray) -> np.ndarray:
        """Residuals at unit labels ``x``."""
        unit = torch.from_numpy(x).to(self.centre)
        fit = self.root @ self.gp.mean(unit[None])[0] - self.target
        return torch.cat([fit, self.prior_root @ (unit - self.centre)]).cpu().numpy()

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """Derivatives of the residuals."""
        _, jacobian = self.gp.mean_and_jacobian(torch.from_numpy(x).to(self.centre)[None])
        return torch.cat([self.root @ jacobian[0], self.prior_root]).cpu().numpy()


def _square_root(matrix: Float[Tensor, "dim dim"]) -> Float[Tensor, "dim dim"]:
    """R with R^T R = matrix, for a matrix that may be zero."""
    value, vector = torch.linalg.eigh(matrix)
    return value.clamp_min(0).sqrt()[:, None] * vector.mT
