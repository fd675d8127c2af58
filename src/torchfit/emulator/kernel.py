"""The kernel of the emulator's Gaussian process, and how it changes with its input."""

from typing import Literal

import gpytorch
import torch
from gpytorch.kernels import (
    AdditiveKernel,
    Kernel,
    LinearKernel,
    MaternKernel,
    RBFKernel,
    ScaleKernel,
)
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import ConfigError


def build_kernel(
    n_labels: int,
    shape: Literal["rbf", "matern52"] = "rbf",
    ard: bool = True,
    linear: bool = True,
    lengthscale: float | None = None,
    outputscale: float | None = None,
) -> Kernel:
    r"""Build constant x RBF, :math:`c \exp(-\frac12 \sum_l (x_l - x'_l)^2 / \ell_l^2)`.

    GPyTorch ignores a hyperparameter given to a kernel's constructor, so values are set here
    after construction.

    Args:
        n_labels: Number of inputs.
        shape: Radial shape, ``rbf`` or ``matern52``.
        ard: One length scale per label instead of one for all.
        linear: Add a linear kernel, so that the mean goes on along a slope outside the library.
        lengthscale: Length scale in unit labels; a number is held fixed, ``None`` is learned.
        outputscale: Factor c; a number is held fixed, ``None`` is learned.

    Returns:
        The kernel, in float64.

    Raises:
        ConfigError: If the shape is unknown or a hyperparameter is not positive.
    """
    dims = n_labels if ard else None
    if shape not in ("rbf", "matern52"):
        raise ConfigError(f"emulator.kernel.shape={shape} is unknown; use rbf or matern52")
    base = RBFKernel(ard_num_dims=dims) if shape == "rbf" else MaternKernel(2.5, ard_num_dims=dims)
    scaled = ScaleKernel(base).double()
    _set(base, "lengthscale", lengthscale, start=1.0)
    _set(scaled, "outputscale", outputscale, start=1.0)
    if not linear:
        return scaled
    return AdditiveKernel(scaled, LinearKernel(ard_num_dims=n_labels)).double()


def _set(kernel: Kernel, name: str, value: float | None, start: float) -> None:
    """Give a hyperparameter its value and freeze it, or its start value and leave it free."""
    if value is not None and value <= 0:
        raise ConfigError(f"emulator.kernel.{name}={value} must be positive")
    exact = torch.tensor(start if value is None else value, dtype=torch.float64)
    kernel.initialize(**{name: exact})
    kernel.get_parameter(f"raw_{name}").requires_grad_(value is None)


def radial_part(kernel: Kernel) -> ScaleKernel:
    """The constant x radial kernel inside a kernel made by :func:`build_kernel`."""
    return kernel.kernels[0] if isinstance(kernel, AdditiveKernel) else kernel


def linear_part(kernel: Kernel) -> LinearKernel | None:
    """The linear kernel inside a kernel made by :func:`build_kernel`, if there is one."""
    return kernel.kernels[1] if isinstance(kernel, AdditiveKernel) else None


def dense_covariance(
    kernel: Kernel, x: Float[Tensor, "star label"], y: Float[Tensor, "template label"]
) -> Float[Tensor, "star template"]:
    """Covariance matrix of a kernel made by :func:`build_kernel`.

    The parts are added as plain matrices: the lazy sum of GPyTorch would factorise the radial
    part first, at the cost of a Cholesky and a jitter that nobody needs.

    Args:
        kernel: The kernel.
        x: Unit labels.
        y: Unit labels.

    Returns:
        Covariance of every pair.
    """
    parts = kernel.kernels if isinstance(kernel, AdditiveKernel) else [kernel]
    return torch.stack([part(x, y).to_dense() for part in parts]).sum(dim=0)


def hyperparameters(
    kernel: Kernel, likelihood: gpytorch.likelihoods.GaussianLikelihood
) -> dict[str, list[float]]:
    """The hyperparameters by name, for the log and the artefact.

    Args:
        kernel: Kernel made by :func:`build_kernel`.
        likelihood: Holds the noise.

    Returns:
        Lists of numbers: ``lengthscale``, ``outputscale``, ``noise``, and ``slope`` (the variance
        of the linear kernel) where there is one.
    """
    radial, linear = radial_part(kernel), linear_part(kernel)
    values = {
        "lengthscale": radial.base_kernel.lengthscale,
        "outputscale": radial.outputscale,
        "noise": likelihood.noise,
    }
    if linear is not None:
        values["slope"] = linear.variance
    return {name: value.detach().flatten().tolist() for name, value in values.items()}
