"""A Gaussian process with many outputs that share one kernel: one factor serves them all."""

from dataclasses import replace

import gpytorch
import torch
from gpytorch.kernels import Kernel, RBFKernel
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.emulator.inducing_points import farthest_points, nearest_counts
from torchfit.emulator.kernel import dense_covariance, linear_part, radial_part
from torchfit.emulator.likelihood import LogMarginalLikelihood, OwnNoiseLikelihood
from torchfit.emulator.own_noise import ExactModes, InducingModes
from torchfit.emulator.predictor import Predictor
from torchfit.emulator.solution import Exact, Inducing, Solution

MIN_NOISE = 1e-6
EACH = "each"
"""Setting of the noise by which every output has its own."""
Noise = float | str | None


class SharedKernelGP(torch.nn.Module):
    r"""Outputs :math:`y_j \sim GP(0, K)`, independent, with one kernel.

    With :math:`C_j = K(X, X) + \sigma_j^2 I`:

    .. math::
        \log p = -\tfrac12 \sum_j \big[y_j^T C_j^{-1} y_j + \log|C_j| + n \log 2\pi\big], \quad
        \bar f_j(x) = K(x, X) C_j^{-1} y_j,
        \quad v_j(x) = k(x, x) - K(x, X) C_j^{-1} K(X, x).

    A multitask kernel over n stars and k outputs would need a matrix of (nk)^2; this needs n^2.
    With a noise that all outputs share, one Cholesky factor serves them all; with noises of their
    own (the likeliest ones at the kernel's hyperparameters), one eigen-decomposition. Of components
    of the flux the first are known to a hundredth of their variance and the last are all noise: one
    noise for all smooths the first, and bends their mean wherever it curves.

    Args:
        kernel: Kernel made by :func:`torchfit.emulator.kernel.build_kernel`.
        noise: Variance of the noise on standardised outputs: ``each`` finds that of every output,
            ``None`` learns one for all, a number is held fixed.
        n_inducing: Number of inducing points that predict in place of the templates (see
            :class:`torchfit.emulator.solution.Inducing`); ``None``, or as many as there are
            templates, is exact.

    References:
        Rasmussen & Williams 2006, sections 2.3 and 5.4.2 (leave-one-out).
    """

    x_train: Tensor
    centre: Tensor
    alpha: Tensor

    def __init__(self, kernel: Kernel, noise: Noise = None, n_inducing: int | None = None) -> None:
        super().__init__()
        self.kernel = kernel
        self.n_inducing = n_inducing
        self._predictor: tuple[Tensor, Predictor] | None = None
        self._solution: tuple[Tensor, Solution] | None = None
        self.has_own_noise = noise == EACH
        free = noise is None
        level = 0.3 if free or isinstance(noise, str) else noise
        self.hold_noise(torch.tensor([level], dtype=torch.float64))
        self.likelihood.raw_noise.requires_grad_(free)

    def hold_noise(self, noise: Float[Tensor, " noise"]) -> None:
        """Set the noise, and hold it.

        Args:
            noise: Variance, one for all outputs or one for each.
        """
        constraint = gpytorch.constraints.GreaterThan(MIN_NOISE)
        several = torch.Size([len(noise)] if len(noise) > 1 else [])
        self.likelihood = gpytorch.likelihoods.GaussianLikelihood(
            noise_constraint=constraint, batch_shape=several
        ).to(noise)
        self.likelihood.initialize(noise=noise.clamp_min(2 * MIN_NOISE).reshape(*several, 1))
        self.likelihood.raw_noise.requires_grad_(False)

    @property
    def noise(self) -> Float[Tensor, " noise"]:
        """Variance of the noise, one for all outputs or one for each."""
        return self.likelihood.noise.reshape(-1)

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
        covariance = dense_covariance(self.kernel, x, x)
        if self.has_own_noise:
            return OwnNoiseLikelihood.apply(covariance, y)
        covariance = covariance + self.likelihood.noise * torch.eye(len(x)).to(x)
        return LogMarginalLikelihood.apply(covariance, y)

    @torch.no_grad()
    def condition(
        self,
        x: Float[Tensor, "template label"],
        y: Float[Tensor, "template comp"],
        rows: Int[Tensor, " row"] | None = None,
    ) -> Float[Tensor, "row comp"]:
        r"""Fit the outputs at fixed hyperparameters and return the leave-one-out residuals.

        The residual of star i when all others predict it has a closed form,
        :math:`y_i - \bar f_{-i}(x_i) = [C^{-1} y]_i / [C^{-1}]_{ii}`. Noises of their own are found
        here, since other templates may have other components.

        Args:
            x: Unit labels.
            y: Standardised outputs.
            rows: Templates whose residuals are wanted; ``None`` for all.

        Returns:
            Leave-one-out residuals.
        """
        centre = torch.arange(len(x), device=x.device)
        if self.n_inducing is not None and self.n_inducing < len(x):
            centre = farthest_points(x / self._lengthscale(x), self.n_inducing)
        self.register_buffer("x_train", x)
        self.register_buffer("centre", centre)
        solution = self._solve(y)
        self.register_buffer("alpha", solution.weights(y))
        # The factor of an exact process would outweigh all else that an emulator holds.
        exact = isinstance(solution, Exact | ExactModes)
        self._solution = None if exact else (self.alpha, solution)
        return solution.left_out(y, self.alpha, torch.arange(len(x)) if rows is None else rows)

    @torch.no_grad()
    def _solve(self, y: Float[Tensor, "template comp"] | None = None) -> Solution:
        """The process at its noise; for given outputs, at the noise that is likeliest for them."""
        x, noise = self.x_train, self.likelihood.noise
        is_exact = len(self.centre) == len(x)
        if self.has_own_noise:
            return self._solve_each(x, is_exact, y)
        if is_exact:
            return Exact.of(self.kernel, noise, x)
        return Inducing.of(self.kernel, noise, x, x[self.centre])

    def _solve_each(self, x: Tensor, is_exact: bool, y: Tensor | None) -> Solution:
        found: ExactModes | InducingModes = (
            ExactModes.of(self.kernel, x)
            if is_exact
            else InducingModes.of(self.kernel, x, x[self.centre])
        )
        if y is not None:
            self.hold_noise(found.modes(y).likeliest_noise())
        return replace(found, noise=self.noise)

    def _lengthscale(self, x: Float[Tensor, "template label"]) -> Float[Tensor, " label"]:
        lengthscale = radial_part(self.kernel).base_kernel.lengthscale.detach()
        return lengthscale.reshape(-1).expand(x.shape[1]).contiguous()

    @property
    def predictor(self) -> Predictor:
        """The predictive mean as plain tensors, made once for every set of outputs."""
        if self._predictor is None or self._predictor[0] is not self.alpha:
            self._predictor = (self.alpha, self._make_predictor())
        return self._predictor[1]

    @torch.no_grad()
    def _make_predictor(self) -> Predictor:
        radial, linear = radial_part(self.kernel), linear_part(self.kernel)
        x, lengthscale = self.x_train, self._lengthscale(self.x_train)
        centres = x[self.centre]
        share = torch.ones_like(x[:, 0])
        if len(centres) < len(x):
            share = nearest_counts(x / lengthscale, centres / lengthscale)
        trend = x.new_zeros(x.shape[1], self.alpha.shape[1])
        if linear is not None:
            trend = linear.variance.reshape(-1, 1) * (centres.mT @ self.alpha)
        kernel = lengthscale, radial.outputscale, isinstance(radial.base_kernel, RBFKernel)
        return Predictor.of(kernel, centres, self.alpha, trend, share)

    def mean(self, x: Float[Tensor, "star label"]) -> Float[Tensor, "star comp"]:
        """Predictive mean; see :meth:`torchfit.emulator.predictor.Predictor.mean`."""
        return self.predictor.mean(x)

    @torch.no_grad()
    def variance(self, x: Float[Tensor, "star label"]) -> Float[Tensor, "star comp"]:
        """Predictive variance of the noiseless standardised outputs.

        The first call factorises; an exact process then keeps its n x n factor. After that a star
        costs as many multiplications as there are numbers in the factor.

        Args:
            x: Unit labels.

        Returns:
            Variance of every output; it grows to the prior's away from the library.
        """
        if self._solution is None or self._solution[0] is not self.alpha:
            self._solution = (self.alpha, self._solve())
        variance = self._solution[1].variance(x)
        return variance if variance.ndim == 2 else variance[:, None].expand(-1, self.alpha.shape[1])
