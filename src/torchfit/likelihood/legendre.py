"""Legendre polynomials over a range of wavelength, and their weighted products."""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


def legendre(wave: Float[Tensor, " pix"], degree: int) -> Float[Tensor, "pix order"]:
    r"""Legendre polynomials over the range of ``wave``.

    By Bonnet's recursion, :math:`(n+1)P_{n+1} = (2n+1)xP_n - nP_{n-1}`.

    Args:
        wave: Wavelengths.
        degree: Highest degree.

    Returns:
        :math:`P_0 ... P_{degree}` as columns.
    """
    x = 2 * (wave - wave[0]) / (wave[-1] - wave[0]) - 1
    terms = [torch.ones_like(x), x]
    for n in range(1, degree):
        terms.append(((2 * n + 1) * x * terms[n] - n * terms[n - 1]) / (n + 1))
    return torch.stack(terms[: degree + 1], dim=1)


def legendre_gram(
    weight: Float[Tensor, "star pix"], wave: Float[Tensor, " pix"], degree: int
) -> Float[Tensor, "star order order"]:
    r"""Weighted sums over the pixels of all pairs of polynomials, :math:`\sum_p w_p P_i P_j`.

    A product of two is a sum of single ones, :math:`P_i P_j = \sum_{k \le i+j} c_{ijk} P_k`, so
    that the sums of the first 2n + 1 polynomials give those of all pairs up to degree n.

    Args:
        weight: Weight of every pixel of every star.
        wave: Wavelengths.
        degree: Highest degree n.

    Returns:
        One symmetric matrix per star.

    References:
        Adams 1878, Proc. R. Soc. 27, 63, for the products.
    """
    single = weight @ legendre(wave, 2 * degree).to(weight)
    products = torch.from_numpy(_products(degree)).to(single)
    return (single @ products.flatten(1)).unflatten(1, (degree + 1, degree + 1))


@lru_cache(maxsize=8)
def _products(degree: int) -> Float[np.ndarray, "single order order"]:
    r""":math:`c_{ijk} = (k + \tfrac12) \int P_i P_j P_k\,dx`, k first; by exact quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(2 * degree + 1)
    values = np.polynomial.legendre.legvander(nodes, 2 * degree)
    few = values[:, : degree + 1]
    pairs = (few[:, :, None] * few[:, None]).reshape(len(nodes), -1)
    norm = np.arange(2 * degree + 1) + 0.5
    return ((values * weights[:, None]).T @ pairs * norm[:, None]).reshape(-1, *few.shape[1:] * 2)
