"""A library of real stars: preprocessed spectra with their labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.exceptions import DataError
from torchfit.library.audit import Audit
from torchfit.names import LABELS, TEFF, Label
from torchfit.spectra import Spectra


@dataclass(frozen=True)
class Library:
    """Templates with labels.

    Args:
        spectra: Normalised spectra on the common grid.
        labels: Stellar labels in the units of their names, float64.
        label_names: Which labels: those of :data:`torchfit.names.LABELS` in their order, the
            temperature first, then any others, which know unit and meaning themselves.
        star_names: Name of the star of each template; visits of one star share it.
        lsf_fwhm: Resolution of the spectra at the pixels of the grid, full width at half maximum in
            Angstrom, float64.
        provenance: Where the data came from, with its licence text.
        audit: When a template is suspicious in training; ``None`` audits none.

    Raises:
        DataError: If the sizes disagree, or the label order is not the canonical one.
    """

    spectra: Spectra
    labels: Float[Tensor, "template label"]
    label_names: tuple[str, ...]
    star_names: tuple[str, ...]
    lsf_fwhm: Float[Tensor, " pix"]
    provenance: Mapping[str, str] = field(default_factory=dict)
    audit: Audit | None = None

    def __post_init__(self) -> None:
        known = [name for name in LABELS if name in self.label_names]
        others = [name for name in self.label_names if name not in LABELS]
        if [*known, *others] != list(self.label_names) or TEFF not in known:
            raise DataError(f"library labels {self.label_names} are not in the order {LABELS}")
        if plain := [name for name in others if not isinstance(name, Label)]:
            raise DataError(f"library labels {', '.join(plain)} have neither unit nor meaning")
        sizes = {len(self.spectra), len(self.labels), len(self.star_names)}
        if len(sizes) != 1 or self.labels.shape[1] != len(self.label_names):
            raise DataError(
                f"a library needs as many spectra ({len(self.spectra)}), label sets "
                f"{tuple(self.labels.shape)} and star names ({len(self.star_names)})"
            )

        if self.lsf_fwhm.shape != self.spectra.wave.shape:
            raise DataError(
                f"a library needs a resolution for each of its {len(self.spectra.wave)} pixels, "
                f"not {tuple(self.lsf_fwhm.shape)}"
            )

    def __len__(self) -> int:
        """Number of templates."""
        return len(self.star_names)

    def select(
        self, keep: Bool[Tensor, " template"] | Int[Tensor, " chosen"] | Sequence[int]
    ) -> "Library":
        """The library of the chosen templates.

        Args:
            keep: Mask or indices.

        Returns:
            A smaller library.
        """
        chosen = torch.as_tensor(keep)
        index = chosen.nonzero()[:, 0] if chosen.dtype == torch.bool else chosen
        return replace(
            self,
            spectra=self.spectra[index],
            labels=self.labels[index],
            star_names=tuple(self.star_names[i] for i in index.tolist()),
        )
