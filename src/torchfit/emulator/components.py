"""Principal components of a large table: found once exactly, then followed as the table changes."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

SMALL = 500
"""Rows or columns of a table that is decomposed again at little cost."""


@dataclass(frozen=True)
class Components:
    """Leading right singular vectors of a centred table.

    Args:
        vectors: Orthonormal columns, the largest singular value first.
        n_comp: How many of them hold the wanted share of the sum of squares; the others are spare.
    """

    vectors: Float[Tensor, "pix vector"]
    n_comp: int

    @property
    def basis(self) -> Float[Tensor, "pix comp"]:
        """The wanted columns, each with its largest element positive."""
        basis = self.vectors[:, : self.n_comp]
        largest = basis.abs().argmax(dim=0, keepdim=True)
        return basis * basis.gather(0, largest).sign()


def find_components(
    centred: Float[Tensor, "template pix"], variance: float, max_comp: int | None
) -> Components:
    r"""Find components from nothing.

    A wide table is decomposed itself; a tall one through :math:`X^T X`, at the cost of half the
    digits of its *least* singular values.

    Args:
        centred: The table X.
        variance: Share of the sum of squares to keep, in (0, 1].
        max_comp: Most components; ``None`` for no limit.

    Returns:
        The components with a tenth more as spare.
    """
    if centred.shape[0] > centred.shape[1]:
        square, vectors = torch.linalg.eigh(centred.mT @ centred)
        square, vectors = square.flip(0).clamp_min(0), vectors.flip(1)
    else:
        _, singular, right = torch.linalg.svd(centred, full_matrices=False)
        square, vectors = singular.square(), right.mT
    n_comp = _how_many(square, float(square.sum()), variance, max_comp)
    return Components(vectors[:, : n_comp + math.ceil(0.1 * n_comp) + 8].clone(), n_comp)


def follow_components(
    centred: Float[Tensor, "template pix"],
    known: Components,
    variance: float,
    max_comp: int | None,
) -> Components:
    r"""Find the components of a table that has changed a little.

    A small table is decomposed again. For a large one it is one step of subspace iteration,
    :math:`X^T X V = Q R`, :math:`R = U S W^T`, with :math:`Q U` as vectors and S as squares of
    singular values: the components of :func:`find_components` are its fixed point.

    Args:
        centred: The changed table X.
        known: Components V before the change.
        variance: Share of the sum of squares to keep.
        max_comp: Most components.

    Returns:
        The components, at most as many as there were vectors.

    References:
        Halko, Martinsson & Tropp 2011, SIAM Review 53, 217, section 4.5.
    """
    if min(centred.shape) <= SMALL:
        return find_components(centred, variance, max_comp)
    q, r = torch.linalg.qr(centred.mT @ (centred @ known.vectors))
    u, square, _ = torch.linalg.svd(r)
    total = float(torch.linalg.vector_norm(centred)) ** 2
    return Components(q @ u, _how_many(square, total, variance, max_comp))


def _how_many(
    square: Float[Tensor, " vector"], total: float, variance: float, max_comp: int | None
) -> int:
    """Least number of components that hold a share of the sum of squares."""
    share = square.cumsum(dim=0) / total
    n_comp = int((share < variance * (1 - 1e-12)).sum()) + 1
    return min(n_comp, len(square), max_comp or len(square))
