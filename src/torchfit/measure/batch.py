"""Stars that are measured together: whole groups of similar spectra."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from torchfit.spectra import Spectra


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

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "GroupBatch":
        """The batch of the chosen stars."""
        return GroupBatch(
            self.star[star],
            self.group[star],
            self.spectra[star],
            self.number,
            None if self.start is None else self.start[star],
            None if self.cfi is None else self.cfi[star],
        )
