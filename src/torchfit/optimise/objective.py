"""The objective of the fit: chi-squared of every star as a quadratic form of its coefficients."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.emulator.predictor import Predictor

LEAST_DENSITY = 1e-30
"""Where not even a trace of a template is left."""


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
class Support:
    r"""A soft wall around the library, :math:`w\,[\ln(\rho_{min}/\rho(x))]_+^2`.

    The density of templates :math:`\rho` falls without end outside the library, where the mean of
    the Gaussian process is only a trend.

    Args:
        density: :math:`\rho_{min}`, the number of templates an emulated spectrum should rest on.
        weight: w; 0 for no wall.
    """

    density: float = 3.0
    weight: float = 1.0

    def is_left(self, density: Float[Tensor, "*star"]) -> Bool[Tensor, "*star"]:
        """Whether there are too few templates."""
        return density < self.density

    def penalty(self, density: Float[Tensor, "*star"]) -> Float[Tensor, "*star"]:
        """The wall's share of the loss."""
        return self.root(density).square()

    def root(self, density: Float[Tensor, "*star"]) -> Float[Tensor, "*star"]:
        """Square root of the penalty: the wall as a residual."""
        depth = (self.density / density.clamp_min(LEAST_DENSITY)).log().clamp_min(0.0)
        return self.weight**0.5 * depth

    def root_slope(
        self, density: Float[Tensor, " star"], slope: Float[Tensor, "star label"]
    ) -> Float[Tensor, "star label"]:
        """Derivative of :meth:`root`; 0 inside the library.

        Args:
            density: Density of templates.
            slope: Its derivative by the unit labels.

        Returns:
            Derivative by the unit labels.
        """
        relative = slope / density.clamp_min(LEAST_DENSITY)[:, None]
        return -(self.weight**0.5) * relative * self.is_left(density)[:, None]


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
        support: Wall around the library.
    """

    predictor: Predictor
    centre: Float[Tensor, "star comp"]
    precision: Float[Tensor, "star comp comp"]
    pull: Float[Tensor, "star comp"]
    constant: Float[Tensor, " star"]
    prior: StartPrior
    support: Support

    @classmethod
    def about(
        cls,
        predictor: Predictor,
        centre: Float[Tensor, "star comp"],
        form: tuple[Tensor, Tensor, Tensor],
        prior: StartPrior,
        support: Support,
    ) -> "Objective":
        r"""The objective of a quadratic form that counts from zero coefficients.

        Args:
            predictor: Unit labels to coefficients.
            centre: Coefficients to count from.
            form: P, v and c of :math:`c - 2 v^T f + f^T P f`.
            prior: Prior on the unit labels.
            support: Wall around the library.

        Returns:
            The same chi-squared, counted from the centre.
        """
        precision, linear, constant = form
        weighted = torch.einsum("sij,sj->si", precision, centre)
        at_centre = constant + ((weighted - 2 * linear) * centre).sum(dim=1)
        return cls(predictor, centre, precision, linear - weighted, at_centre, prior, support)

    def __len__(self) -> int:
        """Number of stars."""
        return len(self.constant)

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "Objective":
        """The objective of the chosen stars."""
        return Objective(
            self.predictor, self.centre[star], self.precision[star], self.pull[star],
            self.constant[star], self.prior[star], self.support,
        )  # fmt: skip

    def chi_squared(self, unit: Float[Tensor, "star *cand label"]) -> Float[Tensor, "star *cand"]:
        """Chi-squared without prior and wall.

        Args:
            unit: Unit labels, one or several candidates per star.

        Returns:
            Chi-squared.
        """
        return self._chi_squared_and_density(unit)[0]

    def loss(self, unit: Float[Tensor, "star *cand label"]) -> Float[Tensor, "star *cand"]:
        """What the optimisers minimise: chi-squared, the prior's penalty and the wall's."""
        chi2, density = self._chi_squared_and_density(unit)
        return chi2 + self.prior.penalty(unit) + self.support.penalty(density)

    def is_outside(self, unit: Float[Tensor, "star label"]) -> Bool[Tensor, " star"]:
        """Stars outside the library's support."""
        return self.support.is_left(self.predictor.mean_and_density(unit)[1])

    def _chi_squared_and_density(
        self, unit: Float[Tensor, "star *cand label"]
    ) -> tuple[Float[Tensor, "star *cand"], Float[Tensor, "star *cand"]]:
        several = unit.flatten(1, -2) if unit.ndim > 2 else unit[:, None]
        f, density = self.predictor.mean_and_density(several.flatten(0, 1))
        offset = f.reshape(*several.shape[:2], -1) - self.centre[:, None]
        bend = ((offset @ self.precision - 2 * self.pull[:, None]) * offset).sum(dim=-1)
        chi2 = (self.constant[:, None] + bend).reshape(unit.shape[:-1])
        return chi2, density.reshape(unit.shape[:-1])

    def derivatives(
        self, unit: Float[Tensor, "star label"]
    ) -> tuple[
        Float[Tensor, " star"], Float[Tensor, "star label"], Float[Tensor, "star label label"]
    ]:
        r"""Loss, half its gradient, and half its Gauss-Newton Hessian.

        With rows :math:`J_l = \partial f/\partial x_l`: gradient
        :math:`J (P d - g) + \Lambda (x - x_0)`, Hessian :math:`J P J^T + \Lambda`, and those of
        the wall. The rows d and J go through P together, which is read once.

        Args:
            unit: Unit labels.

        Returns:
            Loss, gradient / 2, Hessian / 2.
        """
        f, jacobian, density, slope = self.predictor.derivatives(unit)
        rows = torch.cat([(f - self.centre)[:, None], jacobian], dim=1)
        inner = (rows @ self.precision) @ rows.mT
        along = (rows @ self.pull[:, :, None])[:, :, 0]
        chi2 = self.constant - 2 * along[:, 0] + inner[:, 0, 0]
        rise = self.support.root_slope(density, slope)
        wall = self.support.root(density)[:, None] * rise
        gradient = inner[:, 1:, 0] - along[:, 1:] + self.prior.half_gradient(unit) + wall
        wall_bend = rise[:, :, None] * rise[:, None, :]
        hessian = inner[:, 1:, 1:] + self.prior.precision + wall_bend
        loss = chi2 + self.prior.penalty(unit) + self.support.penalty(density)
        return loss, gradient, hessian
