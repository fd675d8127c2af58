"""From preprocessed spectra to labels: the only place that chains matching, grouping and fit."""

from dataclasses import dataclass

import lightning
import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.group.grouping import Grouping
from torchfit.match.cfi import correlate
from torchfit.match.matching import Matching
from torchfit.optimise.fit import Fit
from torchfit.optimise.fitting import Fitting
from torchfit.optimise.subspace import Subspace, join_label_pcas
from torchfit.spectra import Spectra
from torchfit.uncertainty.fisher import fisher_errors


@dataclass(frozen=True)
class GroupBatch:
    """Stars of whole groups.

    Args:
        star: Number of each star in the survey.
        group: Number of each star's group in the survey.
        spectra: Normalised spectra, float64.
    """

    star: Int[Tensor, " star"]
    group: Int[Tensor, " star"]
    spectra: Spectra


@dataclass(frozen=True)
class Measured:
    """Labels of stars with all that is told about them.

    Args:
        star: Number of each star in the survey.
        group: Number of its group.
        labels: Labels (K, dex, dex, ...).
        errors: Their standard deviations; NaN for an unweighted metric.
        start: Start labels from the matching.
        cfi: Best correlation with the library.
        chi2: Chi-squared, without the prior.
        sse: Unweighted sum of squared residuals over good pixels, the paper's Eq. 3.
        n_pix: Number of pixels that had a say.
        fit: Iterations, evaluations and stop reasons.
    """

    star: Int[Tensor, " star"]
    group: Int[Tensor, " star"]
    labels: Float[Tensor, "star label"]
    errors: Float[Tensor, "star label"]
    start: Float[Tensor, "star label"]
    cfi: Float[Tensor, " star"]
    chi2: Float[Tensor, " star"]
    sse: Float[Tensor, " star"]
    n_pix: Int[Tensor, " star"]
    fit: Fit

    @property
    def rchi2(self) -> Float[Tensor, " star"]:
        """Chi-squared per degree of freedom."""
        return self.chi2 / (self.n_pix - self.labels.shape[1]).clamp_min(1)


class Inference(lightning.LightningModule):
    """Measures batches of groups; Lightning carries it to the devices.

    Args:
        emulator: At the resolution of the survey.
        matching: Start labels and matched sets.
        grouping: Label PCA of the groups.
        fitting: Metric and optimisers.
    """

    def __init__(
        self, emulator: Emulator, matching: Matching, grouping: Grouping, fitting: Fitting
    ) -> None:
        super().__init__()
        self.emulator = emulator
        self.matching = matching
        self.grouping = grouping
        self.fitting = fitting

    def predict_step(self, batch: GroupBatch, batch_idx: int) -> Measured:
        """Measure the stars of a batch; every group is measured as if it were alone."""
        return self.measure(batch)

    @torch.no_grad()
    def start(
        self, spectra: Spectra
    ) -> tuple[Float[Tensor, "star template"], Float[Tensor, "star label"]]:
        """Match spectra to the library.

        Args:
            spectra: Normalised spectra.

        Returns:
            Correlation with every template, and start labels.
        """
        cfi = correlate(spectra, self.emulator.library.spectra)
        return cfi, self.matching.start(cfi, self.emulator.library)

    @torch.no_grad()
    def measure(self, batch: GroupBatch) -> Measured:
        """Match, group, fit, and estimate errors.

        Args:
            batch: Whole groups.

        Returns:
            Labels in the order of the batch.
        """
        cfi, start = self.start(batch.spectra)
        subspace = self._subspace(cfi, start, batch.group)
        problem, fit = self.fitting.fit(self.emulator, batch.spectra, start, subspace)
        labels = self.emulator.scaler.from_unit(fit.unit)
        errors = fisher_errors(problem.objective, self.emulator.scaler, fit.unit)
        if not self.fitting.metric.weighted:
            errors = torch.full_like(errors, torch.nan)
        good = batch.spectra.good & self.emulator.flux_pca.good
        residual = torch.where(good, batch.spectra.flux - self.emulator.flux(labels), 0.0)
        return Measured(
            batch.star, batch.group, labels, errors, start, cfi.max(dim=1).values,
            problem.objective.chi_squared(fit.unit), residual.square().sum(dim=1),
            good.sum(dim=1), fit,
        )  # fmt: skip

    def _subspace(
        self,
        cfi: Float[Tensor, "star template"],
        start: Float[Tensor, "star label"],
        group: Int[Tensor, " star"],
    ) -> Subspace:
        """Label PCAs of the groups of a batch."""
        library = self.emulator.library
        sets, widths = self.matching.sets(cfi, library, start)
        members = [(group == number).nonzero()[:, 0] for number in group.unique()]
        pcas = [
            self.grouping.label_pca(library.labels, sets[member], widths[member])
            for member in members
        ]
        return join_label_pcas(pcas, members, self.emulator.scaler)
