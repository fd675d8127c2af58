"""What an optimiser is given, what it gives back, and when it stops: the contract of all."""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.likelihood.objective import Objective
from torchfit.optimise.subspace import Subspace


class StopReason(StrEnum):
    """Why the fit of a star ended."""

    CONVERGED = "converged"
    UNCHANGED = "unchanged"
    MAX_ITERATIONS = "max_iterations"
    SINGULAR = "singular"


STOP_REASONS = tuple(StopReason)
"""Stop reasons by the number that stands for them in a tensor."""

AT_REST = (StopReason.CONVERGED, StopReason.UNCHANGED)
"""Stop reasons of a fit that came to rest."""


@dataclass(frozen=True)
class Problem:
    """The stars to fit.

    Args:
        objective: Loss of each star.
        lower: Least unit labels, in double precision.
        upper: Greatest unit labels.
        subspace: The label-PCA space of the groups; ``None`` where no optimiser moves groups.
        candidates: Unit labels of each star's best templates, best first: other places to start
            from.
    """

    objective: Objective
    lower: Float[Tensor, " label"]
    upper: Float[Tensor, " label"]
    subspace: Subspace | None
    candidates: Float[Tensor, "star cand label"] | None = None

    @property
    def space(self) -> Subspace:
        """The label-PCA space of the groups.

        Raises:
            ConfigError: If there is none.
        """
        if self.subspace is None:
            raise ConfigError("an optimiser that moves groups was given stars without groups")
        return self.subspace

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "Problem":
        """The problem of the chosen stars, each by itself."""
        candidates = None if self.candidates is None else self.candidates[star]
        return Problem(self.objective[star], self.lower, self.upper, None, candidates)


@dataclass(frozen=True)
class Fit:
    """Where the optimisation of each star ended; the best point seen, by the value of its loss.

    Always in double precision, in whichever the objective computes.

    Args:
        unit: Unit labels.
        loss: Loss at ``unit``.
        iterations: Iterations of each star (of its group).
        evaluations: Evaluations of the loss of each star.
        stop: Index into :data:`STOP_REASONS`.
    """

    unit: Float[Tensor, "star label"]
    loss: Float[Tensor, " star"]
    iterations: Int[Tensor, " star"]
    evaluations: Int[Tensor, " star"]
    stop: Int[Tensor, " star"]

    @classmethod
    def at_start(cls, problem: Problem, unit: Float[Tensor, "star label"]) -> "Fit":
        """The fit before any optimiser has run.

        Args:
            problem: The stars.
            unit: Start unit labels; moved into the box.

        Returns:
            A fit of no iterations and one evaluation.
        """
        unit = unit.double().clamp(problem.lower, problem.upper)
        count = torch.zeros(len(unit), dtype=torch.long, device=unit.device)
        stop = torch.full_like(count, STOP_REASONS.index(StopReason.MAX_ITERATIONS))
        return cls(unit, problem.objective.loss(unit), count, count + 1, stop)

    @classmethod
    def none(cls, unit: Float[Tensor, "star label"], count: Int[Tensor, " star"]) -> "Fit":
        """The fit of stars that cannot be fitted.

        Args:
            unit: NaN for every label.
            count: 0 for every star.

        Returns:
            No iteration, no evaluation, and nothing that could be solved.
        """
        stop = torch.full_like(count, STOP_REASONS.index(StopReason.SINGULAR))
        return cls(unit, unit[:, 0], count, count, stop)

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "Fit":
        """The fit of the chosen stars."""
        return Fit(*(getattr(self, field.name)[star] for field in fields(self)))

    def with_rows(self, place: Int[Tensor, " chosen"], rows: "Fit") -> "Fit":
        """The same with the rows of some stars replaced."""
        return Fit(
            *(
                getattr(self, field.name).index_copy(0, place, getattr(rows, field.name))
                for field in fields(self)
            )
        )

    def or_lower(self, other: "Fit") -> "Fit":
        """The better of two fits, star by star; iterations and evaluations of both count.

        Args:
            other: Another fit of the same stars.

        Returns:
            The joint fit.
        """
        better = other.loss < self.loss
        return Fit(
            torch.where(better[:, None], other.unit, self.unit),
            torch.where(better, other.loss, self.loss),
            self.iterations + other.iterations,
            self.evaluations + other.evaluations,
            torch.where(better, other.stop, self.stop),
        )

    def stop_reasons(self) -> list[str]:
        """Stop reasons as words."""
        return [str(STOP_REASONS[number]) for number in self.stop.tolist()]


@runtime_checkable
class Optimiser(Protocol):
    """Anything that lowers the loss of stars."""

    @property
    def moves_groups(self) -> bool:
        """Whether it needs the label-PCA space of the groups."""
        ...

    @property
    def n_starts(self) -> int:
        """Places it starts from: the given one, then the best templates of each star."""
        ...

    def minimise(self, problem: Problem, start: Fit) -> Fit:
        """Go on from where another optimiser, or the matching, has stopped.

        Args:
            problem: The stars.
            start: Where to begin; counts go on from its counts.

        Returns:
            A fit whose loss is not above the start's, of each star or, for groups, of the group.
        """
        ...
