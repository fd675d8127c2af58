r"""Gaussian processes of one kernel whose outputs have each a noise of its own.

One eigen-decomposition of the covariance without noise, :math:`K = U \lambda U^T`, serves all of
them: :math:`(K + \sigma_j^2)^{-1} = U (\lambda + \sigma_j^2)^{-1} U^T`.
"""

import math
from dataclasses import dataclass

import torch
from gpytorch.kernels import Kernel
from jaxtyping import Float, Int
from linear_operator.utils.cholesky import psd_safe_cholesky
from torch import Tensor

from torchfit.emulator.kernel import dense_covariance
from torchfit.emulator.solution import ROWS_AT_ONCE, covariance_of_points, seen_by_points
from torchfit.spectra import slices

LEAST, MOST, STEP = math.log(1e-5), math.log(1e2), 0.1
"""Natural logarithms of the noise variances among which the likeliest is sought, and their step."""
_NO_SIGNAL = 1e-12
"""Share of the largest eigenvalue below which one is 0 but for rounding."""


@dataclass(frozen=True)
class Modes:
    r"""Outputs along the eigenvectors of their covariance, where they are independent.

    .. math:: -2 \log p_j = \sum_i \Big[\log(\lambda_i + \sigma_j^2)
        + \frac{z_{ij}^2}{\lambda_i + \sigma_j^2}\Big] + n \log 2\pi, \quad z = U^T y

    Args:
        value: Eigenvalues :math:`\lambda`.
        energy: Squares :math:`z^2` of every output.
        n_rest: Number of eigenvectors beside these, whose eigenvalue is 0.
        rest: Sum of the squares along them.
    """

    value: Float[Tensor, " mode"]
    energy: Float[Tensor, "mode comp"]
    n_rest: int
    rest: Float[Tensor, " comp"]

    def log_density(self, noise: Float[Tensor, " cand"]) -> Float[Tensor, "cand comp"]:
        """Log density of each output for each candidate of its noise variance."""
        total = self.value + noise[:, None]
        square = total.reciprocal() @ self.energy + self.rest / noise[:, None]
        log_det = total.log().sum(dim=1) + self.n_rest * noise.log()
        n = len(self.value) + self.n_rest
        return -0.5 * (square + log_det[:, None] + n * math.log(2 * math.pi))

    def likeliest_noise(self) -> Float[Tensor, " comp"]:
        """Noise variance of each output by marginal likelihood: a grid, and a parabola on its top.

        Returns:
            Variances between 1e-5 and 100.
        """
        level = torch.arange(LEAST, MOST, STEP, dtype=torch.float64).to(self.value)
        density = self.log_density(level.exp())
        top = density.argmax(dim=0).clamp(1, len(level) - 2)
        before, at, after = (density.gather(0, (top + i)[None])[0] for i in (-1, 0, 1))
        bend = before - 2 * at + after
        offset = torch.where(bend < 0, 0.5 * (before - after) / bend, 0.0).clamp(-1, 1)
        return (level[top] + STEP * offset).exp()


@dataclass(frozen=True)
class ExactModes:
    """The exact process; see :class:`torchfit.emulator.solution.Solution`.

    Args:
        kernel: Kernel.
        x: Unit labels of the templates.
        value: Eigenvalues of their covariance.
        vector: Eigenvectors.
        noise: Noise variance of each output; NaN while it is not known.
    """

    kernel: Kernel
    x: Float[Tensor, "template label"]
    value: Float[Tensor, " template"]
    vector: Float[Tensor, "template template"]
    noise: Float[Tensor, " comp"]

    @classmethod
    def of(cls, kernel: Kernel, x: Float[Tensor, "template label"]) -> "ExactModes":
        """Decompose the covariance of the templates."""
        value, vector = torch.linalg.eigh(dense_covariance(kernel, x, x))
        return cls(kernel, x, value.clamp_min(0.0), vector, torch.full_like(value[:1], torch.nan))

    def modes(self, y: Float[Tensor, "template comp"]) -> Modes:
        """Outputs along the eigenvectors."""
        return Modes(self.value, (self.vector.mT @ y).square(), 0, torch.zeros_like(y[0]))

    @property
    def _inverse(self) -> Float[Tensor, "template comp"]:
        return (self.value[:, None] + self.noise).reciprocal()

    def weights(self, y: Float[Tensor, "template comp"]) -> Float[Tensor, "template comp"]:
        """See :class:`torchfit.emulator.solution.Solution`."""
        return self.vector @ (self._inverse * (self.vector.mT @ y))

    def left_out(
        self,
        y: Float[Tensor, "template comp"],
        alpha: Float[Tensor, "template comp"],
        rows: Int[Tensor, " row"],
    ) -> Float[Tensor, "row comp"]:
        r"""Residuals :math:`[C_j^{-1} y]_i / [C_j^{-1}]_{ii}`."""
        return alpha[rows] / (self.vector[rows].square() @ self._inverse)

    def variance(self, x: Float[Tensor, "star label"]) -> Float[Tensor, "star comp"]:
        r"""Predictive variance :math:`k(x,x) - \sum_i (U^T k)_i^2/(\lambda_i + \sigma_j^2)`."""
        along = dense_covariance(self.kernel, x, self.x) @ self.vector
        return self.kernel(x, diag=True)[:, None] - along.square() @ self._inverse


@dataclass(frozen=True)
class InducingModes:
    r"""The process seen through m of its stars; see :class:`torchfit.emulator.solution.Inducing`.

    With :math:`K_{mm} = L L^T`, :math:`L^{-1} K_{mn} K_{nm} L^{-T} = V D V^T` and
    :math:`W = L^{-T} V`, the matrix of output j is
    :math:`A_j^{-1} = W (D + \sigma_j^2)^{-1} W^T`.

    Args:
        kernel: Kernel.
        x: Unit labels of all templates.
        centres: Unit labels of the inducing points.
        value: D.
        whitener: W.
        noise: Noise variance of each output; NaN while it is not known.
    """

    kernel: Kernel
    x: Float[Tensor, "template label"]
    centres: Float[Tensor, "centre label"]
    value: Float[Tensor, " centre"]
    whitener: Float[Tensor, "centre centre"]
    noise: Float[Tensor, " comp"]

    @classmethod
    def of(
        cls,
        kernel: Kernel,
        x: Float[Tensor, "template label"],
        centres: Float[Tensor, "centre label"],
    ) -> "InducingModes":
        """Sum over all templates and decompose."""
        among = covariance_of_points(kernel, centres)
        factor = psd_safe_cholesky(among)
        total = torch.zeros_like(among)
        for rows in slices(len(x), ROWS_AT_ONCE):
            cross = dense_covariance(kernel, x[rows], centres)
            white = torch.linalg.solve_triangular(factor, cross.mT, upper=False)
            total.addmm_(white, white.mT)
        value, vector = torch.linalg.eigh(total)
        whitener = torch.linalg.solve_triangular(factor.mT, vector, upper=True)
        unknown = torch.full_like(value[:1], torch.nan)
        return cls(kernel, x, centres, value.clamp_min(0.0), whitener, unknown)

    def modes(self, y: Float[Tensor, "template comp"]) -> Modes:
        """Outputs along the eigenvectors of the covariance that the points give the templates."""
        known = self.value > _NO_SIGNAL * self.value.max()
        along = self._along(y).square()
        energy = torch.where(known[:, None], along / self.value.clamp_min(1e-300)[:, None], 0.0)
        rest = (y.square().sum(dim=0) - energy.sum(dim=0)).clamp_min(0.0)
        return Modes(self.value, energy, len(self.x) - len(self.value), rest)

    def _along(self, y: Float[Tensor, "template comp"]) -> Float[Tensor, "centre comp"]:
        """Outputs seen by the whitened points, :math:`W^T K_{mn} Y`."""
        return self.whitener.mT @ seen_by_points(self.kernel, self.centres, self.x, y)

    @property
    def _inverse(self) -> Float[Tensor, "centre comp"]:
        return (self.value[:, None] + self.noise).reciprocal()

    def weights(self, y: Float[Tensor, "template comp"]) -> Float[Tensor, "centre comp"]:
        """See :class:`torchfit.emulator.solution.Solution`."""
        return self.whitener @ (self._inverse * self._along(y))

    def left_out(
        self,
        y: Float[Tensor, "template comp"],
        alpha: Float[Tensor, "centre comp"],
        rows: Int[Tensor, " row"],
    ) -> Float[Tensor, "row comp"]:
        """Residuals over one less the leverage; the points stay where they are."""
        residuals = []
        for some in rows.split(ROWS_AT_ONCE):
            cross = dense_covariance(self.kernel, self.x[some], self.centres)
            leverage = (cross @ self.whitener).square() @ self._inverse
            residuals.append((y[some] - cross @ alpha) / (1 - leverage))
        return torch.cat(residuals)

    def variance(self, x: Float[Tensor, "star label"]) -> Float[Tensor, "star comp"]:
        r"""Predictive variance :math:`k(x,x) - \sum_i (W^T k_m)_i^2 D_i/(D_i + \sigma_j^2)`."""
        along = dense_covariance(self.kernel, x, self.centres) @ self.whitener
        explained = along.square() @ (self.value[:, None] * self._inverse)
        return self.kernel(x, diag=True)[:, None] - explained
