"""What a likelihood owes the fit: spectra in, the loss of labels out."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.likelihood.objective import Objective
from torchfit.spectra import Spectra


@dataclass(frozen=True)
class Condensed:
    """Spectra as the fit sees them: no pixels any more.

    Args:
        objective: Loss of every star.
        clipped: Outliers, which have no weight in it; of a star of several exposures the pixels
            that are outliers in one of them.
        score: Root mean square of the whitened residuals of the flux components before clipping,
            in double precision; NaN where outliers are not looked for.
        n_pix: Number of pixels with weight, of all exposures of a star.
    """

    objective: Objective
    clipped: Bool[Tensor, "star pix"]
    score: Float[Tensor, " star"]
    n_pix: Int[Tensor, " star"]


@runtime_checkable
class Likelihood(Protocol):
    """Turns spectra into the loss of their labels; never searches."""

    @property
    def dtype(self) -> torch.dtype:
        """Precision in which it computes. Results of a fit are in double precision always."""
        ...

    def takes(self, spectra: Spectra, start: Float[Tensor, "star label"]) -> Bool[Tensor, " star"]:
        """Stars that it is made for.

        Args:
            spectra: Normalised spectra.
            start: Start labels.
        """
        ...

    def condense(self, spectra: Spectra, start: Float[Tensor, "star label"]) -> Condensed:
        """Sum over the pixels of spectra once.

        Args:
            spectra: Normalised spectra on the emulator's grid.
            start: Start labels, from which shapes of nuisances and the local covariance are taken.

        Returns:
            The objective of all stars, and the outliers left out of it.
        """
        ...
