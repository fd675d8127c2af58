"""Matching of resolutions: a Gaussian convolution over good pixels."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def convolve(
    flux: Float[Tensor, "star pix"], good: Bool[Tensor, "star pix"], sigma: float
) -> Float[Tensor, "star pix"]:
    r"""Convolve with a Gaussian, leaving bad pixels out.

    .. math:: \tilde F_i = \sum_j g_{i-j} w_j F_j / \sum_j g_{i-j} w_j

    with w = 1 in good pixels and 0 elsewhere, so that no flux leaks out of a mask. The kernel is
    cut at five sigma.

    Args:
        flux: Flux on an even grid.
        good: Pixels that count.
        sigma: Standard deviation of the Gaussian in pixels.

    Returns:
        Convolved flux in good pixels, 0 elsewhere.
    """
    half = max(1, int(5 * sigma + 0.5))
    offset = torch.arange(-half, half + 1, dtype=flux.dtype, device=flux.device)
    kernel = torch.exp(-0.5 * (offset / sigma).square())[None, None]
    weight = good.to(flux.dtype)
    total = torch.nn.functional.conv1d((flux * weight)[:, None], kernel, padding=half)[:, 0]
    norm = torch.nn.functional.conv1d(weight[:, None], kernel, padding=half)[:, 0]
    return torch.where(good, total / norm.clamp_min(1e-12), 0.0)
