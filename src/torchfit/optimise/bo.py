"""The paper's Bayesian optimisation of whole groups, many groups in one batch."""

from dataclasses import dataclass

import torch
from botorch.acquisition import UpperConfidenceBound
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.optimise.problem import STOP_REASONS, Fit, Problem, StopReason
from torchfit.optimise.subspace import Subspace
from torchfit.optimise.surrogate import climb, fit_surrogate

UNCHANGED, EXHAUSTED = (
    STOP_REASONS.index(reason) for reason in (StopReason.UNCHANGED, StopReason.MAX_ITERATIONS)
)


@dataclass(frozen=True)
class BayesianOptimisation:
    r"""Minimise each group's mean loss over its label-PCA box (Eq. 3).

    After random points and the best-matching label sets, each iteration fits one Gaussian process
    per group to -loss (Matern-5/2, one length scale), and evaluates where the upper confidence
    bound :math:`m + \kappa s` is highest. All groups share the batch, each with its own box and
    its own stop.

    Args:
        n_random: Random points before the first iteration.
        kappa: Weight of the predicted standard deviation.
        patience: A group stops when its best loss has not improved for so many iterations.
        tolerance: Relative improvement that counts.
        min_iterations: Least iterations of a group.
        max_iterations: Most iterations of a group.
        raw_samples: Random points from which the climb of the bound starts are chosen.
        num_restarts: Number of those climbs.
        seed: Seed of all random points.

    Raises:
        ConfigError: If a number makes no sense.

    References:
        Srinivas et al. 2010, ICML (UCB); Nogueira 2014, bayesian-optimization.
    """

    n_random: int = 10
    kappa: float = 2.576
    patience: int = 5
    tolerance: float = 1e-4
    min_iterations: int = 5
    max_iterations: int = 60
    raw_samples: int = 256
    num_restarts: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.n_random, self.patience, self.num_restarts) < 1:
            raise ConfigError(
                f"bo: n_random={self.n_random}, patience={self.patience} and "
                f"num_restarts={self.num_restarts} must be at least 1"
            )
        if self.raw_samples < self.num_restarts:
            raise ConfigError(
                f"bo: raw_samples={self.raw_samples} must be at least "
                f"num_restarts={self.num_restarts}"
            )

    @property
    def moves_groups(self) -> bool:
        """Groups move together, in their label-PCA space."""
        return True

    @property
    def n_starts(self) -> int:
        """The start it is given, no other."""
        return 1

    def minimise(self, problem: Problem, start: Fit) -> Fit:
        """Move the groups; see :class:`torchfit.optimise.problem.Optimiser`.

        A group keeps its start when no point of its box has a lower mean loss.
        """
        history = _History(problem, self.first_points(problem.space))
        active = history.groups
        for iteration in range(self.max_iterations):
            candidate = self._propose(history, active, iteration)
            history.add(active, candidate, self.tolerance)
            waiting = (history.unchanged < self.patience) | (iteration + 1 < self.min_iterations)
            active = waiting.nonzero()[:, 0]
            if not len(active):
                break
        return history.fit(start, active)

    def first_points(self, space: Subspace) -> Float[Tensor, "group first m"]:
        """The best-matching label sets first, then random points, in the unit cube.

        Args:
            space: Label-PCA spaces of the groups.

        Returns:
            The points that every group is evaluated at before the first iteration.
        """
        random = self._random(self.n_random, space, stage=0)
        return torch.cat([space.best_match_cube()[:, None], random.transpose(0, 1)], dim=1)

    def _random(self, n: int, space: Subspace, stage: int) -> Float[Tensor, "n group m"]:
        """Random points of the unit cube, the same for every group; padding stays at 0.5.

        Drawn dimension by dimension, so a group's points depend neither on the other groups of
        the batch nor on their number of dimensions.
        """
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + stage)
        shape = (space.lower.shape[1], n)
        draw = torch.rand(shape, generator=generator, dtype=space.lower.dtype).mT
        draw = draw.to(space.lower.device)[:, None]
        return torch.where(space.upper > space.lower, draw, 0.5)

    @torch.inference_mode(False)
    @torch.enable_grad()
    def _propose(
        self, history: "_History", active: Int[Tensor, " active"], iteration: int
    ) -> Float[Tensor, "active m"]:
        """The point of highest upper confidence bound of every active group."""
        x, y = history.points[active], -history.values[active]
        y = (y - y.mean(dim=1, keepdim=True)) / y.std(dim=1, keepdim=True).clamp_min(1e-12)
        acqf = UpperConfidenceBound(fit_surrogate(x, y), beta=self.kappa**2)
        space, _ = history.problem.space.select(active)
        low, high = self._region(x, -y)
        raw = low + (high - low) * self._random(self.raw_samples, space, stage=iteration + 1)
        with torch.no_grad():
            value = acqf(raw[:, :, None])
        best = value.topk(self.num_restarts, dim=0).indices[:, :, None]
        return climb(acqf, raw.gather(0, best.expand(-1, -1, x.shape[2])), (low, high))

    def _region(
        self, x: Float[Tensor, "group point m"], loss: Float[Tensor, "group point"]
    ) -> tuple[Float[Tensor, "group m"], Float[Tensor, "group m"]]:
        """Corners of the part of the unit cube in which the next point is sought: all of it."""
        return torch.zeros_like(x[:, 0]), torch.ones_like(x[:, 0])


class _History:
    """Points tried so far; stopped groups keep their last point as padding."""

    def __init__(self, problem: Problem, points: Float[Tensor, "group first m"]) -> None:
        self.problem = problem
        self.points = points
        self.groups = torch.arange(len(points), device=points.device)
        self.values = self._evaluate(self.groups, points)
        self.n_points = torch.full_like(self.groups, points.shape[1])
        self.iterations = torch.zeros_like(self.groups)
        self.unchanged = torch.zeros_like(self.groups)
        self.best = self.values.min(dim=1).values

    def _evaluate(
        self, groups: Int[Tensor, " active"], points: Float[Tensor, "active cand m"]
    ) -> Float[Tensor, "active cand"]:
        space, star = self.problem.space.select(groups)
        unit = space.unit_labels(points).clamp(self.problem.lower, self.problem.upper)
        return space.group_mean(self.problem.objective[star].loss(unit))

    def add(
        self, groups: Int[Tensor, " active"], point: Float[Tensor, "active m"], tolerance: float
    ) -> None:
        """Evaluate one more point of the active groups."""
        value = self._evaluate(groups, point[:, None])[:, 0]
        improved = value < self.best[groups] - tolerance * self.best[groups].abs()
        self.unchanged[groups] = torch.where(improved, 0, self.unchanged[groups] + 1)
        self.best[groups] = torch.minimum(value, self.best[groups])
        last, last_value = self.points[:, -1].clone(), self.values[:, -1].clone()
        last[groups], last_value[groups] = point, value
        self.points = torch.cat([self.points, last[:, None]], dim=1)
        self.values = torch.cat([self.values, last_value[:, None]], dim=1)
        self.iterations[groups] += 1
        self.n_points[groups] += 1

    def fit(self, start: Fit, active: Int[Tensor, " active"]) -> Fit:
        """Labels of the stars at their group's best point, or at the start where that is better."""
        space, problem = self.problem.space, self.problem
        place = self.values.argmin(dim=1)
        best = self.points[self.groups, place]
        unit = space.unit_labels(best[:, None])[:, 0].clamp(problem.lower, problem.upper)
        loss = problem.objective.loss(unit)
        moved = (space.group_mean(loss) < space.group_mean(start.loss))[space.group]
        stop = torch.full_like(self.groups, UNCHANGED)
        stop[active] = EXHAUSTED
        return Fit(
            torch.where(moved[:, None], unit, start.unit),
            torch.where(moved, loss, start.loss),
            start.iterations + self.iterations[space.group],
            start.evaluations + self.n_points[space.group],
            stop[space.group],
        )
