"""From preprocessed spectra to labels: the only place that chains matching, grouping and fit."""

from dataclasses import dataclass, fields, replace
from typing import Any

import lightning
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.flags.bits import ResultFlag
from torchfit.flags.rules import Flagging, combine
from torchfit.group.grouping import Grouping
from torchfit.likelihood.noise import NoiseShape
from torchfit.likelihood.shared import CommonMetric
from torchfit.match.cfi import correlate
from torchfit.match.component_cfi import ComponentCFI
from torchfit.match.matching import Matching
from torchfit.measure.allocator import keep_freed_memory
from torchfit.measure.batch import GroupBatch
from torchfit.measure.device import to_device
from torchfit.measure.fitting import Fitted, Fitting
from torchfit.names import ALPHA_FE
from torchfit.optimise.problem import AT_REST, STOP_REASONS, Fit, Problem
from torchfit.optimise.subspace import Subspace, join_label_pcas
from torchfit.spectra import Spectra
from torchfit.uncertainty.fisher import LabelErrors, fisher_errors
from torchfit.uncertainty.posterior import Posterior
from torchfit.uncertainty.sampling import PosteriorSampling


@dataclass(frozen=True)
class Measured:
    """Labels of stars with all that is told about them.

    Args:
        star: Place of each star in the survey's table.
        group: Number of its group.
        labels: Labels (K, dex, dex, ...).
        errors: What the Fisher matrix says of their errors; NaN for an unweighted metric.
        posterior: What sampling says; ``None`` where no star was to be sampled.
        start: Start labels from the matching.
        cfi: Best correlation with the library.
        chi2: Chi-squared, without the prior.
        sse: Unweighted sum of squared residuals over good pixels, the paper's Eq. 3.
        n_pix: Number of pixels that had a say.
        n_clipped: Number of outliers that had none.
        outlier_score: Root mean square of the whitened residuals of the flux components; NaN where
            outliers are not looked for.
        v_rad: Residual velocity in km/s; NaN when the metric has none.
        flags: Bits of :class:`torchfit.flags.bits.ResultFlag`.
        fit: Iterations, evaluations and stop reasons.
    """

    star: Int[Tensor, " star"]
    group: Int[Tensor, " star"]
    labels: Float[Tensor, "star label"]
    errors: LabelErrors
    posterior: Posterior | None
    start: Float[Tensor, "star label"]
    cfi: Float[Tensor, " star"]
    chi2: Float[Tensor, " star"]
    sse: Float[Tensor, " star"]
    n_pix: Int[Tensor, " star"]
    n_clipped: Int[Tensor, " star"]
    outlier_score: Float[Tensor, " star"]
    v_rad: Float[Tensor, " star"]
    flags: Int[Tensor, " star"]
    fit: Fit

    @property
    def rchi2(self) -> Float[Tensor, " star"]:
        """Chi-squared per degree of freedom."""
        return self.chi2 / (self.n_pix - self.labels.shape[1]).clamp_min(1)

    def with_rows(self, place: Int[Tensor, " chosen"], rows: "Measured | None") -> "Measured":
        """The same with some rows replaced.

        Args:
            place: Which rows.
            rows: Their new values; ``None`` replaces none.

        Returns:
            A new table of results.
        """
        if rows is None:
            return self
        columns = {
            field.name: _with_rows(getattr(self, field.name), place, getattr(rows, field.name))
            for field in fields(self)
            if field.name != "fit"
        }
        return Measured(**columns, fit=self.fit.with_rows(place, rows.fit))


def _with_rows(whole: Any, place: Int[Tensor, " chosen"], rows: Any) -> Any:
    """Replace rows of a tensor, of a dataclass of tensors, or of nothing."""
    if isinstance(whole, Tensor):
        return whole.index_copy(0, place, rows)
    if whole is None:
        return None
    values = {name: _with_rows(each, place, vars(rows)[name]) for name, each in vars(whole).items()}
    return replace(whole, **values)


def nothing_measured(batch: GroupBatch, n_labels: int, sampled: bool = False) -> Measured:
    """What is told of stars that cannot be measured.

    Args:
        batch: The stars.
        n_labels: Number of labels.
        sampled: Whether posteriors are asked for.

    Returns:
        NaN for every number, no pixel, no iteration, and the flags that say so.
    """
    number = torch.full_like(batch.spectra.flux[:, 0], torch.nan)
    labels, none = number[:, None].repeat(1, n_labels), torch.zeros_like(batch.star)
    posterior = Posterior.nowhere(labels) if sampled else None
    return Measured(
        star=batch.star, group=batch.group, labels=labels, start=labels,
        errors=LabelErrors(labels, labels), posterior=posterior,
        cfi=number, chi2=number, sse=number, n_pix=none, n_clipped=none, outlier_score=number,
        v_rad=number, flags=none + (ResultFlag.FEW_PIXELS | ResultFlag.NOT_CONVERGED),
        fit=Fit.none(labels, none),
    )  # fmt: skip


class Inference(lightning.LightningModule):
    """Measures batches of groups; Lightning carries it to the devices.

    Args:
        emulator: At the resolution of the survey.
        matching: Start labels and matched sets.
        grouping: Label PCA of the groups.
        fitting: Metric and optimisers.
        flagging: Limits of the flags.
        sampling: How posteriors are sampled, of the stars whose numbers stand in ``chosen``, an
            attribute that is ``None`` for all stars; ``None`` for no posterior.
    """

    def __init__(
        self,
        emulator: Emulator,
        matching: Matching,
        grouping: Grouping,
        fitting: Fitting,
        flagging: Flagging,
        sampling: PosteriorSampling | None = None,
    ) -> None:
        super().__init__()
        self.emulator = emulator
        self.matching = matching
        self.grouping = grouping
        self.fitting = fitting
        self.flagging = flagging
        self.sampling = sampling
        self.chosen: Tensor | None = None
        self._prepared: tuple[Emulator, ComponentCFI] | None = None

    def transfer_batch_to_device(
        self, batch: GroupBatch, device: torch.device, dataloader_idx: int
    ) -> GroupBatch:
        """Lightning moves no frozen dataclass by itself."""
        return to_device(batch, device)

    def on_predict_start(self) -> None:
        """Bring the emulator to the device of the spectra."""
        keep_freed_memory()
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
        library = self.emulator.library
        if self.matching.space == "components":
            cfi = self._components.correlate(spectra)
        else:
            cfi = correlate(spectra.to(torch.float64), library.spectra)
        return cfi, self.matching.start(cfi, library)

    @property
    def _components(self) -> ComponentCFI:
        """The library among the components, prepared once for each emulator."""
        if self._prepared is None or self._prepared[0] is not self.emulator:
            emulator = self.emulator
            pca, spectra = emulator.flux_pca, emulator.library.spectra
            prepared = ComponentCFI.of(pca.mean, emulator.basis, pca.good, spectra)
            self._prepared = (emulator, prepared)
        return self._prepared[1]

    def know_noise(self, shape: NoiseShape) -> None:
        """Tell a metric that stars share how the survey's noise runs with wavelength."""
        if isinstance(self.fitting.metric, CommonMetric):
            metric = replace(self.fitting.metric, shape=shape)
            self.fitting = replace(self.fitting, metric=metric)

    @torch.no_grad()
    def measure(self, batch: GroupBatch) -> Measured:
        """Match, group, fit, and estimate errors.

        A star without a usable pixel is reported, with labels that are NaN; the others of its
        group are measured as if it were not there.

        Args:
            batch: Whole groups.

        Returns:
            Labels in the order of the batch.
        """
        usable = batch.spectra.is_usable & (batch.spectra.good & self.emulator.flux_pca.good).any(1)
        common = usable & self.fitting.metric.fits(self.emulator, batch.spectra)
        if bool(common.all()):
            return self._measure(batch, self.fitting)
        result = nothing_measured(batch, len(self.emulator.label_names), self._samples)
        for chosen, fitting in ((common, self.fitting), (usable & ~common, self.fitting.exact)):
            place = chosen.nonzero()[:, 0]
            if len(place):
                result = result.with_rows(place, self._measure(batch[place], fitting))
        return result

    def _measure(self, batch: GroupBatch, fitting: Fitting) -> Measured:
        """Measure stars that can be measured."""
        batch = replace(batch, spectra=batch.spectra.to(fitting.metric.dtype))
        subspace = candidates = None
        if batch.start is None or batch.cfi is None or fitting.wants_matches:
            cfi, start = self.start(batch.spectra)
            best_cfi = cfi.max(dim=1).values.double()
            best = cfi.topk(min(self.matching.n_best, cfi.shape[1]), dim=1).indices
            candidates = self.emulator.scaler.to_unit(self.emulator.library.labels[best])
            if fitting.moves_groups:
                subspace = self.subspace(cfi, start, batch.group)
        else:
            start, best_cfi = batch.start, batch.cfi
        fitted = fitting.fit(self.emulator, batch.spectra, start, subspace, candidates)
        problem, fit = fitted.problem, fitted.fit
        labels = self.emulator.scaler.from_unit(fit.unit)
        good = batch.spectra.good & self.emulator.flux_pca.good
        model = self.emulator.flux_of(problem.objective.coefficients(fit.unit))
        residual = (batch.spectra.flux - model).masked_fill_(~good, 0.0)
        clean = batch.spectra.without(fitted.clipped)
        v_rad = fitting.metric.velocity(self.emulator, clean, labels, model)
        of_fit = self._flags(batch.spectra, fitted, best_cfi)
        of_star = self._star_flags(good, residual, labels, start, v_rad)
        posterior, of_posterior = self._sample(problem, fit, batch.star)
        return Measured(
            star=batch.star,
            group=batch.group,
            labels=labels,
            errors=self._errors(problem, fit, start),
            posterior=posterior,
            start=start,
            cfi=best_cfi,
            chi2=problem.objective.chi_squared(fit.unit).double(),
            sse=residual.square().sum(dim=1).double(),
            n_pix=(good & clean.good).sum(dim=1, dtype=torch.int32).long(),
            n_clipped=fitted.clipped.sum(dim=1, dtype=torch.int32).long(),
            outlier_score=fitted.score,
            v_rad=v_rad,
            flags=of_fit | of_star | of_posterior,
            fit=fit,
        )

    def _errors(
        self, problem: Problem, fit: Fit, start: Float[Tensor, "star label"]
    ) -> LabelErrors:
        """Errors of the labels; an unweighted sum of squares has none."""
        if not self.fitting.metric.weighted:
            unknown = torch.full_like(fit.unit, torch.nan)
            return LabelErrors(unknown, unknown)
        knows = problem.objective.frame is not None
        residuals = None if knows else self.emulator.residuals.at(start[:, 0])
        return fisher_errors(problem.objective, residuals, self.emulator.scaler, fit.unit)

    @property
    def _samples(self) -> bool:
        """Whether posteriors are asked for; an unweighted sum of squares has none."""
        return self.sampling is not None and self.fitting.metric.weighted

    def _sample(
        self, problem: Problem, fit: Fit, star: Int[Tensor, " star"]
    ) -> tuple[Posterior | None, Int[Tensor, " star"]]:
        """Posterior of the chosen stars, and its flag."""
        if self.sampling is None or not self._samples:
            return None, torch.zeros_like(star)
        scaler, chosen = self.emulator.scaler, self.chosen
        posterior = self.sampling.posterior(problem, scaler, fit.unit, star, chosen)
        not_mixed = self.sampling.has_not_mixed(posterior)
        return posterior, combine({ResultFlag.NOT_MIXED: not_mixed})

    def _flags(
        self, spectra: Spectra, fitted: Fitted, cfi: Float[Tensor, " star"]
    ) -> Int[Tensor, " star"]:
        """Outcome of the rules on the fit."""
        problem, fit = fitted.problem, fitted.fit
        share = spectra.coverage(self.emulator.flux_pca.good)
        rest = [STOP_REASONS.index(reason) for reason in AT_REST]
        asked_for = problem.objective.asked_for(fit.unit)
        return combine(
            {
                ResultFlag.EDGE: self.flagging.on_edge(
                    fit.unit, asked_for, problem.lower, problem.upper
                ),
                ResultFlag.NOT_CONVERGED: ~torch.isin(fit.stop, torch.tensor(rest).to(fit.stop)),
                ResultFlag.POOR_MATCH: cfi < self.flagging.min_cfi,
                ResultFlag.FEW_PIXELS: share < self.flagging.min_good,
                ResultFlag.NO_ERRORS: ~spectra.has_ivar,
                ResultFlag.OUTSIDE_SUPPORT: problem.objective.is_outside(fit.unit),
                ResultFlag.PECULIAR: fitted.score > self.flagging.max_score,
            }
        )

    def _star_flags(
        self,
        good: Bool[Tensor, "star pix"],
        residual: Float[Tensor, "star pix"],
        labels: Float[Tensor, "star label"],
        start: Float[Tensor, "star label"],
        v_rad: Float[Tensor, " star"],
    ) -> Int[Tensor, " star"]:
        """Outcome of the rules on the star."""
        rules, emulator = self.flagging, self.emulator
        widths = self.matching.prior.half_widths(start[:, 0], emulator.label_names)
        no_alpha = torch.full_like(v_rad, ALPHA_FE not in emulator.label_names, dtype=torch.bool)
        return combine(
            {
                ResultFlag.EMISSION: rules.emission.find(emulator.wave, residual, good),
                ResultFlag.MANY_MASKED: rules.is_masked(good, emulator.flux_pca.good),
                ResultFlag.FAR_FROM_START: rules.has_moved(labels, start, widths),
                ResultFlag.VELOCITY: rules.is_moving(v_rad),
                ResultFlag.NO_ALPHA_FE: no_alpha,
            }
        )

    def subspace(
        self,
        cfi: Float[Tensor, "star template"],
        start: Float[Tensor, "star label"],
        group: Int[Tensor, " star"],
    ) -> Subspace:
        """Label-PCA spaces of groups.

        Args:
            cfi: Correlation with every template.
            start: Start labels.
            group: Number of each star's group.

        Returns:
            The spaces, in the order of the groups' numbers.
        """
        library = self.emulator.library
        sets, widths = self.matching.sets(cfi, library, start)
        members = [(group == number).nonzero()[:, 0] for number in group.unique()]
        pcas = [
            self.grouping.label_pca(library.labels, sets[member], widths[member])
            for member in members
        ]
        return join_label_pcas(pcas, members, self.emulator.scaler)
