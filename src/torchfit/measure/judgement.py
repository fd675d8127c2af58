"""Which flags a fit deserves."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.flags.bits import ResultFlag
from torchfit.flags.rules import combine
from torchfit.likelihood.objective import Evaluation
from torchfit.match.weights import correlation_allowed_by_noise
from torchfit.measure.settings import FitSettings
from torchfit.names import ALPHA_FE
from torchfit.optimise.problem import AT_REST, STOP_REASONS, Fit, Problem
from torchfit.spectra import Spectra
from torchfit.uncertainty.fisher import LabelErrors


@dataclass(frozen=True)
class FittedStars:
    """Everything of a fit that the rules look at.

    Args:
        spectra: The spectra.
        problem: What was minimised.
        fit: Where it ended.
        solution: The objective there.
        score: Outlier score.
        labels: Labels there.
        errors: Their errors.
        start: Start labels.
        cfi: Best correlation with the library.
        residual: Flux less model; 0 in bad pixels.
        v_rad: Residual velocity in km/s.
        chi2: Chi-squared.
    """

    spectra: Spectra
    problem: Problem
    fit: Fit
    solution: Evaluation
    score: Float[Tensor, " star"]
    labels: Float[Tensor, "star label"]
    errors: LabelErrors
    start: Float[Tensor, "star label"]
    cfi: Float[Tensor, " star"]
    residual: Float[Tensor, "star pix"]
    v_rad: Float[Tensor, " star"]
    chi2: Float[Tensor, " star"]


def flags_of(stars: FittedStars, emulator: Emulator, settings: FitSettings) -> Int[Tensor, " star"]:
    """Apply the rules of the result flags.

    Args:
        stars: The fitted stars.
        emulator: What they were fitted with.
        settings: Limits of the rules, and the metric.

    Returns:
        Sum of the bits of :class:`torchfit.flags.bits.ResultFlag`.
    """
    rules, known = settings.flagging, emulator.flux_pca.good
    problem, fit, spectra = stars.problem, stars.fit, stars.spectra
    good = spectra.good & known
    widths = settings.matching.prior.half_widths(
        stars.start[:, 0], emulator.label_names, emulator.library.labels
    )
    allowed = correlation_allowed_by_noise(spectra, known, settings.matching.scatter)
    no_alpha = ALPHA_FE not in emulator.label_names
    return combine(
        {
            ResultFlag.EDGE: rules.on_edge(
                fit.unit, stars.solution.asked_for(), problem.lower, problem.upper
            ),
            ResultFlag.NOT_CONVERGED: ~_is_at_rest(fit),
            ResultFlag.POOR_MATCH: rules.is_poor(stars.cfi, allowed),
            ResultFlag.FEW_PIXELS: spectra.coverage(known) < rules.min_good,
            ResultFlag.NO_ERRORS: ~spectra.has_ivar,
            ResultFlag.OUTSIDE_SUPPORT: stars.solution.is_outside,
            ResultFlag.PECULIAR: stars.score > rules.max_score,
            ResultFlag.EMISSION: rules.emission.find(emulator.wave, stars.residual, good),
            ResultFlag.MANY_MASKED: rules.is_masked(good, known),
            ResultFlag.FAR_FROM_START: rules.has_moved(stars.labels, stars.start, widths),
            ResultFlag.VELOCITY: rules.is_moving(stars.v_rad),
            ResultFlag.NO_ALPHA_FE: torch.full_like(spectra.has_ivar, no_alpha),
            ResultFlag.INVALID: is_invalid(stars, emulator, settings.metric.weighted),
        }
    )


def _is_at_rest(fit: Fit) -> Bool[Tensor, " star"]:
    rest = [STOP_REASONS.index(reason) for reason in AT_REST]
    return torch.isin(fit.stop, torch.tensor(rest, device=fit.stop.device))


def is_invalid(stars: FittedStars, emulator: Emulator, weighted: bool) -> Bool[Tensor, " star"]:
    """Stars whose numbers cannot be true.

    Args:
        stars: The fitted stars.
        emulator: Its library gives the range of each label.
        weighted: Whether the metric has errors at all.

    Returns:
        True where a label, or chi-squared, is not a number, chi-squared is negative, or (for a
        metric with errors) an error is not a number or larger than the range of the library's
        labels, of which even a guess would be within. A label that is the same in the whole library
        is not measured, and its error is not judged.
    """
    library = emulator.library.labels
    span = library.max(dim=0).values - library.min(dim=0).values
    sound = stars.labels.isfinite().all(dim=1) & (stars.chi2 >= 0) & stars.chi2.isfinite()
    if weighted:
        sound = sound & ((stars.errors.total <= span) | (span == 0)).all(dim=1)
    return ~sound
