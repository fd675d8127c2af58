"""The objective of the fit: chi-squared of every star as a quadratic form of its coefficients."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.emulator.gp import SharedKernelGP


@dataclass(frozen=True)
class StartPrior:
    r"""A Gaussian prior :math:`(x - x_0)^T \Lambda (x - x_0)` on the unit labels of each star.

    Args:
        mean: Unit labels :math:`x_0`.
        precision: Inverse covariance :math:`\Lambda`; 0 for no prior.
    """

    mean: Float[Tensor, "star label"]
    precision: Float[Tensor, "star label label"]

    def penalty(self, unit: Float[Tensor, "star *cand label"]) -> Float[Tensor, "star *cand"]:
        """The prior's share of the loss."""
        shape = (len(self.mean),) + (1,) * (unit.ndim - 2) + (self.mean.shape[1],)
        offset = unit - self.mean.reshape(shape)
        return torch.einsum("s...i,sij,s...j->s...", offset, self.precision, offset)


@dataclass(frozen=True)
class Objective:
    r"""Chi-squared of stars, :math:`\chi^2(x) = c - 2 v^T f(x) + f(x)^T P f(x)`.

    Pixels, errors, masks, nuisances and the emulator's own covariance are all folded into P, v
    and c once (see :mod:`torchfit.optimise.metric`); the cost of an evaluation no longer depends
    on the number of pixels.

    Args:
        gp: Unit labels to standardised coefficients f.
        precision: P of each star.
        linear: v of each star.
        constant: c of each star.
        prior: Prior on the unit labels.
    """

    gp: SharedKernelGP
    precision: Float[Tensor, "star comp comp"]
    linear: Float[Tensor, "star comp"]
    constant: Float[Tensor, " star"]
    prior: StartPrior

    def __len__(self) -> int:
        """Number of stars."""
        return len(self.constant)

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "Objective":
        """The objective of the chosen stars."""
        prior = StartPrior(self.prior.mean[star], self.prior.precision[star])
        return Objective(
            self.gp, self.precision[star], self.linear[star], self.constant[star], prior
        )

    def chi_squared(self, unit: Float[Tensor, "star *cand label"]) -> Float[Tensor, "star *cand"]:
        """Chi-squared without the prior.

        Args:
            unit: Unit labels, one or several candidates per star.

        Returns:
            Chi-squared.
        """
        f = self.gp.mean(unit.flatten(0, -2)).reshape(*unit.shape[:-1], -1)
        square = torch.einsum("s...i,sij,s...j->s...", f, self.precision, f)
        constant = self.constant.reshape(-1, *(1,) * (unit.ndim - 2))
        return constant - 2 * torch.einsum("si,s...i->s...", self.linear, f) + square

    def loss(self, unit: Float[Tensor, "star *cand label"]) -> Float[Tensor, "star *cand"]:
        """What the optimisers minimise: chi-squared plus the prior's penalty."""
        return self.chi_squared(unit) + self.prior.penalty(unit)

    def derivatives(
        self, unit: Float[Tensor, "star label"]
    ) -> tuple[
        Float[Tensor, " star"], Float[Tensor, "star label"], Float[Tensor, "star label label"]
    ]:
        r"""Loss, half its gradient, and half its Gauss-Newton Hessian.

        With :math:`J = \partial f/\partial x`: gradient :math:`J^T (P f - v) + \Lambda (x - x_0)`,
        Hessian :math:`J^T P J + \Lambda`.

        Args:
            unit: Unit labels.

        Returns:
            Loss, gradient / 2, Hessian / 2.
        """
        f, jacobian = self.gp.mean_and_jacobian(unit)
        weighted = torch.einsum("sij,sj->si", self.precision, f)
        chi2 = self.constant + ((weighted - 2 * self.linear) * f).sum(dim=1)
        pull = torch.einsum("sij,sj->si", self.prior.precision, unit - self.prior.mean)
        gradient = torch.einsum("sil,si->sl", jacobian, weighted - self.linear) + pull
        hessian = jacobian.mT @ self.precision @ jacobian + self.prior.precision
        return chi2 + self.prior.penalty(unit), gradient, hessian
