"""Batches in portions that a device has the memory for."""

import gc
import logging
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch

from torchfit.exceptions import DeviceMemoryError

R = TypeVar("R")
logger = logging.getLogger(__name__)


@dataclass
class Portions:
    """Cuts batches into portions, into smaller ones once the device has run out of memory.

    Args:
        most: Most stars of a portion; ``None`` for whole batches. It is halved, for all that
            follows, when a portion does not fit.
    """

    most: int | None = None

    def compute(self, function: Callable[[Any], R], batch: Any, places: Sequence[int]) -> list[R]:
        """Call a function for all stars of a batch, some at a time.

        Args:
            function: What is computed of some stars.
            batch: The stars; a slice of it is a batch of some of them.
            places: Where it may be cut, ascending, from 0 to the number of stars.

        Returns:
            A result of every portion, in the order of the stars.

        Raises:
            DeviceMemoryError: If stars that cannot be parted do not fit.
        """
        results: list[R] = []
        low = 0
        while low < places[-1]:
            high = self._end(low, places)
            try:
                results.append(function(batch[low:high]))
                low = high
                continue
            except torch.OutOfMemoryError as error:
                note = str(error).partition("\n")[0]
            # Here the exception is gone, which has held all that was computed so far.
            gc.collect()
            self._halve(high - low, bisect_left(places, high) - bisect_right(places, low), note)
        return results

    def _end(self, low: int, places: Sequence[int]) -> int:
        """The last place within reach, or the next one."""
        if self.most is None:
            return places[-1]
        within = bisect_right(places, low + self.most) - 1
        return places[max(within, bisect_right(places, low))]

    def _halve(self, n_stars: int, n_places: int, note: str) -> None:
        if not n_places:
            what = "one star does" if n_stars == 1 else f"one group of {n_stars} stars does"
            raise DeviceMemoryError(
                f"{what} not fit into the memory of the device ({note}); what is finished is kept: "
                "the same command with trainer.accelerator=cpu goes on"
            )
        self.most = n_stars // 2
        logger.warning(
            "%d stars at once do not fit into the memory of the device: it goes on with %d",
            n_stars, self.most,
        )  # fmt: skip
