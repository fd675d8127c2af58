"""Coordinates in which chi-squared of a star is a plain sum of squares."""

from dataclasses import dataclass

import torch
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
        result = torch.empty_like(rows)
        for key in self.key.unique().tolist():
            star = (self.key == key).nonzero()[:, 0]
            result[star] = rows[star] @ self.whitener[key]
        return result

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "Frame":
        """The frame of the chosen stars."""
        return Frame(self.whitener, self.share, self.key[star])
