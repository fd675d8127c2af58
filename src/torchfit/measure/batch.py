"""Stars that are measured together: any of a survey, or whole groups of similar spectra."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.spectra import Spectra

B = TypeVar("B")


@dataclass(frozen=True)
class Unread(Generic[B]):
    """A batch of a stage of a survey that is read where it is computed.

    Args:
        number: Number of the batch in the stage.
        n_stars: Its stars.
        read: Reads it.
    """

    number: int
    n_stars: int
    read: Callable[[], B]

    def __len__(self) -> int:
        """Number of stars."""
        return self.n_stars


@dataclass(frozen=True)
class StarBatch:
    """Stars of a survey that have no groups yet.

    Args:
        number: Number of the batch in the survey.
        spectra: Normalised spectra.
    """

    number: int
    spectra: Spectra

    def __len__(self) -> int:
        """Number of stars."""
        return len(self.spectra)

    def __getitem__(self, star: slice) -> "StarBatch":
        """The batch of some stars."""
        return StarBatch(self.number, self.spectra[star])


@dataclass(frozen=True)
class GroupBatch:
    """Stars of whole groups.

    Args:
        star: Place of each star in the survey's table.
        group: Number of each star's group in the survey.
        spectra: Normalised spectra.
        number: Number of the batch in the survey.
        start: Start labels, where the matching has been done before.
        cfi: Best correlation, likewise.
    """

    star: Int[Tensor, " star"]
    group: Int[Tensor, " star"]
    spectra: Spectra
    number: int = 0
    start: Float[Tensor, "star label"] | None = None
    cfi: Float[Tensor, " star"] | None = None

    def __len__(self) -> int:
        """Number of stars."""
        return len(self.star)

    def __getitem__(self, star: Int[Tensor, " chosen"] | slice) -> "GroupBatch":
        """The batch of the chosen stars."""
        return GroupBatch(
            self.star[star],
            self.group[star],
            self.spectra[star],
            self.number,
            None if self.start is None else self.start[star],
            None if self.cfi is None else self.cfi[star],
        )

    @classmethod
    def joined(cls, batches: Sequence["GroupBatch"]) -> "GroupBatch":
        """Several batches of the same survey as one, of the number of the first.

        Args:
            batches: At least one; all of them have start labels, or none.

        Returns:
            The stars one after the other.
        """
        if len(batches) == 1:
            return batches[0]
        starts = [each.start for each in batches if each.start is not None]
        cfis = [each.cfi for each in batches if each.cfi is not None]
        return cls(
            torch.cat([each.star for each in batches]),
            torch.cat([each.group for each in batches]),
            type(batches[0].spectra).joined([each.spectra for each in batches]),
            batches[0].number,
            torch.cat(starts) if starts else None,
            torch.cat(cfis) if cfis else None,
        )

    def ends_of_groups(self) -> list[int]:
        """Where one group ends and the next begins, from 0 to the number of stars."""
        changes = (self.group.diff() != 0).nonzero()[:, 0] + 1
        return [0, *changes.tolist(), len(self)]
