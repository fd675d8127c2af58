"""A Gaussian process of one number over stellar labels, condensed onto a few points."""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import gpytorch
import torch
from botorch.exceptions import InputDataWarning
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from gpytorch.kernels import ConstantKernel, Kernel, RBFKernel, ScaleKernel
from gpytorch.priors import LogNormalPrior
from jaxtyping import Float, Int
from torch import Tensor

FAR = 1e6
"""Where an input that is not known lies: so far from all others that they say nothing."""
JITTER = 1e-6


@dataclass(frozen=True)
class Hyperparameters:
    r"""Of the kernel :math:`b + c\,\exp(-\frac12\sum_l (x_l - x'_l)^2/\ell_l^2)`.

    Args:
        lengthscale: Length scale of each input.
        outputscale: c.
        constant: b, how far the level of the whole may be from its prior mean.
        noise: Variance of the noise.
    """

    lengthscale: Float[Tensor, " input"]
    outputscale: float
    constant: float
    noise: float

    @classmethod
    def usual(cls, n_inputs: int, constant: float, noise: float) -> "Hyperparameters":
        """What is assumed where too little is known to learn: slow changes by a third.

        Args:
            n_inputs: Number of inputs.
            constant: b.
            noise: Variance of the noise.
        """
        return cls(torch.full((n_inputs,), 1.5, dtype=torch.float64), 0.1, constant, noise)

    def covariance(
        self, x: Float[Tensor, "star input"], y: Float[Tensor, "point input"]
    ) -> Float[Tensor, "star point"]:
        """Covariance of every pair."""
        distance = torch.cdist(x / self.lengthscale, y / self.lengthscale)
        return self.constant + self.outputscale * torch.exp(-0.5 * distance.square())


def learn_hyperparameters(
    x: Float[Tensor, "star input"],
    y: Float[Tensor, " star"],
    usual: Hyperparameters,
    learn_noise: bool,
) -> Hyperparameters:
    """Hyperparameters of greatest posterior probability, by GPyTorch and BoTorch.

    Priors hold them within a factor of two (length scales) and three (output scale) of the usual
    ones, unless many stars say otherwise.

    Args:
        x: Inputs, z-scored.
        y: Outputs, whose prior mean is 0.
        usual: Where to begin; its constant is kept.
        learn_noise: Whether to learn the noise too.

    Returns:
        Hyperparameters.
    """
    kernel = _kernel(usual)
    noise = None if learn_noise else torch.full_like(y, usual.noise)[:, None]
    with warnings.catch_warnings(), torch.enable_grad():
        warnings.simplefilter("ignore", InputDataWarning)
        model = SingleTaskGP(
            x, y[:, None], noise, covar_module=kernel, mean_module=gpytorch.means.ZeroMean(),
            outcome_transform=None,
        )  # fmt: skip
        fit_gpytorch_mll(gpytorch.mlls.ExactMarginalLogLikelihood(model.likelihood, model))
    scaled = kernel.kernels[1]
    return Hyperparameters(
        scaled.base_kernel.lengthscale.detach().reshape(-1),
        float(scaled.outputscale.detach()),
        usual.constant,
        float(model.likelihood.noise.detach().mean()),
    )


def _kernel(usual: Hyperparameters) -> Kernel:
    """The kernel with priors, its constant held fixed."""
    lengthscale, outputscale = float(usual.lengthscale[0]), usual.outputscale
    base = RBFKernel(
        ard_num_dims=len(usual.lengthscale),
        lengthscale_prior=LogNormalPrior(math.log(lengthscale), math.log(2.0)),
    )
    scaled = ScaleKernel(
        base, outputscale_prior=LogNormalPrior(math.log(outputscale), math.log(3.0))
    )
    level = ConstantKernel()
    kernel = (level + scaled).double()
    kernel.kernels[0].initialize(constant=torch.tensor(usual.constant).double())
    kernel.kernels[0].raw_constant.requires_grad_(False)
    base.initialize(lengthscale=usual.lengthscale)
    scaled.initialize(outputscale=torch.tensor(outputscale).double())
    return kernel


@dataclass(frozen=True)
class ScaleGP:
    r"""The posterior of a Gaussian process through m inducing points Z.

    .. math::
        \bar f(x) = k(x, Z)\,\beta, \quad
        v(x) = k(x, x) - k(x, Z)\,(K_{ZZ}^{-1} - A^{-1})\,k(Z, x), \quad
        A = K_{ZZ} + \sigma^{-2} K_{ZX} K_{XZ}, \quad \beta = \sigma^{-2} A^{-1} K_{ZX}\, y.

    With all training inputs among Z this is the exact posterior; with few of very many it costs
    n m^2 once, and m afterwards.

    Args:
        points: Z.
        weights: :math:`\beta`.
        shrink: :math:`K_{ZZ}^{-1} - A^{-1}`.
        hyperparameters: Of the kernel.

    References:
        Titsias 2009, AISTATS, "Variational learning of inducing variables in sparse GPs".
    """

    points: Float[Tensor, "point input"]
    weights: Float[Tensor, " point"]
    shrink: Float[Tensor, "point point"]
    hyperparameters: Hyperparameters

    @classmethod
    def fit(
        cls,
        x: Float[Tensor, "star input"],
        y: Float[Tensor, " star"],
        hyperparameters: Hyperparameters,
        n_points: int = 128,
    ) -> "ScaleGP":
        """Condense data.

        Args:
            x: Inputs.
            y: Outputs, whose prior mean is 0.
            hyperparameters: Of the kernel.
            n_points: Most inducing points.

        Returns:
            The posterior.
        """
        points = x[spread_out(x, n_points)]
        prior = hyperparameters.covariance(points, points)
        prior = prior + JITTER * prior.diagonal().mean() * torch.eye(len(points)).to(prior)
        cross = hyperparameters.covariance(points, x)
        factor = torch.linalg.cholesky(prior + cross @ cross.mT / hyperparameters.noise)
        pull = (cross @ y / hyperparameters.noise)[:, None]
        shrink = torch.linalg.inv(prior) - torch.cholesky_inverse(factor)
        weights = torch.cholesky_solve(pull, factor)[:, 0]
        return cls(points, weights, shrink, hyperparameters)

    def predict(
        self, x: Float[Tensor, "star input"]
    ) -> tuple[Float[Tensor, " star"], Float[Tensor, " star"]]:
        """Mean and variance of the function, without noise.

        Args:
            x: Inputs; of a star with one that is NaN nothing but the general level is known.

        Returns:
            Mean and variance.
        """
        cross = self.hyperparameters.covariance(x.nan_to_num(FAR), self.points)
        known = ((cross @ self.shrink) * cross).sum(dim=1)
        prior = self.hyperparameters.constant + self.hyperparameters.outputscale
        return cross @ self.weights, (prior - known).clamp_min(0.0)

    def state(self) -> dict[str, Tensor]:
        """All of it as tensors by name, for a file."""
        kernel = self.hyperparameters
        levels = [kernel.outputscale, kernel.constant, kernel.noise]
        return {
            "points": self.points,
            "weights": self.weights,
            "shrink": self.shrink,
            "lengthscale": kernel.lengthscale,
            "levels": torch.tensor(levels, dtype=torch.float64),
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> "ScaleGP":
        """The Gaussian process whose :meth:`state` it is."""
        hyperparameters = Hyperparameters(state["lengthscale"], *state["levels"].tolist())
        return cls(state["points"], state["weights"], state["shrink"], hyperparameters)


def spread_out(x: Float[Tensor, "star input"], n_points: int) -> Int[Tensor, " point"]:
    """Choose points far from each other: each next one is farthest from all before.

    Args:
        x: Candidates.
        n_points: How many to choose at most.

    Returns:
        Indices of different points, at most as many as there are candidates.

    References:
        Gonzalez 1985, Theoretical Computer Science 38, 293.
    """
    chosen = [0]
    distance = (x - x[0]).square().sum(dim=1)
    while len(chosen) < n_points and float(distance.max()) > 0:
        chosen.append(int(distance.argmax()))
        distance = torch.minimum(distance, (x - x[chosen[-1]]).square().sum(dim=1))
    return torch.tensor(chosen)
