"""The objective of the fit: chi-squared of every star as a quadratic form of its coefficients."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.emulator.predictor import Predictor


@dataclass(frozen=True)
class StartPrior:
    r"""A Gaussian prior :math:`(x - x_0)^T \Lambda (x - x_0)` on the unit labels of each star.

    Args:
        mean: Unit labels :math:`x_0`.
        precision: Inverse covariance :math:`\Lambda`; 0 for no prior.
    """

    mean: Float[Tensor, "star label"]
    precision: Float[Tensor, "star label label"]

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "StartPrior":
        """The prior of the chosen stars."""
        return StartPrior(self.mean[star], self.precision[star])

    def half_gradient(self, unit: Float[Tensor, "star label"]) -> Float[Tensor, "star label"]:
        """Half the gradient of the penalty."""
        return torch.einsum("sij,sj->si", self.precision, unit - self.mean)

    def penalty(self, unit: Float[Tensor, "star *cand label"]) -> Float[Tensor, "star *cand"]:
        """The prior's share of the loss."""
        shape = (len(self.mean),) + (1,) * (unit.ndim - 2) + (self.mean.shape[1],)
        offset = unit - self.mean.reshape(shape)
        return torch.einsum("s...i,sij,s...j->s...", offset, self.precision, offset)


@dataclass(frozen=True)
class Objective:
    r"""Chi-squared of stars, :math:`\chi^2(x) = c - 2 g^T d + d^T P d` with d = f(x) - f_0.

    Pixels, errors, masks, nuisances and the emulator's own covariance are all folded into P, g
    and c once (see :mod:`torchfit.optimise.metric`); the cost of an evaluation no longer depends
    on the number of pixels. Coefficients count from :math:`f_0`, those of the start labels, so
    that small differences of large numbers arise once, in double precision, and never again.

    Args:
        predictor: Unit labels to standardised coefficients f.
        centre: :math:`f_0` of each star.
        precision: P of each star.
        pull: g of each star.
        constant: c of each star, the chi-squared at :math:`f_0`.
        prior: Prior on the unit labels.
    """

    predictor: Predictor
    centre: Float[Tensor, "star comp"]
    precision: Float[Tensor, "star comp comp"]
    pull: Float[Tensor, "star comp"]
    constant: Float[Tensor, " star"]
    prior: StartPrior

    @classmethod
    def about(
        cls,
        predictor: Predictor,
        centre: Float[Tensor, "star comp"],
        form: tuple[Tensor, Tensor, Tensor],
        prior: StartPrior,
    ) -> "Objective":
        r"""The objective of a quadratic form that counts from zero coefficients.

        Args:
            predictor: Unit labels to coefficients.
            centre: Coefficients to count from.
            form: P, v and c of :math:`c - 2 v^T f + f^T P f`.
            prior: Prior on the unit labels.

        Returns:
            The same chi-squared, counted from the centre.
        """
        precision, linear, constant = form
        weighted = torch.einsum("sij,sj->si", precision, centre)
        at_centre = constant + ((weighted - 2 * linear) * centre).sum(dim=1)
        return cls(predictor, centre, precision, linear - weighted, at_centre, prior)

    def __len__(self) -> int:
        """Number of stars."""
        return len(self.constant)

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "Objective":
        """The objective of the chosen stars."""
        return Objective(
            self.predictor, self.centre[star], self.precision[star], self.pull[star],
            self.constant[star], self.prior[star],
        )  # fmt: skip

    def chi_squared(self, unit: Float[Tensor, "star *cand label"]) -> Float[Tensor, "star *cand"]:
        """Chi-squared without the prior.

        Args:
            unit: Unit labels, one or several candidates per star.

        Returns:
            Chi-squared.
        """
        several = unit.flatten(1, -2) if unit.ndim > 2 else unit[:, None]
        f = self.predictor.mean(several.flatten(0, 1)).reshape(*several.shape[:2], -1)
        offset = f - self.centre[:, None]
        bend = ((offset @ self.precision - 2 * self.pull[:, None]) * offset).sum(dim=-1)
        return (self.constant[:, None] + bend).reshape(unit.shape[:-1])

    def loss(self, unit: Float[Tensor, "star *cand label"]) -> Float[Tensor, "star *cand"]:
        """What the optimisers minimise: chi-squared plus the prior's penalty."""
        return self.chi_squared(unit) + self.prior.penalty(unit)

    def derivatives(
        self, unit: Float[Tensor, "star label"]
    ) -> tuple[
        Float[Tensor, " star"], Float[Tensor, "star label"], Float[Tensor, "star label label"]
    ]:
        r"""Loss, half its gradient, and half its Gauss-Newton Hessian.

        With rows :math:`J_l = \partial f/\partial x_l`: gradient
        :math:`J (P d - g) + \Lambda (x - x_0)`, Hessian :math:`J P J^T + \Lambda`. The rows
        d and J go through P together, which is read once.

        Args:
            unit: Unit labels.

        Returns:
            Loss, gradient / 2, Hessian / 2.
        """
        f, jacobian = self.predictor.mean_and_jacobian(unit)
        rows = torch.cat([(f - self.centre)[:, None], jacobian], dim=1)
        inner = (rows @ self.precision) @ rows.mT
        along = (rows @ self.pull[:, :, None])[:, :, 0]
        chi2 = self.constant - 2 * along[:, 0] + inner[:, 0, 0]
        gradient = inner[:, 1:, 0] - along[:, 1:] + self.prior.half_gradient(unit)
        hessian = inner[:, 1:, 1:] + self.prior.precision
        return chi2 + self.prior.penalty(unit), gradient, hessian
