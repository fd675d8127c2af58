"""Log marginal likelihoods of many outputs, with their gradients in closed form."""

from typing import Any

import torch
from jaxtyping import Float
from linear_operator.utils.cholesky import psd_safe_cholesky
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from torchfit.emulator.own_noise import Modes


class LogMarginalLikelihood(Function):
    r"""Log density of the columns of Y under :math:`N(0, C)`, with a gradient by C only.

    .. math::
        \log p = -\tfrac12 \mathrm{tr}(Y^T C^{-1} Y) - \tfrac{k}{2}\log|C|
        - \tfrac{nk}{2}\log 2\pi, \quad
        \frac{\partial \log p}{\partial C} = \tfrac12 (A A^T - k\,C^{-1}), \quad A = C^{-1} Y.

    The derivative of the Cholesky factor itself would cost several times as much.

    References:
        Rasmussen & Williams 2006, Eq. 5.9.
    """

    @staticmethod
    def forward(
        ctx: Any,
        covariance: Float[Tensor, "template template"],
        y: Float[Tensor, "template comp"],
    ) -> Float[Tensor, ""]:
        """The sum over outputs, in nats; jitter is added, with a warning, if C is singular."""
        factor = psd_safe_cholesky(covariance)
        alpha = torch.cholesky_solve(y, factor)
        ctx.save_for_backward(factor, alpha)
        log_det = 2 * factor.diagonal().log().sum()
        constant = y.shape[0] * torch.log(torch.tensor(2 * torch.pi, dtype=y.dtype))
        return -0.5 * ((y * alpha).sum() + y.shape[1] * (log_det + constant))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Float[Tensor, ""]) -> tuple[Tensor, None]:
        """The gradient by the covariance."""
        factor, alpha = ctx.saved_tensors
        inverse = torch.cholesky_inverse(factor)
        return 0.5 * grad * torch.addmm(inverse, alpha, alpha.mT, beta=-alpha.shape[1]), None


class OwnNoiseLikelihood(Function):
    r"""Log density of the columns of Y under :math:`N(0, K + \sigma_j^2)`, at the likeliest noises.

    A gradient by K sees no change of a noise that is likeliest:

    .. math::
        \frac{\partial \log p}{\partial K} = \tfrac12 \Big(A A^T
        - U \Big[\sum_j (\lambda + \sigma_j^2)^{-1}\Big] U^T\Big), \quad
        K = U \lambda U^T, \quad A_j = (K + \sigma_j^2)^{-1} y_j.
    """

    @staticmethod
    def forward(
        ctx: Any,
        covariance: Float[Tensor, "template template"],
        y: Float[Tensor, "template comp"],
    ) -> Float[Tensor, ""]:
        """The sum over outputs, in nats."""
        value, vector = torch.linalg.eigh(covariance)
        along = vector.mT @ y
        modes = Modes(value.clamp_min(0.0), along.square(), 0, torch.zeros_like(y[0]))
        noise = modes.likeliest_noise()
        inverse = (modes.value[:, None] + noise).reciprocal()
        ctx.save_for_backward(vector, along, inverse)
        return modes.log_density(noise).diagonal().sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Float[Tensor, ""]) -> tuple[Tensor, None]:
        """The gradient by the covariance."""
        vector, along, inverse = ctx.saved_tensors
        alpha = along * inverse
        inner = alpha @ alpha.mT - inverse.sum(dim=1).diag()
        return 0.5 * grad * (vector @ inner @ vector.mT), None
