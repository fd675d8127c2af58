"""The objective of the fit: chi-squared of every star as a quadratic form of its coefficients."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.emulator.predictor import Prediction, Predictor
from torchfit.likelihood.frame import Frame

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
    and c once (see :mod:`torchfit.likelihood.exact`); the cost of an evaluation no longer depends
    on the number of pixels. Coefficients count from :math:`f_0`, those of the start labels, so
    that small differences of large numbers arise once, in double precision, and never again.

    Args:
        predictor: Unit labels to standardised coefficients f.
        centre: :math:`f_0` of each star.
        precision: P of each star; ``None`` where the frame makes it the identity.
        pull: g of each star.
        constant: c of each star, the chi-squared at :math:`f_0`.
        prior: Prior on the unit labels.
        support: Wall around the library.
        frame: Coordinates in which P, g and the derivatives are; ``None`` for the coefficients.
    """

    predictor: Predictor
    centre: Float[Tensor, "star comp"]
    precision: Float[Tensor, "star comp comp"] | None
    pull: Float[Tensor, "star comp"]
    constant: Float[Tensor, " star"]
    prior: StartPrior
    support: Support
    frame: Frame | None = None
    _last: dict[int, tuple[Tensor, Prediction]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

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
            self.predictor,
            self.centre[star],
            None if self.precision is None else self.precision[star],
            self.pull[star],
            self.constant[star],
            self.prior[star],
            self.support,
            None if self.frame is None else self.frame[star],
        )

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
            Loss, in the precision of the labels, whichever the objective computes in.
        """
        own = unit.to(self.dtype)
        chi2, density = self._chi_squared_and_density(own)
        loss = chi2 + self.prior.penalty(own) + self.support.penalty(density)
        return loss.to(unit.dtype)

    def coefficients(self, unit: Float[Tensor, "star label"]) -> Float[Tensor, "star comp"]:
        """Standardised coefficients at unit labels, in the objective's own precision."""
        return self._predict(unit.to(self.dtype)).mean

    def is_outside(self, unit: Float[Tensor, "star label"]) -> Bool[Tensor, " star"]:
        """Stars outside the library's support."""
        return self.support.is_left(self._predict(unit.to(self.dtype)).density)

    def _chi_squared_and_density(
        self, unit: Float[Tensor, "star *cand label"]
    ) -> tuple[Float[Tensor, "star *cand"], Float[Tensor, "star *cand"]]:
        if unit.ndim == 2:
            several = unit[:, None]
            f, _, density, _ = self._predict(unit)
        else:
            several = unit.flatten(1, -2)
            f, density = self.predictor.mean_and_density(several.flatten(0, 1))
        rows = self._in_frame(f.reshape(*several.shape[:2], -1) - self.centre[:, None])
        bend = ((self._weigh(rows) - 2 * self.pull[:, None]) * rows).sum(dim=-1)
        chi2 = (self.constant[:, None] + bend).reshape(unit.shape[:-1])
        return chi2, density.reshape(unit.shape[:-1])

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the numbers."""
        return self.centre.dtype

    def derivatives(
        self, unit: Float[Tensor, "star label"]
    ) -> tuple[
        Float[Tensor, " star"], Float[Tensor, "star label"], Float[Tensor, "star label label"]
    ]:
        r"""Loss, half its gradient, and half its Gauss-Newton Hessian.

        Args:
            unit: Unit labels.

        Returns:
            Loss, gradient / 2, Hessian / 2, in the precision of the labels; see
            :meth:`derivatives_of_change`.
        """
        change, gradient, hessian = self.derivatives_of_change(unit.to(self.dtype))
        loss = change + self.constant
        return loss.to(unit.dtype), gradient.to(unit.dtype), hessian.to(unit.dtype)

    def derivatives_of_change(
        self, unit: Float[Tensor, "star label"]
    ) -> tuple[
        Float[Tensor, " star"], Float[Tensor, "star label"], Float[Tensor, "star label label"]
    ]:
        r"""Loss less the constant, half its gradient, and half its Gauss-Newton Hessian.

        With rows :math:`J_l = \partial f/\partial x_l`: gradient
        :math:`J (P d - g) + \Lambda (x - x_0)`, Hessian :math:`J P J^T + \Lambda`, and those of
        the wall. The rows d and J go through P together, which is read once. Without the constant
        no digits are lost to it.

        Args:
            unit: Unit labels.

        Returns:
            Loss - c, gradient / 2, Hessian / 2.
        """
        change, gradient, hessian = self._of_chi_squared(unit)
        _, _, density, slope = self._predict(unit)
        rise = self.support.root_slope(density, slope)
        wall = self.support.root(density)[:, None] * rise
        gradient = gradient + self.prior.half_gradient(unit) + wall
        hessian = hessian + self.prior.precision + rise[:, :, None] * rise[:, None, :]
        change = change + self.prior.penalty(unit) + self.support.penalty(density)
        return change, gradient, hessian

    def _of_chi_squared(
        self, unit: Float[Tensor, "star label"]
    ) -> tuple[
        Float[Tensor, " star"], Float[Tensor, "star label"], Float[Tensor, "star label label"]
    ]:
        """The shares of chi-squared in what :meth:`derivatives_of_change` returns."""
        f, jacobian, _, _ = self._predict(unit)
        rows = self._in_frame(torch.cat([(f - self.centre)[:, None], jacobian], dim=1))
        inner = self._weigh(rows) @ rows.mT
        along = (rows @ self.pull[:, :, None])[:, :, 0]
        change = inner[:, 0, 0] - 2 * along[:, 0]
        return change, inner[:, 1:, 0] - along[:, 1:], inner[:, 1:, 1:]

    def asked_for(
        self, unit: Float[Tensor, "star label"]
    ) -> tuple[Float[Tensor, "star label"], Float[Tensor, "star label"]]:
        r"""Labels that the spectrum alone asks for, were there neither prior nor wall.

        One Gauss-Newton step, :math:`x - F^{-1} J (P d - g)` with :math:`F = J P J^T`; at a minimum
        of the loss it undoes what prior and wall have pulled.

        Args:
            unit: Unit labels, those of a solution.

        Returns:
            Unit labels, and their standard deviations, the roots of the diagonal of
            :math:`F^{-1}`; NaN where the spectrum says nothing of a label.
        """
        _, gradient, fisher = self._of_chi_squared(unit.to(self.dtype))
        inverse, info = torch.linalg.inv_ex(fisher.to(unit))
        inverse = torch.where((info == 0)[:, None, None], inverse, torch.nan)
        step = -(inverse @ gradient.to(unit)[:, :, None])[:, :, 0]
        return unit + step, inverse.diagonal(dim1=1, dim2=2).sqrt()

    def information(
        self, unit: Float[Tensor, "star label"], residuals: Float[Tensor, "star comp comp"] | None
    ) -> tuple[Float[Tensor, "star label label"], Float[Tensor, "star label label"]]:
        r"""Information of the spectrum, :math:`F = J P J^T`, and :math:`J (P - P\Sigma P) J^T`.

        Args:
            unit: Unit labels.
            residuals: The emulator's covariance :math:`\Sigma`; not needed where a frame knows it.

        Returns:
            F, and the covariance of the gradient that the noise of the spectrum makes.

        Raises:
            ValueError: If nobody knows the emulator's covariance.
        """
        rows = self._in_frame(self._predict(unit.to(self.dtype)).jacobian)
        weighed = self._weigh(rows)
        whole = weighed @ rows.mT
        if self.frame is not None:
            noise = 1 - self.frame.share[self.frame.key]
            return whole.to(unit), ((rows * noise[:, None]) @ rows.mT).to(unit)
        if residuals is None:
            raise ValueError("without a frame the emulator's covariance is needed")
        return whole, whole - weighed @ residuals @ weighed.mT

    def _predict(self, unit: Float[Tensor, "star label"]) -> Prediction:
        """The emulator at unit labels; asked about the same ones again it remembers."""
        last = self._last.get(0)
        if last is None or not torch.equal(last[0], unit):
            last = (unit.clone(), self.predictor.derivatives(unit))
            self._last[0] = last
        return last[1]

    def _in_frame(self, rows: Float[Tensor, "star row comp"]) -> Float[Tensor, "star row comp"]:
        return rows if self.frame is None else self.frame.rows(rows)

    def _weigh(self, rows: Float[Tensor, "star row comp"]) -> Float[Tensor, "star row comp"]:
        return rows if self.precision is None else rows @ self.precision
