"""Levenberg-Marquardt for every star by itself, all stars in one batch."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.optimise.problem import STOP_REASONS, Fit, Problem, StopReason

CONVERGED, SINGULAR, EXHAUSTED = (
    STOP_REASONS.index(reason)
    for reason in (StopReason.CONVERGED, StopReason.SINGULAR, StopReason.MAX_ITERATIONS)
)
DAMPING_RANGE = (1e-4, 1e9)
NEWTON_DAMPING = 0.1
"""Damping below which a step is nearly a Newton step."""
RESTING_SHARE = 0.3
"""Share of stars at rest at which the others are gathered again."""


@dataclass(frozen=True)
class LevenbergMarquardt:
    r"""Damped Newton steps, :math:`(H + S + \lambda\,\mathrm{diag} H)\,\delta = -g`.

    H is the Gauss-Newton Hessian with the exact derivatives of the emulator's mean. S learns what
    it leaves out, the curvature of the model itself, from the change of the gradient over each
    step, refused ones too (the symmetric rank-one formula): without it one star in ten creeps for
    dozens of steps.
    Where H + S is not positive definite the step is that of H alone. Each star has its own damping
    and its own stop. A label that stands on the edge of the box and is pushed outward is held
    there.

    Args:
        max_iterations: Most iterations of a star.
        tolerance: A star has converged when a step changes its loss, or is bound to change it, by
            less than this share of 1 + loss, or no damping finds a lower loss.
        damping: First damping.
        n_starts: Places to start from, the lowest end counts: the start, then the labels of the
            star's best templates. (On MILES 2 % of the stars have a second minimum, and it is no
            better.)

    References:
        Marquardt 1963, J. SIAM 11, 431; Dennis, Gay & Welsch 1981, ACM TOMS 7, 348; Nocedal &
        Wright 2006, sections 6.2 and 10.3.
    """

    max_iterations: int = 100
    tolerance: float = 1e-8
    damping: float = 1e-2
    n_starts: int = 1

    def __post_init__(self) -> None:
        if self.n_starts < 1:
            raise ConfigError(f"optimise: n_starts={self.n_starts} must be at least 1")

    @property
    def moves_groups(self) -> bool:
        """Every star moves by itself."""
        return False

    def minimise(self, problem: Problem, start: Fit) -> Fit:
        """Refine every star; see :class:`torchfit.optimise.problem.Optimiser`."""
        fit = self._descend(problem, start)
        others = [] if problem.candidates is None else problem.candidates.unbind(dim=1)
        for unit in others[: self.n_starts - 1]:
            fit = fit.or_lower(self._descend(problem, Fit.at_start(problem, unit)))
        return fit

    def _descend(self, problem: Problem, start: Fit) -> Fit:
        descent = _Descent(problem, start, self.damping)
        rounding = 4 * torch.finfo(problem.objective.dtype).eps
        descent.run(self.max_iterations, max(self.tolerance, rounding))
        return descent.fit(start)


class _Descent:
    """The descent of all stars. When many rest, the others are gathered."""

    def __init__(self, problem: Problem, start: Fit, damping: float) -> None:
        self.objective = problem.objective
        dtype = self.objective.dtype
        self.box = problem.lower, problem.upper
        self.lower, self.upper = problem.lower.to(dtype), problem.upper.to(dtype)
        self.unit = start.unit.to(dtype, copy=True)
        self.loss, self.gradient, self.hessian = self.objective.at_start(self.unit).of_change()
        self.constant = self.objective.constant
        self.secant = torch.zeros_like(self.hessian)
        self.damping = torch.full_like(self.loss, damping)
        self.iterations = torch.zeros_like(start.iterations)
        finite = (self.loss + self.constant).isfinite()
        self.stop = torch.where(finite, EXHAUSTED, SINGULAR)
        self.moving = finite.clone()
        self.star = torch.arange(len(finite), device=finite.device)
        self._gather()

    def run(self, max_iterations: int, tolerance: float) -> None:
        """Step until every star rests or has used up its iterations."""
        for _ in range(max_iterations):
            if self.moving[self.star].double().mean() < 1 - RESTING_SHARE:
                self._gather()
            if not len(self.star):
                break
            self._step(tolerance)

    def fit(self, start: Fit) -> Fit:
        """The result so far."""
        count = self.iterations
        return Fit(
            # A corner of the box in single precision may lie outside it.
            self.unit.double().clamp(*self.box),
            (self.loss + self.constant).double(),
            start.iterations + count,
            start.evaluations + count,
            self.stop,
        )

    def _gather(self) -> None:
        """Keep only the stars that move."""
        moving = self.moving[self.star].nonzero()[:, 0]
        if len(moving) < len(self.star):
            self.star, self.objective = self.star[moving], self.objective[moving]

    def _step(self, tolerance: float) -> None:
        """Try one step of every star."""
        star = self.star
        trial, predicted, solvable = self._propose()
        whole = (self.loss + self.constant)[star].abs()
        least = tolerance * (1 + whole)
        # A damped step says little of what is left to gain.
        arrived = solvable & (predicted <= least) & (self.damping[star] < NEWTON_DAMPING)
        self._rest(self.moving[star] & arrived, solvable)
        moving, before = self.moving[star], self.unit[star]
        loss, gradient, hessian = self.objective.at(trial).of_change()
        gain = self.loss[star] - loss
        better = moving & solvable & (gain > 0)
        there = torch.where(better[:, None, None], hessian, self.hessian[star])
        known = moving & solvable & loss.isfinite()
        self._learn_curvature(known, trial - before, gradient, there)
        # A mask would have an accelerator count it, five times a step.
        self.unit[star] = torch.where(better[:, None], trial, before)
        self.loss[star] = torch.where(better, loss, self.loss[star])
        self.gradient[star] = torch.where(better[:, None], gradient, self.gradient[star])
        self.hessian[star] = there
        damping = (self.damping[star] * torch.where(better, 0.2, 5.0)).clamp(*DAMPING_RANGE)
        self.damping[star] = torch.where(moving, damping, self.damping[star])
        self.iterations[star] += moving
        small = solvable & (gain.abs() <= least)
        self._rest(moving & (small | (damping >= DAMPING_RANGE[1])), solvable)

    def _propose(
        self,
    ) -> tuple[Float[Tensor, "work label"], Float[Tensor, " work"], Bool[Tensor, " work"]]:
        """Next point of every star, what it should gain, and whether its equations are solvable."""
        star = self.star
        unit, gradient, hessian = self.unit[star], self.gradient[star], self.hessian[star]
        held = (unit <= self.lower) & (gradient > 0) | (unit >= self.upper) & (gradient < 0)
        free = (~held).to(unit)
        diagonal = self.damping[star, None] * hessian.diagonal(dim1=1, dim2=2) * free
        extra = torch.diag_embed(diagonal + 1 - free)
        both = free[:, :, None] * free[:, None, :]
        factor, failed = torch.linalg.cholesky_ex((hessian + self.secant[star]) * both + extra)
        if failed.any():
            plain, still = torch.linalg.cholesky_ex(hessian * both + extra)
            factor = torch.where((failed > 0)[:, None, None], plain, factor)
            failed = torch.where(failed > 0, still, failed)
        step = torch.cholesky_solve((gradient * free)[:, :, None], factor)[:, :, 0]
        solvable = (failed == 0) & step.isfinite().all(dim=1)
        step = torch.where(solvable[:, None], step, 0.0)
        trial = (unit - step).clamp(self.lower, self.upper)
        return trial, (gradient * step).sum(dim=1), solvable

    def _learn_curvature(
        self,
        known: Bool[Tensor, " work"],
        step: Float[Tensor, "work label"],
        gradient: Float[Tensor, "work label"],
        hessian: Float[Tensor, "work label label"],
    ) -> None:
        r"""Symmetric rank-one update: :math:`S \mathrel{+}= u u^T / u^T \delta`.

        With :math:`u = \Delta g - (H + S)\,\delta` and the H of where the star goes on; left out
        where the divisor is nearly 0.
        """
        star, secant = self.star, self.secant
        change = gradient - self.gradient[star]
        left = change - ((hessian + secant[star]) @ step[:, :, None])[:, :, 0]
        divisor = (left * step).sum(dim=1)
        size = left.norm(dim=1) * step.norm(dim=1)
        usable = known & (divisor.abs() > 1e-8 * size)
        update = left[:, :, None] * left[:, None, :] / divisor[:, None, None]
        secant[star] += torch.where(usable[:, None, None], update, 0.0)

    def _rest(self, done: Bool[Tensor, " work"], solvable: Bool[Tensor, " work"]) -> None:
        """Let finished stars rest."""
        star = self.star
        stop = torch.where(solvable, CONVERGED, SINGULAR)
        self.stop[star] = torch.where(done, stop, self.stop[star])
        self.moving[star] = self.moving[star] & ~done
