"""A library matched to itself, as a survey would be: what Fig. 2, 3, 8 and 9 are made of."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.group.grouping import Grouping
from torchfit.group.label_pca import LabelPCA
from torchfit.group.spectral_class import CLASS_LIMITS, spectral_class
from torchfit.library.library import Library
from torchfit.match.cfi import correlate
from torchfit.match.matching import Matching
from torchfit.match.start import exclude_same_star

CLASSES = tuple(name for name, _ in CLASS_LIMITS)
Order = Literal["prior", "random"]
"""How groups are made: of stars with similar start labels, or at random."""

_AT_ONCE = 512


@dataclass(frozen=True)
class MatchedLibrary:
    """Every star of a library with the label sets that match it best.

    Args:
        labels: Labels of the library.
        label_names: Their names.
        sets: Matched templates of each star, best first; never one of the same star.
        half_widths: Half-widths of the prior intervals.
        start: Start labels.
    """

    labels: Float[Tensor, "star label"]
    label_names: tuple[str, ...]
    sets: Int[Tensor, "star t"]
    half_widths: Float[Tensor, "star label"]
    start: Float[Tensor, "star label"]

    @property
    def classes(self) -> np.ndarray:
        """Spectral class of each star, by its start temperature."""
        return classes_of(self.start[:, 0].numpy())

    @property
    def sample(self) -> str:
        """What a figure of it is made of, for its page."""
        return f"{len(self.start)} library spectra, each matched to the others"

    def groups(self, grouping: Grouping, order: Order, seed: int = 0) -> Int[Tensor, " star"]:
        """Group number of every star.

        Args:
            grouping: Says how large a group is.
            order: Neighbours in the start labels together, or any stars.
            seed: Of the random order.
        """
        _, group = grouping.order([""] * len(self.start), self.start.numpy())
        if order == "random":
            group = np.random.default_rng(seed).permutation(group)
        return torch.from_numpy(group)

    def label_pca(self, star: Int[Tensor, " member"], t: int, grouping: Grouping) -> LabelPCA:
        """Label PCA of the first t matched sets of the stars of a group."""
        return grouping.label_pca(self.labels, self.sets[star, :t], self.half_widths[star])

    def reproduced(
        self, group: Int[Tensor, " star"], t: int, grouping: Grouping
    ) -> Iterator[tuple[Int[Tensor, " member"], LabelPCA, Float[Tensor, "member t label"]]]:
        """The label PCA of every group, and by how much it misses the matched sets.

        Args:
            group: Group of every star.
            t: Number of matched sets.
            grouping: Settings of the label PCA.

        Yields:
            Stars of a group, its label PCA, and reproduced minus matched labels.
        """
        for number in group.unique().tolist():
            star = (group == number).nonzero()[:, 0]
            pca = self.label_pca(star, t, grouping)
            yield star, pca, pca.labels(pca.scores) - self.labels[self.sets[star, :t]]


def classes_of(teff: np.ndarray) -> np.ndarray:
    """Spectral class of each temperature in K."""
    return np.array([spectral_class("", value) for value in teff.tolist()])


def match_library(library: Library, matching: Matching) -> MatchedLibrary:
    """Match every star of a library to all others, never to itself or another visit.

    Args:
        library: The library.
        matching: Settings; its space is that of the pixels here.

    Returns:
        At most ``matching.t`` sets per star, fewer where a star with many visits leaves fewer.
    """
    pieces = [
        _match(library, matching, piece) for piece in torch.arange(len(library)).split(_AT_ONCE)
    ]
    sets, widths, start = (list(each) for each in zip(*pieces, strict=True))
    t = min(piece.shape[1] for piece in sets)
    found = torch.cat([piece[:, :t] for piece in sets])
    return MatchedLibrary(
        library.labels, library.label_names, found, torch.cat(widths), torch.cat(start)
    )


def _match(
    library: Library, matching: Matching, star: Int[Tensor, " star"]
) -> tuple[Int[Tensor, "star t"], Float[Tensor, "star label"], Float[Tensor, "star label"]]:
    """Sets, half-widths and start labels of some stars of a library."""
    cfi = correlate(library.spectra[star], library.spectra, matching.scatter).double()
    cfi = exclude_same_star(cfi, library.star_names, star)
    start = matching.start(cfi, library)
    ranked, widths = replace(matching, t=len(library)).sets(cfi, library, start)
    other = cfi.gather(1, ranked).isfinite()
    t = min(matching.t, int(other.sum(dim=1).min()))
    # A stable sort puts the star's own templates last and keeps the order of the others.
    first = (~other).byte().sort(dim=1, stable=True).indices[:, :t]
    return ranked.gather(1, first), widths, start
