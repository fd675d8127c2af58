"""Least squares on components when pixels are missing."""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

RIDGE = 1e-8
"""Keeps directions that no good pixel constrains near 0."""
NUMBERS_AT_ONCE = 1 << 23
STARS_AT_ONCE = 1024


class MaskedProjection:
    r"""Solves :math:`(B^T W_s B + \epsilon) f_s = B^T W_s r_s` with W = 0 in bad pixels, else 1.

    With :math:`G = B^T B + \epsilon` and :math:`B_s` the rows of the bad pixels, the matrix is
    :math:`G - B_s^T B_s`. A star with fewer bad pixels than components is solved through

    .. math:: f = f_0 + G^{-1} B_s^T (1 - B_s G^{-1} B_s^T)^{-1} B_s f_0, \quad f_0 = G^{-1} B^T r,

    at the cost of its bad pixels only; the sums over all its pixels are never made.

    Args:
        basis: Components B; any, orthonormal or not.

    References:
        Hager 1989, SIAM Review 31, 221 (the Woodbury identity).
    """

    def __init__(self, basis: Float[Tensor, "pix comp"]) -> None:
        self.basis = basis
        eye = torch.eye(basis.shape[1], dtype=basis.dtype, device=basis.device)
        self.normal = basis.mT @ basis + RIDGE * eye
        self.inverse = torch.linalg.inv(self.normal)
        self.dual = basis @ self.inverse

    def pieces(self, n_bad: Int[Tensor, " star"]) -> Iterator[Int[Tensor, " piece"]]:
        """Stars with nearly as many bad pixels each, few enough for flat memory.

        Args:
            n_bad: Number of bad pixels of each star.

        Yields:
            Indices of some stars; all together every star once.
        """
        order = n_bad.argsort(stable=True)
        counts, n_comp = n_bad[order].tolist(), self.basis.shape[1]
        low, n_stars = 0, len(counts)
        while low < n_stars:
            most = counts[min(low + STARS_AT_ONCE, n_stars) - 1]
            size = max(1, min(STARS_AT_ONCE, NUMBERS_AT_ONCE // (n_comp * max(most, 1))))
            # A star takes the same way whatever its neighbours.
            few = sum(count <= n_comp for count in counts[low : low + size])
            high = low + (few or size)
            yield order[low:high]
            low = min(high, n_stars)

    def solve(
        self, residual: Float[Tensor, "star pix"], bad: Bool[Tensor, "star pix"]
    ) -> Float[Tensor, "star comp"]:
        """Coefficients of a piece of stars.

        Args:
            residual: Flux minus the mean; 0 in bad pixels.
            bad: Bad pixels.

        Returns:
            Coefficients.
        """
        right = residual @ self.basis
        n_bad = bad.sum(dim=1)
        most = int(n_bad.max())
        if most == 0:
            return right @ self.inverse
        pixel = bad.to(torch.uint8).sort(dim=1, descending=True, stable=True).indices[:, :most]
        is_bad = torch.arange(most, device=bad.device) < n_bad[:, None]
        rows = self.basis[pixel] * is_bad[:, :, None]
        if most > self.basis.shape[1]:
            return torch.linalg.solve(self.normal - rows.mT @ rows, right)
        first = right @ self.inverse
        dual = self.dual[pixel] * is_bad[:, :, None]
        eye = torch.eye(most, dtype=right.dtype, device=right.device)
        missing = torch.linalg.solve(eye - dual @ rows.mT, (rows @ first[:, :, None])[:, :, 0])
        return first + (missing[:, None] @ dual)[:, 0]
