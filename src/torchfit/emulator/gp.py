"""A Gaussian process with many outputs that share one kernel: one Cholesky serves them all."""

import gpytorch
import torch
from gpytorch.kernels import Kernel, RBFKernel
from jaxtyping import Float
from linear_operator.utils.cholesky import psd_safe_cholesky
from torch import Tensor

from torchfit.emulator.kernel import dense_covariance, linear_part, radial_part
from torchfit.emulator.predictor import Predictor

MIN_NOISE = 1e-6


class SharedKernelGP(torch.nn.Module):
    r"""Outputs :math:`y_j \sim GP(0, K)`, independent, with one kernel and one noise.

    With :math:`C = K(X, X) + \sigma^2 I` and all outputs as columns of Y:

    .. math::
        \log p = -\tfrac12 \mathrm{tr}(Y^T C^{-1} Y) - \tfrac{k}{2} \log|C|
        - \tfrac{nk}{2}\log 2\pi, \quad \bar f(x) = K(x, X) C^{-1} Y,
        \quad v(x) = k(x, x) - K(x, X) C^{-1} K(X, x).

    A multitask kernel over n stars and k outputs would need a matrix of (nk)^2; this needs n^2.

    Args:
        kernel: Kernel made by :func:`torchfit.emulator.kernel.build_kernel`.
        noise: Variance of the noise on standardised outputs; a number is held fixed, ``None`` is
            learned.

    References:
        Rasmussen & Williams 2006, sections 2.3 and 5.4.2 (leave-one-out).
    """

    x_train: Tensor
    alpha: Tensor

    def __init__(self, kernel: Kernel, noise: float | None = None) -> None:
        super().__init__()
        self.kernel = kernel
        self._predictor: tuple[Tensor, Predictor] | None = None
        constraint = gpytorch.constraints.GreaterThan(MIN_NOISE)
        self.likelihood = gpytorch.likelihoods.GaussianLikelihood(
            noise_constraint=constraint
        ).double()
        level = 0.3 if noise is None else max(noise, 2 * MIN_NOISE)
        self.likelihood.initialize(noise=torch.tensor(level, dtype=torch.float64))
        self.likelihood.raw_noise.requires_grad_(noise is None)

    def cholesky(self, x: Float[Tensor, "template label"]) -> Float[Tensor, "template template"]:
        """Lower Cholesky factor of the covariance of the noisy training outputs.

        Args:
            x: Unit labels of the templates, float64.

        Returns:
            Factor L with C = L L^T; jitter is added, with a warning, only if C is singular.
        """
        covariance = dense_covariance(self.kernel, x, x)
        noise = self.likelihood.noise * torch.eye(len(x), dtype=x.dtype, device=x.device)
        return psd_safe_cholesky(covariance + noise)

    def log_marginal_likelihood(
        self, x: Float[Tensor, "template label"], y: Float[Tensor, "template comp"]
    ) -> Float[Tensor, ""]:
        """Log marginal likelihood of all outputs together.

        Args:
            x: Unit labels.
            y: Standardised outputs.

        Returns:
            The sum over outputs, in nats.
        """
        factor = self.cholesky(x)
        whitened = torch.linalg.solve_triangular(factor, y, upper=False)
        log_det = 2 * factor.diagonal().log().sum()
        constant = y.shape[0] * torch.log(torch.tensor(2 * torch.pi, dtype=y.dtype))
        return -0.5 * (whitened.square().sum() + y.shape[1] * (log_det + constant))

    @torch.no_grad()
    def condition(
        self, x: Float[Tensor, "template label"], y: Float[Tensor, "template comp"]
    ) -> Float[Tensor, "template comp"]:
        r"""Fit the outputs at fixed hyperparameters and return the leave-one-out residuals.

        The residual of star i when all others predict it has a closed form,
        :math:`y_i - \bar f_{-i}(x_i) = [C^{-1} y]_i / [C^{-1}]_{ii}`.

        Args:
            x: Unit labels.
            y: Standardised outputs.

        Returns:
            Leave-one-out residuals.
        """
        factor = self.cholesky(x)
        self.register_buffer("x_train", x)
        self.register_buffer("alpha", torch.cholesky_solve(y, factor))
        return self.alpha / torch.cholesky_inverse(factor).diagonal()[:, None]

    @property
    def predictor(self) -> Predictor:
        """The predictive mean as plain tensors, made once for every set of outputs."""
        if self._predictor is None or self._predictor[0] is not self.alpha:
            self._predictor = (self.alpha, self._make_predictor())
        return self._predictor[1]

    @torch.no_grad()
    def _make_predictor(self) -> Predictor:
        radial, linear = radial_part(self.kernel), linear_part(self.kernel)
        base, x = radial.base_kernel, self.x_train
        lengthscale = base.lengthscale.reshape(-1).expand(x.shape[1]).contiguous()
        trend = x.new_zeros(x.shape[1], self.alpha.shape[1])
        if linear is not None:
            trend = linear.variance.reshape(-1, 1) * (x.mT @ self.alpha)
        kernel = lengthscale, radial.outputscale, isinstance(base, RBFKernel)
        return Predictor.of(kernel, x, self.alpha, trend, torch.ones_like(x[:, 0]))

    def mean(self, x: Float[Tensor, "star label"]) -> Float[Tensor, "star comp"]:
        """Predictive mean; see :meth:`torchfit.emulator.predictor.Predictor.mean`."""
        return self.predictor.mean(x)

    @torch.no_grad()
    def variance(self, x: Float[Tensor, "star label"]) -> Float[Tensor, " star"]:
        """Predictive variance of the noiseless standardised outputs, the same for all of them.

        Args:
            x: Unit labels.

        Returns:
            Variance; it grows to the prior's away from the library.
        """
        factor = self.cholesky(self.x_train)
        cross = dense_covariance(self.kernel, x, self.x_train)
        whitened = torch.linalg.solve_triangular(factor, cross.mT, upper=False)
        return self.kernel(x, diag=True) - whitened.square().sum(dim=0)
