"""From normalised spectra to labels: the only place that chains matching, likelihood and search."""

from dataclasses import replace

import torch
from jaxtyping import Int
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.flags.bits import ResultFlag
from torchfit.flags.rules import combine
from torchfit.likelihood.exact import ExactLikelihood
from torchfit.likelihood.joint import JointLikelihood
from torchfit.likelihood.joint_spectra import JointSpectra
from torchfit.likelihood.likelihood import Condensed, Likelihood
from torchfit.likelihood.noise import NoiseShape
from torchfit.likelihood.objective import Evaluation, Objective
from torchfit.likelihood.shared import SharedLikelihood
from torchfit.measure.batch import GroupBatch
from torchfit.measure.device import to_device
from torchfit.measure.judgement import FittedStars, flags_of
from torchfit.measure.matches import MatchedStars, Matcher, Matches
from torchfit.measure.measurement import Measurement
from torchfit.measure.search import Found, search
from torchfit.measure.settings import FitSettings
from torchfit.optimise.problem import Fit, Problem
from torchfit.spectra import Spectra
from torchfit.uncertainty.fisher import LabelErrors, fisher_errors
from torchfit.uncertainty.posterior import Posterior


class BatchFitter:
    """Measures batches of groups on the device of its emulator.

    Args:
        emulator: At the resolution of the survey.
        settings: How to measure.
        noise: How the survey's noise runs with wavelength, for a metric that shares matrices;
            ``None`` for the same noise everywhere.
        sampled: Numbers of the stars whose posterior is sampled; ``None`` for all.
    """

    def __init__(
        self,
        emulator: Emulator,
        settings: FitSettings | None = None,
        noise: NoiseShape | None = None,
        sampled: Int[Tensor, " chosen"] | None = None,
    ) -> None:
        self.emulator = emulator
        self.settings = FitSettings() if settings is None else settings
        self.noise, self.sampled = noise, sampled
        self.matcher = Matcher(emulator, self.settings.matching)
        metric = self.settings.metric
        self.joint = JointLikelihood(metric, emulator)
        self.likelihoods: list[Likelihood] = [ExactLikelihood(metric, emulator)]
        if metric.sharing is not None:
            # Each star goes to the first that takes it.
            self.likelihoods.insert(0, SharedLikelihood(metric, emulator, noise))

    def to(self, device: torch.device) -> "BatchFitter":
        """The same on another device; this one stays where it is."""
        return BatchFitter(
            to_device(self.emulator, device),
            self.settings,
            to_device(self.noise, device),
            to_device(self.sampled, device),
        )

    @torch.no_grad()
    def match(self, spectra: Spectra) -> Matches:
        """Match spectra to the library; see :meth:`torchfit.measure.matches.Matcher.match`."""
        return self.matcher.match(spectra.finite())

    @torch.no_grad()
    def measure(self, batch: GroupBatch) -> Measurement:
        """Match, group, fit, and estimate errors.

        A star without a usable pixel is reported, with labels that are NaN; the others of its
        group are measured as if it were not there.

        Args:
            batch: Whole groups.

        Returns:
            Labels in the order of the batch.
        """
        spectra, known = batch.spectra, self.emulator.flux_pca.good
        usable = (spectra.is_finite & (spectra.good & known).any(dim=1)).nonzero()[:, 0]
        n_labels = len(self.emulator.label_names)
        result = Measurement.empty(batch, n_labels, self.settings.samples)
        if not len(usable):
            return result
        batch = replace(batch, spectra=spectra.finite())
        stars = self._matched(batch if len(usable) == len(batch.star) else batch[usable])
        left = torch.ones_like(stars.spectra.has_ivar)
        for likelihood in self._likelihoods_of(stars.spectra):
            mine = left & likelihood.takes(stars.spectra, stars.start)
            place, left = mine.nonzero()[:, 0], left & ~mine
            if len(place):
                result = result.with_rows(usable[place], self._measure(likelihood, stars[place]))
        return result

    def _likelihoods_of(self, spectra: Spectra) -> list[Likelihood]:
        """Likelihoods of a batch; an accelerator is waited for once for each of them."""
        several = isinstance(spectra, JointSpectra)
        return [self.joint, *self.likelihoods] if several else self.likelihoods

    def _matched(self, batch: GroupBatch) -> MatchedStars:
        """Start labels of a batch: those it has, or new ones where an optimiser needs matches."""
        start, cfi, matches = batch.start, batch.cfi, None
        if start is None or cfi is None or self.settings.wants_matches:
            matches = self.match(batch.spectra)
            start, cfi = matches.start, matches.best_cfi
        return MatchedStars(batch.star, batch.group, batch.spectra, start, cfi, matches)

    def _measure(self, likelihood: Likelihood, stars: MatchedStars) -> Measurement:
        """Measure stars that a likelihood takes."""
        stars = replace(stars, spectra=stars.spectra.to(likelihood.dtype))
        condensed = likelihood.condense(stars.spectra, stars.start)
        problem = self._problem(condensed.objective, stars)
        unit = self.emulator.scaler.to_unit(stars.start)
        found = search(problem, unit, self.settings.optimisers.values())
        return self._measurement(stars, condensed, problem, found)

    def _problem(self, objective: Objective, stars: MatchedStars) -> Problem:
        """What the optimisers are given."""
        lower, upper = (corner.double() for corner in self.emulator.bounds)
        if stars.matches is None:
            return Problem(objective, lower, upper, None)
        subspace = candidates = None
        if self.settings.moves_groups:
            grouping = self.settings.grouping
            subspace = self.matcher.subspace(stars.matches, stars.group, grouping)
        if self.settings.has_several_starts:
            candidates = self.matcher.candidates(stars.matches)
        return Problem(objective, lower, upper, subspace, candidates)

    def _measurement(
        self, stars: MatchedStars, condensed: Condensed, problem: Problem, found: Found
    ) -> Measurement:
        """Everything that follows from where the fit ended."""
        fit = found.fit
        fitted = self._fitted(stars, condensed, problem, fit)
        posterior, not_mixed = self._sample(problem, fit, stars.star)
        return Measurement(
            star=stars.star,
            group=stars.group,
            labels=fitted.labels,
            errors=fitted.errors,
            posterior=posterior,
            start=stars.start,
            grouped=self.emulator.scaler.from_unit(found.grouped),
            cfi=stars.cfi,
            chi2=fitted.chi2,
            sse=fitted.residual.square().sum(dim=1).double(),
            n_pix=condensed.n_pix,
            clipped=condensed.clipped,
            outlier_score=condensed.score,
            v_rad=fitted.v_rad,
            flags=flags_of(fitted, self.emulator, self.settings) | not_mixed,
            fit=fit,
        )

    def _fitted(
        self, stars: MatchedStars, condensed: Condensed, problem: Problem, fit: Fit
    ) -> FittedStars:
        """What flags are set by."""
        emulator, spectra = self.emulator, stars.spectra
        solution = problem.objective.at(fit.unit)
        labels = emulator.scaler.from_unit(fit.unit)
        good = spectra.good & emulator.flux_pca.good
        model = emulator.flux_of(solution.coefficients)
        clean = spectra.without(condensed.clipped)
        return FittedStars(
            spectra=spectra,
            problem=problem,
            fit=fit,
            solution=solution,
            score=condensed.score,
            labels=labels,
            errors=self._errors(solution, fit),
            start=stars.start,
            cfi=stars.cfi,
            residual=(spectra.flux - model).mul_(good.to(model)),
            v_rad=self.settings.metric.velocity(emulator, clean, labels, model),
            chi2=solution.chi_squared,
        )

    def _errors(self, solution: Evaluation, fit: Fit) -> LabelErrors:
        """Errors of the labels; an unweighted sum of squares has none."""
        if not self.settings.metric.weighted:
            unknown = torch.full_like(fit.unit, torch.nan)
            return LabelErrors(unknown, unknown)
        return fisher_errors(solution, self.emulator.scaler, fit.unit)

    def _sample(
        self, problem: Problem, fit: Fit, star: Int[Tensor, " star"]
    ) -> tuple[Posterior | None, Int[Tensor, " star"]]:
        """Posterior of the chosen stars, and its flag."""
        sampling = self.settings.sampling
        if sampling is None or not self.settings.samples:
            return None, torch.zeros_like(star)
        scaler = self.emulator.scaler
        posterior = sampling.posterior(problem, scaler, fit.unit, star, self.sampled)
        return posterior, combine({ResultFlag.NOT_MIXED: sampling.has_not_mixed(posterior)})
