"""Coordinates in which chi-squared of a star is a plain sum of squares."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Frame:
    r"""Coordinates :math:`w = U^T f` with :math:`P = U U^T`, shared by stars of one key.

    Args:
        whitener: U of every key: a row of coefficients times it is a row of w.
        share: Share of the variance along each coordinate that the emulator's own error has, not
            the noise of the spectrum.
        key: Key of each star.
    """

    whitener: Float[Tensor, "key comp comp"]
    share: Float[Tensor, "key comp"]
    key: Int[Tensor, " star"]

    def rows(self, rows: Float[Tensor, "star row comp"]) -> Float[Tensor, "star row comp"]:
        """Rows of coefficients in these coordinates.

        Args:
            rows: Some rows per star.

        Returns:
            The same rows.
        """
        return by_key(rows, self.whitener, self.key)

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "Frame":
        """The frame of the chosen stars."""
        return Frame(self.whitener, self.share, self.key[star])


def by_key(
    rows: Float[Tensor, "star *row column"],
    matrices: Sequence[Float[Tensor, "column other"]] | Float[Tensor, "key column other"],
    key: Int[Tensor, " star"],
) -> Float[Tensor, "star *row other"]:
    """Rows of every star times the matrix of its key.

    Args:
        rows: One or some rows per star.
        matrices: One per key.
        key: Key of each star.

    Returns:
        The products.
    """
    result = rows.new_empty(*rows.shape[:-1], matrices[0].shape[1])
    sizes = key.bincount(minlength=len(matrices)).tolist()
    for matrix, star in zip(matrices, key.argsort(stable=True).split(sizes), strict=True):
        if len(star):
            result[star] = rows[star] @ matrix
    return result
