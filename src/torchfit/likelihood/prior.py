"""The prior on the labels: where the matching has put a star, and how wrong it may be."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


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

    def to(self, dtype: torch.dtype) -> "StartPrior":
        """The same prior in another precision."""
        return StartPrior(self.mean.to(dtype), self.precision.to(dtype))

    def half_gradient(self, unit: Float[Tensor, "star label"]) -> Float[Tensor, "star label"]:
        """Half the gradient of the penalty."""
        return torch.einsum("sij,sj->si", self.precision, unit - self.mean)

    def penalty(self, unit: Float[Tensor, "star *cand label"]) -> Float[Tensor, "star *cand"]:
        """The prior's share of the loss."""
        shape = (len(self.mean),) + (1,) * (unit.ndim - 2) + (self.mean.shape[1],)
        offset = unit - self.mean.reshape(shape)
        return torch.einsum("s...i,sij,s...j->s...", offset, self.precision, offset)
