"""The rule behind each bit; pure functions of what the fit found."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.flags.bits import ResultFlag
from torchfit.flags.emission import Emission
from torchfit.flags.survey_rules import SurveyRules

_ROUNDING = 1e-6
"""Share of the width of the box by which a label on its edge may be off."""


@dataclass(frozen=True)
class Flagging:
    """Limits of the rules.

    Args:
        min_cfi: Best correlation below which a match is poor, as a share of what the noise allows.
        least_cfi: Best correlation below which it is poor whatever the noise.
        min_good: Share of the emulator's pixels below which a star has few.
        edge: How far beyond the edge of the box a spectrum must ask for a label, in its standard
            deviations, for the star to count as on it.
        max_masked: Share of bad pixels, between the first and the last good one, above which a
            star has many.
        max_move: Distance from the start labels, in half-widths of the intervals that matched
            sets come from, above which start and fit disagree.
        max_velocity: Residual velocity in km/s above which the redshift is suspicious.
        max_score: Outlier score above which a star is peculiar.
        emission: What counts as a line in emission.
        survey: The rules that need the whole survey.
    """

    min_cfi: float = 0.5
    least_cfi: float = 0.25
    min_good: float = 0.5
    edge: float = 0.5
    max_masked: float = 0.2
    max_move: float = 1.0
    max_velocity: float = 60.0
    max_score: float = 2.0
    emission: Emission = field(default_factory=Emission)
    survey: SurveyRules = field(default_factory=SurveyRules)

    def is_poor(
        self, cfi: Float[Tensor, " star"], allowed: Float[Tensor, " star"]
    ) -> Bool[Tensor, " star"]:
        """Stars that no template matches; a correlation that is not known is none.

        Args:
            cfi: Best correlation.
            allowed: Correlation that the noise allows
                (:func:`torchfit.match.weights.correlation_allowed_by_noise`).
        """
        return ~(cfi >= (self.min_cfi * allowed).clamp_min(self.least_cfi))

    def on_edge(
        self,
        unit: Float[Tensor, "star label"],
        asked_for: tuple[Float[Tensor, "star label"], Float[Tensor, "star label"]],
        lower: Float[Tensor, " label"],
        upper: Float[Tensor, " label"],
    ) -> Bool[Tensor, " star"]:
        """Stars with a label on the edge of the box, or held back from beyond it.

        The wall around the library is soft, and the prior knows templates only: a star from beyond
        comes to rest a little inside. A label that is the same in all templates has no edge.

        Args:
            unit: Unit labels.
            asked_for: What the spectrum alone asks for, and its standard deviation
                (:meth:`torchfit.likelihood.objective.Evaluation.asked_for`).
            lower: Lower corner of the box.
            upper: Upper corner.

        Returns:
            True on the edge.
        """
        near, (wanted, sigma) = _ROUNDING * (upper - lower), asked_for
        on_it = (unit <= lower + near) | (unit >= upper - near)
        held = (wanted < lower - self.edge * sigma) | (wanted > upper + self.edge * sigma)
        return ((on_it | held) & (lower < upper)).any(dim=1)

    def has_moved(
        self,
        labels: Float[Tensor, "star label"],
        start: Float[Tensor, "star label"],
        half_widths: Float[Tensor, "star label"],
    ) -> Bool[Tensor, " star"]:
        """Stars whose fit ended far from their start labels.

        Args:
            labels: Fitted labels.
            start: Start labels.
            half_widths: Half-widths of the intervals of the matched sets.

        Returns:
            True where any label moved too far.
        """
        return ((labels - start).abs() > self.max_move * half_widths).any(dim=1)

    def is_moving(self, v_rad: Float[Tensor, " star"]) -> Bool[Tensor, " star"]:
        """Stars with a large residual velocity (km/s); one that is not known is none."""
        return v_rad.abs() > self.max_velocity

    def is_masked(
        self, good: Bool[Tensor, "star pix"], known: Bool[Tensor, " pix"]
    ) -> Bool[Tensor, " star"]:
        """Stars with many bad pixels in the range that their spectrum covers.

        Args:
            good: Good pixels of the stars.
            known: Pixels that the emulator knows; the others do not count.

        Returns:
            True where the share of bad pixels is above ``max_masked``.
        """
        upto = torch.nn.functional.pad(known.cumsum(dim=0), (1, 0))
        byte = good.to(torch.uint8)
        first, last = byte.argmax(dim=1), good.shape[1] - byte.flip(1).argmax(dim=1)
        covered = upto[last] - upto[first]
        bad = covered - (good & known).sum(dim=1, dtype=torch.int32)
        return good.any(dim=1) & (bad > self.max_masked * covered)


def combine(rules: dict[ResultFlag, Bool[Tensor, " star"]]) -> Int[Tensor, " star"]:
    """Put the outcome of the rules into one integer per star.

    Args:
        rules: For each bit the stars it is set for.

    Returns:
        Sum of the bits.
    """
    bits = [outcome.long() * int(flag) for flag, outcome in rules.items()]
    return torch.stack(bits).sum(dim=0)
