"""From preprocessed spectra to labels: the only place that chains matching, grouping and fit."""

from dataclasses import dataclass

import lightning
import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.data.datamodule import GroupBatch
from torchfit.device import to_device
from torchfit.emulator.emulator import Emulator
from torchfit.flags.bits import ResultFlag
from torchfit.flags.rules import Flagging, combine
from torchfit.group.grouping import Grouping
from torchfit.match.cfi import correlate
from torchfit.match.matching import Matching
from torchfit.optimise.fit import AT_REST, STOP_REASONS, Fit, Problem
from torchfit.optimise.fitting import Fitting
from torchfit.optimise.subspace import Subspace, join_label_pcas
from torchfit.spectra import Spectra
from torchfit.uncertainty.fisher import fisher_errors


@dataclass(frozen=True)
class Measured:
    """Labels of stars with all that is told about them.

    Args:
        star: Place of each star in the survey's table.
        group: Number of its group.
        labels: Labels (K, dex, dex, ...).
        errors: Their standard deviations; NaN for an unweighted metric.
        start: Start labels from the matching.
        cfi: Best correlation with the library.
        chi2: Chi-squared, without the prior.
        sse: Unweighted sum of squared residuals over good pixels, the paper's Eq. 3.
        n_pix: Number of pixels that had a say.
        v_rad: Residual velocity in km/s; NaN when the metric has none.
        flags: Bits of :class:`torchfit.flags.bits.ResultFlag`.
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
    v_rad: Float[Tensor, " star"]
    flags: Int[Tensor, " star"]
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
        flagging: Limits of the flags.
    """

    def __init__(
        self,
        emulator: Emulator,
        matching: Matching,
        grouping: Grouping,
        fitting: Fitting,
        flagging: Flagging,
    ) -> None:
        super().__init__()
        self.emulator = emulator
        self.matching = matching
        self.grouping = grouping
        self.fitting = fitting
        self.flagging = flagging

    def transfer_batch_to_device(
        self, batch: GroupBatch, device: torch.device, dataloader_idx: int
    ) -> GroupBatch:
        """Lightning moves no frozen dataclass by itself."""
        return to_device(batch, device)

    def on_predict_start(self) -> None:
        """Bring the emulator to the device of the spectra."""
        self.emulator = to_device(self.emulator, self.device)

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
        best_cfi = cfi.max(dim=1).values
        good = batch.spectra.good & self.emulator.flux_pca.good
        residual = torch.where(good, batch.spectra.flux - self.emulator.flux(labels), 0.0)
        return Measured(
            star=batch.star,
            group=batch.group,
            labels=labels,
            errors=self._errors(problem, fit),
            start=start,
            cfi=best_cfi,
            chi2=problem.objective.chi_squared(fit.unit),
            sse=residual.square().sum(dim=1),
            n_pix=good.sum(dim=1),
            v_rad=self.fitting.metric.velocity(self.emulator, batch.spectra, labels),
            flags=self._flags(batch.spectra, problem, fit, best_cfi),
            fit=fit,
        )

    def _errors(self, problem: Problem, fit: Fit) -> Float[Tensor, "star label"]:
        """Errors of the labels; an unweighted sum of squares has none."""
        errors = fisher_errors(problem.objective, self.emulator.scaler, fit.unit)
        return errors if self.fitting.metric.weighted else torch.full_like(errors, torch.nan)

    def _flags(
        self, spectra: Spectra, problem: Problem, fit: Fit, cfi: Float[Tensor, " star"]
    ) -> Int[Tensor, " star"]:
        """Outcome of every rule."""
        known = self.emulator.flux_pca.good
        share = (spectra.good & known).sum(dim=1) / known.sum()
        rest = [STOP_REASONS.index(reason) for reason in AT_REST]
        return combine(
            {
                ResultFlag.EDGE: self.flagging.on_edge(fit.unit, problem.lower, problem.upper),
                ResultFlag.NOT_CONVERGED: ~torch.isin(fit.stop, torch.tensor(rest).to(fit.stop)),
                ResultFlag.POOR_MATCH: cfi < self.flagging.min_cfi,
                ResultFlag.FEW_PIXELS: share < self.flagging.min_good,
                ResultFlag.NO_ERRORS: ~spectra.has_ivar,
            }
        )

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
