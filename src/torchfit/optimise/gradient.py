"""Gradient descent on the joint loss of groups: Adam and L-BFGS, in several coordinates."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.likelihood.objective import Objective
from torchfit.optimise.problem import STOP_REASONS, Fit, Problem, StopReason

CONVERGED, EXHAUSTED = (
    STOP_REASONS.index(reason) for reason in (StopReason.CONVERGED, StopReason.MAX_ITERATIONS)
)
WAY_BACK = 100.0
"""Penalty per squared unit label outside the box."""
COORDINATES = ("labels", "label_pca", "active_subspace")
Coordinates = Literal["labels", "label_pca", "active_subspace"]


class _Loss(torch.autograd.Function):
    """Loss of each star with the analytic gradient, for use inside autograd."""

    @staticmethod
    def forward(ctx: Any, unit: Tensor, objective: Objective) -> Tensor:
        """Loss of every star; half of its gradient is kept for the way back."""
        loss, half_gradient, _ = objective.derivatives(unit)
        ctx.save_for_backward(half_gradient)
        return loss

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None]:
        """Gradient by labels."""
        (half_gradient,) = ctx.saved_tensors
        return 2 * upstream[0][:, None] * half_gradient, None


@dataclass(frozen=True)
class GradientDescent:
    r"""Minimise the sum of the losses of all stars by a torch optimiser.

    In ``labels`` every star moves by itself; in ``label_pca`` the stars of a group move together,
    from their start :math:`x_i^0` by :math:`s_i \circ (d Q_i)`. In ``active_subspace`` every star
    moves by itself along the eigenvectors V of its group's mean Hessian at the start,
    :math:`x_i = x_i^0 + V \lambda^{-1/2} z_i`: directions that the spectra tell apart, in steps of
    one standard deviation each; what they do not constrain (:math:`\lambda` below ``least_share``
    of the largest) is left where it is.

    Args:
        method: ``adam`` (joint loss, one step size for all) or ``lbfgs``.
        coordinates: What the optimiser moves.
        lr: Step size of Adam in its coordinates; L-BFGS finds its own by line search.
        max_iterations: Most iterations.
        tolerance: Stop when the summed loss has changed by less than this share in ten
            iterations.
        least_share: Least eigenvalue of an active direction, as a share of the largest.

    Raises:
        ConfigError: If a word is unknown.

    References:
        Kingma & Ba 2015, arXiv:1412.6980; Liang et al. 2025, arXiv:2512.24840 (joint Adam over
        a group of spectra); Constantine 2015, Active Subspaces, SIAM.
    """

    method: Literal["adam", "lbfgs"] = "adam"
    coordinates: Coordinates = "labels"
    lr: float = 0.02
    max_iterations: int = 200
    tolerance: float = 1e-6
    least_share: float = 1e-6

    def __post_init__(self) -> None:
        if self.method not in ("adam", "lbfgs"):
            raise ConfigError(f"optimise: method={self.method} is unknown; use adam or lbfgs")
        if self.coordinates not in COORDINATES:
            raise ConfigError(
                f"optimise: coordinates={self.coordinates} is unknown; use one of {COORDINATES}"
            )

    @property
    def moves_groups(self) -> bool:
        """Whether the coordinates are those of groups."""
        return self.coordinates != "labels"

    @property
    def n_starts(self) -> int:
        """The start it is given, no other."""
        return 1

    def minimise(self, problem: Problem, start: Fit) -> Fit:
        """Lower the joint loss; see :class:`torchfit.optimise.problem.Optimiser`.

        Each star keeps the best labels it has seen, by the value of its own loss.
        """
        best = _Best(problem, start)
        with torch.inference_mode(False), torch.enable_grad():
            parameter, unit_of = self._parameters(problem, start)
            step = self._stepper(parameter)
            losses: list[float] = []
            while len(losses) < self.max_iterations and not self._settled(losses):
                losses.append(step(lambda: best.total(unit_of(parameter))))
        return best.fit(start, len(losses), CONVERGED if self._settled(losses) else EXHAUSTED)

    def _settled(self, losses: list[float]) -> bool:
        if len(losses) <= 10:
            return False
        return abs(losses[-11] - losses[-1]) <= self.tolerance * (1 + abs(losses[-1]))

    def _parameters(
        self, problem: Problem, start: Fit
    ) -> tuple[Tensor, Callable[[Tensor], Float[Tensor, "star label"]]]:
        """What is moved, and the unit labels that follow from it."""
        origin = start.unit.clone()
        if self.coordinates == "labels":
            return origin.requires_grad_(True), lambda unit: unit
        space = problem.space
        if self.coordinates == "active_subspace":
            ways = self._active_ways(problem, origin)
            steps = torch.zeros_like(ways[:, :, 0]).requires_grad_(True)
            return steps, lambda z: origin + torch.einsum("sa,sal->sl", z, ways)
        scale = space.scale / space.scaler.scale(origin)
        loadings = (space.loadings * scale[:, None]).clone()
        group = space.group.clone()
        scores = torch.zeros_like(space.lower).requires_grad_(True)
        return scores, lambda d: origin + torch.einsum("sm,sml->sl", d[group], loadings)

    def _active_ways(
        self, problem: Problem, origin: Float[Tensor, "star label"]
    ) -> Float[Tensor, "star way label"]:
        """Steps of one standard deviation along the active directions; 0 along the others."""
        hessian = problem.objective.derivatives(origin)[2]
        # A star whose loss is not a number has nothing to say about the others' directions.
        usable = hessian.isfinite().all(dim=(1, 2), keepdim=True)
        mean = problem.space.group_mean(torch.where(usable, hessian, 0.0))
        value, vector = torch.linalg.eigh(mean)
        active = value > self.least_share * value[:, -1:].clamp_min(1e-300)
        length = torch.where(active, value, 1.0).rsqrt() * active
        return (vector.mT * length[:, :, None])[problem.space.group].clone()

    def _stepper(self, parameter: Tensor) -> Callable[[Callable[[], Tensor]], float]:
        """One iteration of the chosen optimiser."""
        optimiser: torch.optim.Optimizer
        if self.method == "adam":
            optimiser = torch.optim.Adam([parameter], lr=self.lr)
        else:
            # Without max_eval one iteration would leave its line search a single trial.
            optimiser = torch.optim.LBFGS(
                [parameter], lr=1.0, max_iter=1, max_eval=20, history_size=20,
                line_search_fn="strong_wolfe",
            )  # fmt: skip

        def step(total: Callable[[], Tensor]) -> float:
            """Take a step, and return the loss before it."""

            def closure() -> Tensor:
                """Loss and gradient where the optimiser is."""
                optimiser.zero_grad()
                value = total()
                value.backward()
                return value

            return float(torch.as_tensor(optimiser.step(closure)).detach())

        return step


class _Best:
    """The best labels of every star so far."""

    def __init__(self, problem: Problem, start: Fit) -> None:
        self.problem = problem
        self.unit, self.loss = start.unit.clone(), start.loss.clone()
        self.evaluations = 0

    def total(self, unit: Float[Tensor, "star label"]) -> Float[Tensor, ""]:
        """Summed loss of the stars that have one, held inside the box; remembers improvements."""
        inside = unit.clamp(self.problem.lower, self.problem.upper)
        loss = _Loss.apply(inside, self.problem.objective)
        self.evaluations += 1
        with torch.no_grad():
            better = loss < self.loss
            self.unit = torch.where(better[:, None], inside, self.unit)
            self.loss = torch.where(better, loss, self.loss)
        # Outside the box the loss is flat; without a way back a star that has left stays there.
        beyond = (unit - inside.detach()).square().sum(dim=1)
        return (loss + WAY_BACK * beyond)[loss.isfinite()].sum()

    def fit(self, start: Fit, iterations: int, stop: int) -> Fit:
        """The result."""
        return Fit(
            self.unit.detach(),
            self.loss.detach(),
            start.iterations + iterations,
            start.evaluations + self.evaluations,
            torch.full_like(start.stop, stop),
        )
