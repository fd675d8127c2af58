"""Stars that share matrices, sorted by which they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class StarsByKey:
    """The stars of every key, counted once: an accelerator is asked for their numbers once, too.

    Args:
        order: Stars, those of the first key first.
        sizes: Number of stars of each key.
    """

    order: Int[Tensor, " star"]
    sizes: Sequence[int]

    @classmethod
    def of(cls, key: Int[Tensor, " star"], n_keys: int, device: torch.device) -> "StarsByKey":
        """Sort the stars.

        Args:
            key: Key of each star.
            n_keys: Number of keys.
            device: Where the stars are.

        Returns:
            The sorted stars.
        """
        key = key.cpu()
        return cls(key.argsort(stable=True).to(device), key.bincount(minlength=n_keys).tolist())

    def times(
        self,
        rows: Float[Tensor, "star *row column"],
        matrices: Sequence[Float[Tensor, "column other"]] | Float[Tensor, "key column other"],
    ) -> Float[Tensor, "star *row other"]:
        """Rows of every star times the matrix of its key.

        Args:
            rows: One or some rows per star.
            matrices: One per key.

        Returns:
            The products.
        """
        # Of two dimensions: a product of three would be flattened for every key.
        ordered = rows.index_select(0, self.order).flatten(0, -2)
        n_rows = len(ordered) // max(len(rows), 1)
        pieces = ordered.split([size * n_rows for size in self.sizes])
        products = [some @ matrix for some, matrix in zip(pieces, matrices, strict=True)]
        together = torch.cat(products).unflatten(0, rows.shape[:-1])
        return together.index_select(0, self._place)

    @cached_property
    def _place(self) -> Int[Tensor, " star"]:
        """Place of each star in the order."""
        return self.order.argsort()
