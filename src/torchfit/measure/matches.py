"""The matching of spectra to the library of an emulator."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.group.grouping import Grouping
from torchfit.match.cfi import correlate
from torchfit.match.component_cfi import ComponentCFI
from torchfit.match.matching import Matching
from torchfit.optimise.subspace import Subspace, join_label_pcas
from torchfit.spectra import Spectra


@dataclass(frozen=True)
class Matches:
    """Spectra matched to a library.

    Args:
        cfi: Correlation with every template, in the precision of the matching.
        start: Start labels, in double precision.
    """

    cfi: Float[Tensor, "star template"]
    start: Float[Tensor, "star label"]

    @property
    def best_cfi(self) -> Float[Tensor, " star"]:
        """Correlation with the best template, in double precision."""
        return self.cfi.amax(dim=1).double()

    def __getitem__(self, star: Int[Tensor, " chosen"]) -> "Matches":
        """The matches of the chosen stars."""
        return Matches(self.cfi[star], self.start[star])


@dataclass(frozen=True)
class MatchedStars:
    """Stars of whole groups that know where to start.

    Args:
        star: Place of each star in the survey's table.
        group: Number of its group.
        spectra: Normalised spectra.
        start: Start labels.
        cfi: Best correlation with the library.
        matches: All correlations, where an optimiser needs them.
    """

    star: Int[Tensor, " star"]
    group: Int[Tensor, " star"]
    spectra: Spectra
    start: Float[Tensor, "star label"]
    cfi: Float[Tensor, " star"]
    matches: Matches | None

    def __len__(self) -> int:
        """Number of stars."""
        return len(self.star)

    def __getitem__(self, place: Int[Tensor, " chosen"]) -> "MatchedStars":
        """The chosen stars; no copy where these are all."""
        if len(place) == len(self):
            return self
        return MatchedStars(
            self.star[place],
            self.group[place],
            self.spectra[place],
            self.start[place],
            self.cfi[place],
            None if self.matches is None else self.matches[place],
        )


class Matcher:
    """Matches spectra to the templates of an emulator.

    Args:
        emulator: At the resolution of the survey.
        matching: Settings of the matching.
    """

    def __init__(self, emulator: Emulator, matching: Matching) -> None:
        self.emulator, self.matching = emulator, matching
        self._components: ComponentCFI | None = None
        if matching.space == "components":
            pca, spectra = emulator.flux_pca, emulator.library.spectra
            self._components = ComponentCFI(
                pca.mean, emulator.basis, pca.good, spectra, matching.scatter
            )

    def match(self, spectra: Spectra) -> Matches:
        """Match spectra.

        Args:
            spectra: Normalised spectra.

        Returns:
            Correlations and start labels.
        """
        library = self.emulator.library
        if self._components is not None:
            cfi = self._components.correlate(spectra)
        else:
            double = spectra.to(torch.float64)
            cfi = correlate(double, library.spectra, self.matching.scatter)
        return Matches(cfi, self.matching.start(cfi, library).double())

    def candidates(self, matches: Matches) -> Float[Tensor, "star cand label"]:
        """Unit labels of the best templates of each star, best first."""
        library = self.emulator.library
        n_best = min(self.matching.n_best, len(library))
        best = matches.cfi.topk(n_best, dim=1).indices
        return self.emulator.scaler.to_unit(library.labels[best])

    def subspace(
        self, matches: Matches, group: Int[Tensor, " star"], grouping: Grouping
    ) -> Subspace:
        """Label-PCA spaces of groups.

        Args:
            matches: The matched stars.
            group: Number of each star's group.
            grouping: Settings of the label PCA.

        Returns:
            The spaces, in the order of the groups' numbers.
        """
        library = self.emulator.library
        sets, widths = self.matching.sets(matches.cfi.double(), library, matches.start)
        members = [(group == number).nonzero()[:, 0] for number in group.unique()]
        pcas = [
            grouping.label_pca(library.labels, sets[member], widths[member]) for member in members
        ]
        return join_label_pcas(pcas, members, self.emulator.scaler)
