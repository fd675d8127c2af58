"""The surrogate of Bayesian optimisation, and the climb of its upper confidence bound; batched."""

import warnings

import numpy as np
import torch
from botorch.acquisition import UpperConfidenceBound
from botorch.exceptions import InputDataWarning
from botorch.models import SingleTaskGP
from botorch.optim.batched_lbfgs_b import fmin_l_bfgs_b_batched
from gpytorch.kernels import MaternKernel
from jaxtyping import Float
from torch import Tensor

OBSERVATION_NOISE = 1e-4
LENGTHSCALES = torch.logspace(-1.5, 1.0, 26, dtype=torch.float64)
CLIMB_STEPS = 20


def fit_surrogate(
    x: Float[Tensor, "group point m"], y: Float[Tensor, "group point"]
) -> SingleTaskGP:
    """One Gaussian process per group; the length scale is the likeliest of a grid.

    One hyperparameter needs no gradient: a grid cannot fail, is the same for a group alone and in
    a batch, and costs one batched Cholesky.

    Args:
        x: Points in the unit cube.
        y: Standardised values.

    Returns:
        BoTorch model with one batch element per group.
    """
    n_moving = (x.amax(dim=1) - x.amin(dim=1) > 1e-9).sum(dim=1).clamp_min(1).to(x)
    scales = LENGTHSCALES.to(x)[:, None] * n_moving.sqrt()
    kernel = MaternKernel(nu=2.5, batch_shape=scales.shape).to(x)
    kernel.lengthscale = scales[:, :, None, None]
    with torch.no_grad():
        covariance = kernel(x).to_dense() + OBSERVATION_NOISE * torch.eye(x.shape[1]).to(x)
        factor = torch.linalg.cholesky(covariance)
        white = torch.linalg.solve_triangular(factor, y[:, :, None], upper=False)
    half_log_det = factor.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1)
    likeliest = (-0.5 * white.square().sum(dim=(-2, -1)) - half_log_det).argmax(dim=0)
    best = MaternKernel(nu=2.5, batch_shape=x.shape[:1]).to(x)
    best.lengthscale = scales[likeliest, torch.arange(len(x))][:, None, None]
    noise = torch.full_like(y[:, :, None], OBSERVATION_NOISE)
    with warnings.catch_warnings():
        # BoTorch warns of inputs that do not fill the cube, which few first points never do.
        warnings.simplefilter("ignore", InputDataWarning)
        model = SingleTaskGP(x, y[:, :, None], noise, covar_module=best, outcome_transform=None)
    return model.eval()


def climb(
    acqf: UpperConfidenceBound,
    start: Float[Tensor, "climb group m"],
    region: tuple[Float[Tensor, "group m"], Float[Tensor, "group m"]],
) -> Float[Tensor, "group m"]:
    """Climb the bound from several points of every group at once, and take the highest.

    Args:
        acqf: Upper confidence bound, one batch element per group.
        start: Where the climbs begin, inside the region.
        region: Lower and upper corners of each group's region.

    Returns:
        The highest point reached by each group.
    """
    shape, device = start.shape, start.device
    low, width = region[0], (region[1] - region[0]).clamp_min(1e-12)

    def negative(flat: np.ndarray, batch_indices: list[int]) -> tuple[np.ndarray, np.ndarray]:
        full = scaled.clone()
        full[batch_indices] = torch.as_tensor(flat, device=device)
        full.requires_grad_(True)
        value = -acqf((low + width * full.reshape(shape))[:, :, None]).flatten()
        (gradient,) = torch.autograd.grad(value.sum(), full)
        chosen = value.detach()[batch_indices]
        return chosen.cpu().numpy(), gradient[batch_indices].cpu().numpy()

    scaled = ((start - low) / width).reshape(-1, shape[2])
    flat, value, _ = fmin_l_bfgs_b_batched(
        negative,
        scaled.cpu().numpy(),
        bounds=[(0.0, 1.0)] * shape[2],
        maxiter=CLIMB_STEPS,
        pass_batch_indices=True,
    )
    highest = torch.as_tensor(value).reshape(shape[:2]).argmin(dim=0)
    climbed = torch.as_tensor(flat, device=device).reshape(shape)
    return low + width * climbed[highest, torch.arange(shape[1])]
