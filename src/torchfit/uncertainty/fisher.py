"""Errors from the curvature of the objective."""

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.library.scaling import LabelScaler
from torchfit.optimise.objective import Objective


def fisher_errors(
    objective: Objective, scaler: LabelScaler, unit: Float[Tensor, "star label"]
) -> Float[Tensor, "star label"]:
    r"""Standard deviations of the labels from the Gauss-Newton Hessian at the solution.

    The loss is -2 log p, so the covariance of the unit labels is
    :math:`(J^T P J + \Lambda)^{-1}`; it is carried to the labels by the derivative of the scaling.

    Args:
        objective: Loss with errors and prior; an unweighted one gives no meaningful error.
        scaler: Labels to unit labels.
        unit: Unit labels of the solution.

    Returns:
        Errors in the units of the labels; NaN where the Hessian is singular.
    """
    hessian = objective.derivatives(unit)[2]
    covariance, info = torch.linalg.inv_ex(hessian)
    variance = covariance.diagonal(dim1=1, dim2=2)
    usable = (info == 0)[:, None] & (variance > 0)
    sigma = torch.where(usable, variance, torch.nan).sqrt()
    return sigma * scaler.scale(unit)
