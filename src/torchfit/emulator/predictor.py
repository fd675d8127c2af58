"""The mean of a conditioned Gaussian process as plain tensors: values and derivatives, fast."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

SQRT5 = 5.0**0.5
FEW_PAIRS = 2**16
"""Pairs of stars and centres for which one call is quicker than one per label."""


class Prediction(NamedTuple):
    """The mean of the process and its density of templates, with their derivatives."""

    mean: Float[Tensor, "star comp"]
    jacobian: Float[Tensor, "star label comp"]
    density: Float[Tensor, " star"]
    density_slope: Float[Tensor, "star label"]


@dataclass(frozen=True)
class Predictor:
    r"""The predictive mean :math:`\bar f(x) = \sum_i k(x, c_i)\,\alpha_i + x\,A`.

    With :math:`k = \phi(r^2)`, :math:`r^2 = \sum_l (x_l - c_l)^2/\ell_l^2`, and the slope
    :math:`s = -2\phi'`, the derivative is a difference of two sums over the same centres,

    .. math::
        \frac{\partial \bar f}{\partial x_l}
        = \frac{1}{\ell_l}\Big[\sum_i s_i u_{il}\,\alpha_i - u_l \sum_i s_i\,\alpha_i\Big] + A_l,
        \quad u = x/\ell,

    so that values and derivatives of all components are one matrix product with the columns
    :math:`[\alpha, u_1 \circ \alpha, u_2 \circ \alpha, ...]`, kept ready here. A component of
    ones counts the templates: their density :math:`\rho(x) = \sum_i k(x, c_i)/k(0)` says how many
    of them the mean rests on.

    Args:
        centres: Labels of the centres in units of the length scales.
        lengthscale: Length scale of each label.
        outputscale: Factor of the radial kernel.
        smooth: Whether the radial kernel is the RBF; else Matern-5/2.
        weights: The columns above, side by side.
        trend: Slope A of the linear kernel; 0 where there is none.
    """

    centres: Float[Tensor, "centre label"]
    lengthscale: Float[Tensor, " label"]
    outputscale: Float[Tensor, ""]
    smooth: bool
    weights: Float[Tensor, "centre column"]
    trend: Float[Tensor, "label comp"]

    @classmethod
    def of(
        cls,
        kernel: tuple[Float[Tensor, " label"], Float[Tensor, ""], bool],
        centres: Float[Tensor, "centre label"],
        alpha: Float[Tensor, "centre comp"],
        trend: Float[Tensor, "label comp"],
        share: Float[Tensor, " centre"],
    ) -> "Predictor":
        """Lay out the columns.

        Args:
            kernel: Length scales, output scale, and whether it is the RBF.
            centres: Unit labels of the centres.
            alpha: Weights of the centres.
            trend: Slope of the linear kernel.
            share: Templates that each centre stands for.

        Returns:
            The predictor.
        """
        lengthscale, outputscale, smooth = kernel
        scaled = centres / lengthscale
        block = torch.cat([alpha, share[:, None] / outputscale], dim=1)
        columns = [block, *(column[:, None] * block for column in scaled.unbind(dim=1))]
        flat = torch.cat([trend, torch.zeros_like(trend[:, :1])], dim=1)
        return cls(scaled, lengthscale, outputscale, smooth, torch.cat(columns, dim=1), flat)

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the numbers."""
        return self.centres.dtype

    def to(self, dtype: torch.dtype) -> "Predictor":
        """The same mean in another precision."""
        return replace(
            self,
            centres=self.centres.to(dtype),
            lengthscale=self.lengthscale.to(dtype),
            outputscale=self.outputscale.to(dtype),
            weights=self.weights.to(dtype),
            trend=self.trend.to(dtype),
        )

    def mean(self, x: Float[Tensor, "star label"]) -> Float[Tensor, "star comp"]:
        """Predictive mean of standardised outputs at unit labels."""
        return self.mean_and_density(x)[0]

    def mean_and_density(
        self, x: Float[Tensor, "star label"]
    ) -> tuple[Float[Tensor, "star comp"], Float[Tensor, " star"]]:
        """Predictive mean, and how many templates it rests on.

        Args:
            x: Unit labels.

        Returns:
            Standardised outputs and density.
        """
        value, _ = self._value_and_slope(x / self.lengthscale)
        both = value @ self.weights[:, : self.trend.shape[1]] + x @ self.trend
        return both[:, :-1], both[:, -1]

    def derivatives(self, x: Float[Tensor, "star label"]) -> Prediction:
        """Predictive mean and density with their derivatives by the unit labels.

        Args:
            x: Unit labels.

        Returns:
            All four.
        """
        u = x / self.lengthscale
        value, slope = self._value_and_slope(u)
        n_out = self.trend.shape[1]
        sums = (slope @ self.weights).reshape(len(x), -1, n_out)
        level = sums[:, 0]
        mean = (level if self.smooth else value @ self.weights[:, :n_out]) + x @ self.trend
        bend = (sums[:, 1:] - u[:, :, None] * level[:, None]) / self.lengthscale[:, None]
        rise = bend + self.trend
        return Prediction(mean[:, :-1], rise[:, :, :-1], mean[:, -1], rise[:, :, -1])

    def _value_and_slope(self, u: Float[Tensor, "star label"]) -> tuple[Tensor, Tensor]:
        """Kernel between stars and centres, and its slope; for the RBF they are equal."""
        square = _square_distance(u, self.centres)
        if self.smooth:
            value = square.mul_(-0.5).exp_().mul_(self.outputscale)
            return value, value
        root = SQRT5 * square.sqrt()
        decay = self.outputscale * torch.exp(-root)
        return (1 + root + root.square() / 3) * decay, 5 / 3 * (1 + root) * decay


def _square_distance(
    u: Float[Tensor, "star label"], centres: Float[Tensor, "centre label"]
) -> Float[Tensor, "star centre"]:
    """Squared distances, from differences: the product of both cancels too much."""
    if len(u) * len(centres) < FEW_PAIRS:
        return torch.cdist(u, centres, compute_mode="donot_use_mm_for_euclid_dist").square_()
    columns = centres.mT.contiguous()
    total = (u[:, :1] - columns[0]).square_()
    for label in range(1, len(columns)):
        offset = u[:, label, None] - columns[label]
        total.addcmul_(offset, offset)
    return total
