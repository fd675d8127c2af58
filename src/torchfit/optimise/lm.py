"""Levenberg-Marquardt for every star by itself, all stars in one batch."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchfit.optimise.fit import STOP_REASONS, Fit, Problem, StopReason
from torchfit.optimise.objective import Objective

CONVERGED, SINGULAR, EXHAUSTED = (
    STOP_REASONS.index(reason)
    for reason in (StopReason.CONVERGED, StopReason.SINGULAR, StopReason.MAX_ITERATIONS)
)
DAMPING_RANGE = (1e-9, 1e9)


@dataclass(frozen=True)
class LevenbergMarquardt:
    r"""Damped Gauss-Newton steps, :math:`(H + \lambda\,\mathrm{diag} H)\,\delta = -g`.

    Each star has its own damping and its own stop. A label that stands on the edge of the box and
    is pushed outward is held there. The derivatives are those of the emulator's mean, exact.

    Args:
        max_iterations: Most iterations of a star.
        tolerance: A star has converged when a step changes its loss by less than this share of
            1 + loss, or no damping finds a lower loss.
        damping: First damping.

    References:
        Marquardt 1963, J. SIAM 11, 431; Nocedal & Wright 2006, section 10.3.
    """

    max_iterations: int = 100
    tolerance: float = 1e-8
    damping: float = 1e-2

    def minimise(self, problem: Problem, start: Fit) -> Fit:
        """Refine every star; see :class:`torchfit.optimise.fit.Optimiser`."""
        state = _State(problem, start, self.damping)
        for _ in range(self.max_iterations):
            if not len(state.active):
                break
            state.step(self.tolerance)
        return state.fit()


class _State:
    """Where every star stands; only active stars are worked on."""

    def __init__(self, problem: Problem, start: Fit, damping: float) -> None:
        self.problem = problem
        self.unit = start.unit.clone()
        self.loss, self.gradient, self.hessian = problem.objective.derivatives(self.unit)
        self.damping = torch.full_like(self.loss, damping)
        self.iterations, self.evaluations = start.iterations.clone(), start.evaluations.clone()
        self.stop = torch.full_like(start.stop, EXHAUSTED)
        finite = self.loss.isfinite()
        self.stop[~finite] = SINGULAR
        self.active = finite.nonzero()[:, 0]

    def step(self, tolerance: float) -> None:
        """Try one step of every active star."""
        star = self.active
        trial, solvable = self._propose()
        objective: Objective = self.problem.objective[star]
        loss, gradient, hessian = objective.derivatives(trial)
        gain = self.loss[star] - loss
        better = solvable & (gain > 0)
        small = gain.abs() <= tolerance * (1 + self.loss[star].abs())
        taken = star[better]
        self.unit[taken], self.loss[taken] = trial[better], loss[better]
        self.gradient[taken], self.hessian[taken] = gradient[better], hessian[better]
        factor = torch.where(better, 0.2, 5.0)
        self.damping[star] = (self.damping[star] * factor).clamp(*DAMPING_RANGE)
        self.iterations[star] += 1
        self.evaluations[star] += 1
        stuck = self.damping[star] >= DAMPING_RANGE[1]
        self._retire(small & solvable | stuck, solvable)

    def _propose(self) -> tuple[Float[Tensor, "active label"], Bool[Tensor, " active"]]:
        """Next point of every active star, and whether its equations could be solved."""
        star = self.active
        unit, gradient, hessian = self.unit[star], self.gradient[star], self.hessian[star]
        lower, upper = self.problem.lower, self.problem.upper
        held = ((unit <= lower) & (gradient > 0)) | ((unit >= upper) & (gradient < 0))
        free = (~held).to(unit)
        diagonal = hessian.diagonal(dim1=1, dim2=2)
        matrix = hessian * free[:, :, None] * free[:, None, :] + torch.diag_embed(
            self.damping[star, None] * diagonal * free + (1 - free)
        )
        step, info = torch.linalg.solve_ex(matrix, (gradient * free)[:, :, None])
        solvable = (info == 0) & step.isfinite().all(dim=1)[:, 0]
        step = torch.where(solvable[:, None], step[:, :, 0], 0.0)
        return (unit - step).clamp(lower, upper), solvable

    def _retire(self, done: Bool[Tensor, " active"], solvable: Bool[Tensor, " active"]) -> None:
        """Take finished stars out of the active ones."""
        star = self.active
        self.stop[star[done]] = torch.where(solvable[done], CONVERGED, SINGULAR)
        self.active = star[~done]

    def fit(self) -> Fit:
        """The result so far."""
        return Fit(self.unit, self.loss, self.iterations, self.evaluations, self.stop)
