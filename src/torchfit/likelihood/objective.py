"""The loss of labels: chi-squared of every star, the prior, and the wall around the library."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.emulator.predictor import Prediction, Predictor
from torchfit.likelihood.form import QuadraticForm
from torchfit.likelihood.prior import StartPrior
from torchfit.likelihood.support import Support


@dataclass(frozen=True)
class Origin:
    """The emulator at the unit labels where the fits begin.

    Args:
        unit: Unit labels.
        prediction: Coefficients and density there, with their derivatives.
    """

    unit: Float[Tensor, "star label"]
    prediction: Prediction

    @classmethod
    def of(cls, predictor: Predictor, unit: Float[Tensor, "star label"]) -> "Origin":
        """Evaluate the emulator."""
        return cls(unit, predictor.derivatives(unit))

    def __getitem__(self, star: Tensor | slice) -> "Origin":
        """That of the chosen stars."""
        return Origin(self.unit[star], Prediction(*(each[star] for each in self.prediction)))


@dataclass(frozen=True)
class Objective:
    r"""Loss of the unit labels x of stars, :math:`\chi^2(f(x)) + prior(x) + wall(x)`.

    Pixels, errors, masks, nuisances and the emulator's own covariance are all contained in the
    quadratic form (see :mod:`torchfit.likelihood.metric`); the cost of an evaluation no longer
    depends on the number of pixels.

    Args:
        predictor: Unit labels to standardised coefficients f.
        origin: Where each star starts; its form counts from the coefficients :math:`f_0` there.
        form: Chi-squared of the coefficients.
        prior: Prior on the unit labels.
        support: Wall around the library.
    """

    predictor: Predictor
    origin: Origin
    form: QuadraticForm
    prior: StartPrior
    support: Support

    def __len__(self) -> int:
        """Number of stars."""
        return len(self.centre)

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "Objective":
        """The objective of the chosen stars."""
        return Objective(
            self.predictor, self.origin[star], self.form[star], self.prior[star], self.support
        )

    @property
    def centre(self) -> Float[Tensor, "star comp"]:
        """:math:`f_0` of each star."""
        return self.origin.prediction.mean

    @property
    def dtype(self) -> torch.dtype:
        """Precision in which it computes."""
        return self.centre.dtype

    @property
    def constant(self) -> Float[Tensor, " star"]:
        """Chi-squared at the centre; see :class:`torchfit.likelihood.form.QuadraticForm`."""
        return self.form.constant

    def at(self, unit: Float[Tensor, "star label"]) -> "Evaluation":
        """Evaluate the emulator, with its derivatives, at unit labels.

        Args:
            unit: Unit labels, in any precision.

        Returns:
            What follows from it, each number computed when it is asked for.
        """
        own = unit.to(self.dtype)
        return Evaluation(self, own, self.predictor.derivatives(own), unit.dtype)

    def at_start(self, unit: Float[Tensor, "star label"]) -> "Evaluation":
        """The same, without asking the emulator again if all stars are at their origin.

        Args:
            unit: Unit labels, in any precision.

        Returns:
            See :meth:`at`.
        """
        if torch.equal(unit.to(self.dtype), self.origin.unit):
            return Evaluation(self, self.origin.unit, self.origin.prediction, unit.dtype)
        return self.at(unit)

    def chi_squared(self, unit: Float[Tensor, "star *cand label"]) -> Float[Tensor, "star *cand"]:
        """Chi-squared without prior and wall.

        Args:
            unit: Unit labels, one or several candidates per star.

        Returns:
            Chi-squared, in the precision of the labels.
        """
        return self._chi_squared_and_density(unit.to(self.dtype))[0].to(unit.dtype)

    def loss(self, unit: Float[Tensor, "star *cand label"]) -> Float[Tensor, "star *cand"]:
        """What the optimisers minimise: chi-squared, the prior's penalty and the wall's.

        Args:
            unit: Unit labels, one or several candidates per star.

        Returns:
            Loss, in the precision of the labels.
        """
        own = unit.to(self.dtype)
        chi2, density = self._chi_squared_and_density(own)
        loss = chi2 + self.prior.penalty(own) + self.support.penalty(density)
        return loss.to(unit.dtype)

    def derivatives(
        self, unit: Float[Tensor, "star label"]
    ) -> tuple[
        Float[Tensor, " star"], Float[Tensor, "star label"], Float[Tensor, "star label label"]
    ]:
        """Loss, half its gradient, and half its Gauss-Newton Hessian, in the labels' precision."""
        return self.at(unit).derivatives()

    def _chi_squared_and_density(
        self, unit: Float[Tensor, "star *cand label"]
    ) -> tuple[Float[Tensor, "star *cand"], Float[Tensor, "star *cand"]]:
        several = unit[:, None] if unit.ndim == 2 else unit.flatten(1, -2)
        f, density = self.predictor.mean_and_density(several.flatten(0, 1))
        chi2 = self.form.value(f.reshape(*several.shape[:2], -1) - self.centre[:, None])
        return chi2.reshape(unit.shape[:-1]), density.reshape(unit.shape[:-1])


@dataclass(frozen=True)
class Evaluation:
    """An objective at one point per star, from one evaluation of the emulator.

    Args:
        objective: The objective.
        unit: Unit labels, in the objective's precision.
        prediction: Coefficients and density there, with their derivatives.
        dtype: Precision of the results.
    """

    objective: Objective
    unit: Float[Tensor, "star label"]
    prediction: Prediction
    dtype: torch.dtype

    @property
    def coefficients(self) -> Float[Tensor, "star comp"]:
        """Standardised coefficients, in the objective's own precision."""
        return self.prediction.mean

    @property
    def is_outside(self) -> Bool[Tensor, " star"]:
        """Stars outside the library's support."""
        return self.objective.support.is_left(self.prediction.density)

    @property
    def chi_squared(self) -> Float[Tensor, " star"]:
        """Chi-squared without prior and wall."""
        offset = self.prediction.mean - self.objective.centre
        return self.objective.form.value(offset[:, None])[:, 0].to(self.dtype)

    def derivatives(
        self,
    ) -> tuple[
        Float[Tensor, " star"], Float[Tensor, "star label"], Float[Tensor, "star label label"]
    ]:
        """Loss, half its gradient, half its Gauss-Newton Hessian; see :meth:`of_change`."""
        change, gradient, hessian = self.of_change()
        loss = change + self.objective.constant
        return loss.to(self.dtype), gradient.to(self.dtype), hessian.to(self.dtype)

    def of_change(
        self,
    ) -> tuple[
        Float[Tensor, " star"], Float[Tensor, "star label"], Float[Tensor, "star label label"]
    ]:
        r"""Loss less the constant, half its gradient, and half its Gauss-Newton Hessian.

        With rows :math:`J_l = \partial f/\partial x_l`: gradient
        :math:`J (P d - g) + \Lambda (x - x_0)`, Hessian :math:`J P J^T + \Lambda`, and those of
        the wall. The rows d and J go through P together, which is read once. Without the constant
        no digits are lost to it.

        Returns:
            Loss - c, gradient / 2, Hessian / 2, in the objective's own precision.
        """
        change, gradient, hessian = self._of_chi_squared()
        prior, support = self.objective.prior, self.objective.support
        density = self.prediction.density
        rise = support.root_slope(density, self.prediction.density_slope)
        wall = support.root(density)[:, None] * rise
        gradient = gradient + prior.half_gradient(self.unit) + wall
        hessian = hessian + prior.precision + rise[:, :, None] * rise[:, None, :]
        change = change + prior.penalty(self.unit) + support.penalty(density)
        return change, gradient, hessian

    def _of_chi_squared(
        self,
    ) -> tuple[
        Float[Tensor, " star"], Float[Tensor, "star label"], Float[Tensor, "star label label"]
    ]:
        """The share of chi-squared in what :meth:`of_change` returns."""
        offset = self.prediction.mean - self.objective.centre
        rows = torch.cat([offset[:, None], self.prediction.jacobian], dim=1)
        inner, along = self.objective.form.products(rows)
        change = inner[:, 0, 0] - 2 * along[:, 0]
        return change, inner[:, 1:, 0] - along[:, 1:], inner[:, 1:, 1:]

    def asked_for(self) -> tuple[Float[Tensor, "star label"], Float[Tensor, "star label"]]:
        r"""Labels that the spectrum alone asks for, were there neither prior nor wall.

        One Gauss-Newton step, :math:`x - F^{-1} J (P d - g)` with :math:`F = J P J^T`; at a minimum
        of the loss it undoes what prior and wall have pulled.

        Returns:
            Unit labels, and their standard deviations, the roots of the diagonal of
            :math:`F^{-1}`; NaN where the spectrum says nothing of a label.
        """
        _, gradient, fisher = self._of_chi_squared()
        inverse, info = torch.linalg.inv_ex(fisher.to(self.dtype))
        inverse = torch.where((info == 0)[:, None, None], inverse, torch.nan)
        step = -(inverse @ gradient.to(self.dtype)[:, :, None])[:, :, 0]
        return self.unit.to(self.dtype) + step, inverse.diagonal(dim1=1, dim2=2).sqrt()

    def information(
        self,
    ) -> tuple[Float[Tensor, "star label label"], Float[Tensor, "star label label"]]:
        r"""Information of the spectrum, :math:`F = J P J^T`, and :math:`J (P - P\Sigma P) J^T`.

        Returns:
            F, and the covariance of the gradient that the noise of the spectrum makes.
        """
        whole, noise = self.objective.form.information(self.prediction.jacobian)
        return whole.to(self.dtype), noise.to(self.dtype)
