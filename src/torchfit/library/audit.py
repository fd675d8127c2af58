"""Templates whose flux contradicts their labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.library.identity import star_key
from torchfit.names import MAD_TO_SIGMA

REASONS = ("labels", "spectrum", "duplicate")
"""Why a template is listed: its labels belong to another flux, its flux is like no other of its
temperature, or templates of one star disagree."""

N_SIMILAR = 51
"""Templates of similar temperature that a misfit is compared with, the template among them."""

LEAST_SPREAD = 0.3
"""Least scatter of the logarithm of misfits: where all spectra are equally good, one that is a
little worse is no bad one."""


@dataclass(frozen=True)
class Evidence:
    """What emulators of other stars say of templates; NaN for templates that were not measured.

    Args:
        measured: Labels measured with an emulator that has not seen the star.
        error: Standard deviation of measured minus published labels, from both errors.
        matched: Mean labels of the most similar other templates.
        misfit: Root mean square of observed minus fitted normalised flux.
    """

    measured: Float[Tensor, "template label"]
    error: Float[Tensor, "template label"]
    matched: Float[Tensor, "template label"]
    misfit: Float[Tensor, " template"]

    @property
    def is_measured(self) -> Bool[Tensor, " template"]:
        """Templates that were measured, and so can be judged."""
        return self.measured.isfinite().all(dim=1)


@dataclass(frozen=True)
class Findings:
    """The outcome of an audit.

    Args:
        evidence: What was judged.
        sizes: By how many standard deviations each reason of :data:`REASONS` speaks against a
            template; 0 where it does not, or where the template was not measured.
        listed: Templates that are reported.
        left_out: Templates that train no emulator.
    """

    evidence: Evidence
    sizes: Float[Tensor, "template reason"]
    listed: Bool[Tensor, " template"]
    left_out: Bool[Tensor, " template"]

    @property
    def n_judged(self) -> int:
        """Number of templates that were measured, and so judged."""
        return int(self.evidence.is_measured.sum())

    @property
    def ranked(self) -> Int[Tensor, " listed"]:
        """Places of the listed templates, the worst first."""
        place = self.listed.nonzero()[:, 0]
        return place[self.sizes[place].amax(dim=1).argsort(descending=True, stable=True)]

    def reason(self, template: int) -> str:
        """The reason that speaks loudest against a template."""
        return REASONS[int(self.sizes[template].argmax())]


@dataclass(frozen=True)
class Audit:
    r"""When a template is suspicious, and when it trains no emulator.

    The held-out fit of a template lies :math:`\max_l |x_l - x^{pub}_l| / e_l` errors from its
    published labels. That counts if the templates most similar in flux lie beyond the middle
    between both on the same side: the flux is better explained elsewhere in the library. A flux is
    like no other when the logarithm of its misfit stands out among templates of similar
    temperature, and templates of one star disagree when their published or their measured labels
    do.

    Args:
        listed: Templates beyond so many standard deviations are listed.
        gross: Templates whose labels or spectrum are beyond so many are left out of training.
        leave_out: Whether gross templates are left out; otherwise they are only listed.
        keep: Names of stars that are never left out.

    Raises:
        ConfigError: If the limits make no sense.
    """

    listed: float = 4.0
    gross: float = 8.0
    leave_out: bool = True
    keep: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not 0 < self.listed <= self.gross:
            raise ConfigError(
                f"library.audit: listed={self.listed} must be positive and at most "
                f"gross={self.gross}"
            )

    def judge(
        self,
        labels: Float[Tensor, "template label"],
        star_names: Sequence[str],
        evidence: Evidence,
    ) -> Findings:
        """Judge every template that was measured.

        Args:
            labels: Published labels of the templates.
            star_names: Their stars.
            evidence: What emulators of other stars say of them.

        Returns:
            Which templates are listed, and which are left out.
        """
        names = [star_key(name) for name in star_names]
        sizes = torch.stack(
            [
                label_contradiction(labels, evidence),
                excess_misfit(evidence.misfit, evidence.measured[:, 0]),
                disagreement(labels, evidence, names),
            ],
            dim=1,
        )
        sizes = sizes * evidence.is_measured[:, None]  # Of a sample, the rest is not judged.
        kept = {star_key(name) for name in self.keep}
        free = torch.tensor([name not in kept for name in names])
        gross = (sizes[:, :2] > self.gross).any(dim=1) & free
        listed = (sizes > self.listed).any(dim=1)
        return Findings(evidence, sizes, listed, gross if self.leave_out else gross & False)


def label_contradiction(
    labels: Float[Tensor, "template label"], evidence: Evidence
) -> Float[Tensor, " template"]:
    """Errors between measured and published labels, where the most similar templates agree.

    Args:
        labels: Published labels.
        evidence: What emulators of other stars say.

    Returns:
        The largest number of errors over the labels; 0 where the similar templates have labels
        nearer to the published than to the measured one, or nothing was measured.
    """
    moved = evidence.measured - labels
    errors = (moved / evidence.error).abs().nan_to_num(0.0, posinf=0.0)
    worst = errors.argmax(dim=1, keepdim=True)
    share = ((evidence.matched - labels) / moved).gather(1, worst)
    return torch.where(share > 0.5, errors.gather(1, worst), 0.0)[:, 0]


def excess_misfit(
    misfit: Float[Tensor, " template"], teff: Float[Tensor, " template"]
) -> Float[Tensor, " template"]:
    """How far misfits stand out among those of similar temperature.

    Args:
        misfit: Misfit of each template; NaN where unknown.
        teff: Measured temperature in K.

    Returns:
        Logarithm of the misfit less its median over the templates nearest in rank of temperature,
        in robust standard deviations of all, :data:`LEAST_SPREAD` at least; 0 where unknown.
    """
    excess = torch.zeros_like(misfit)
    known = ((misfit > 0) & misfit.isfinite() & teff.isfinite()).nonzero()[:, 0]
    if len(known) < N_SIMILAR:
        return excess
    known = known[teff[known].argsort(stable=True)]
    level = misfit[known].log()
    half = N_SIMILAR // 2
    local = level.unfold(0, N_SIMILAR, 1).median(dim=1).values
    local = torch.cat([local[:1].expand(half), local, local[-1:].expand(half)])
    rest = level - local
    sigma = MAD_TO_SIGMA * (rest - rest.median()).abs().median()
    excess[known] = rest / sigma.clamp_min(LEAST_SPREAD)
    return excess.clamp_min(0.0)


def disagreement(
    labels: Float[Tensor, "template label"], evidence: Evidence, names: Sequence[str]
) -> Float[Tensor, " template"]:
    """Errors between templates of one star, the larger for published and measured labels.

    Args:
        labels: Published labels.
        evidence: What emulators of other stars say.
        names: Star of each template.

    Returns:
        Largest difference from another template of the star, in errors of one; 0 for a single one.
    """
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    result = torch.zeros_like(labels[:, 0])
    for rows in (torch.tensor(found) for found in places.values() if len(found) > 1):
        apart = torch.stack([_apart(each[rows]) for each in (labels, evidence.measured)])
        errors = apart.nan_to_num(0.0).amax(dim=0) / evidence.error[rows]
        result[rows] = errors.nan_to_num(0.0).amax(dim=1)
    return result


def _apart(values: Float[Tensor, "visit label"]) -> Float[Tensor, "visit label"]:
    """Largest difference of each row from another; NaN of a row does not count for others."""
    return (values[:, None] - values).abs().nan_to_num(0.0).amax(dim=1)
