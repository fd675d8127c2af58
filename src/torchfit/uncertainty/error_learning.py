"""From errors that are known to a model of how large errors are."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.library.folds import folds_by_star
from torchfit.uncertainty.error_model import GAUSSIAN_TAIL, ErrorModel
from torchfit.uncertainty.scale_gp import Hyperparameters, ScaleGP, learn_hyperparameters

logger = logging.getLogger(__name__)

LOG_BIAS = 0.6351814227307392
r"""Of a standard normal z, :math:`-E[\log|z|] = (\gamma + \log 2)/2`."""
LOG_VARIANCE = math.pi**2 / 8
r""":math:`\mathrm{Var}[\log|z|]`."""
PLAIN_VARIANCE = math.pi / 2 - 1
r""":math:`\mathrm{Var}[|z|]/E[|z|]^2`."""
LEAST = 0.02
"""Errors below this share of the expected count as it: logarithms must not run away."""
N_FOLDS = 5
ONE_SIGMA = math.erf(math.sqrt(0.5))
"""Share of a Gaussian within one standard deviation."""
WIDE = 0.95
"""Share of stars within the wide interval."""


@dataclass(frozen=True)
class KnownErrors:
    """Errors of stars whose true labels, or whose repeats, are known.

    Args:
        inputs: Inputs of the model.
        error: Absolute errors in the units of the labels; NaN where not known.
        expected: The standard deviations they were expected to have; NaN everywhere when the fit
            expects nothing.
        fold: Fold of each row, all rows of a star in one.
    """

    inputs: Float[Tensor, "star input"]
    error: Float[Tensor, "star label"]
    expected: Float[Tensor, "star label"]
    fold: Int[Tensor, " star"]


@dataclass(frozen=True)
class ErrorLearning:
    r"""How an error model is learned.

    An error e of standard deviation :math:`c\,s` (expected s, factor c) has
    :math:`E[\log|e|] = \log(c\,s) - 0.635` and variance :math:`\pi^2/8`: log c is a regression
    with known noise, and a gross error counts no more than a large one. Errors of stars have
    heavier tails than a Gaussian, so its constant is not trusted: the factor is multiplied by what
    brings 68.27 % of the stars, each predicted from the other folds, within one error, and what
    brings 95 % of them within is kept beside it as the tail. The plain reading regresses the
    absolute errors themselves.

    Args:
        plain: The paper's plain reading.
        min_stars: Least known errors of a label; from fewer nothing is learned.
        n_usual: With fewer the usual hyperparameters and the constant of the Gaussian are taken.
        n_learn: Most errors that hyperparameters are learned from.
        n_points: Most inducing points.
        level_sigma: How far, in natural logarithms, the level of the factor is expected from 1.
        snr_tolerance: Largest difference of the signal-to-noise ratios of a pair of repeat
            observations, as a share of their mean.
        n_noisy: Most library stars that are measured once more with noise added, to learn what
            noise does to labels; 0 for none.

    Raises:
        ConfigError: If a number makes no sense.
    """

    plain: bool = False
    min_stars: int = 5
    n_usual: int = 60
    n_learn: int = 512
    n_points: int = 128
    level_sigma: float = 0.5
    snr_tolerance: float = 0.2
    n_noisy: int = 2000

    def __post_init__(self) -> None:
        if min(self.min_stars, self.n_learn, self.n_points) < 2:
            raise ConfigError(
                f"min_stars={self.min_stars}, n_learn={self.n_learn} and n_points={self.n_points} "
                "must be at least 2"
            )
        if min(self.level_sigma, self.snr_tolerance) <= 0:
            raise ConfigError(
                f"level_sigma={self.level_sigma} and snr_tolerance={self.snr_tolerance} must be "
                "positive"
            )
        if self.n_noisy < 0:
            raise ConfigError(f"n_noisy={self.n_noisy} must not be negative")

    def learn(
        self, known: KnownErrors, label_names: Sequence[str], what: str, usual: bool = False
    ) -> ErrorModel:
        """Learn a model.

        Args:
            known: Errors.
            label_names: Labels, for what is said.
            what: What errors they are, for what is said.
            usual: Whether the usual hyperparameters and the constant of the Gaussian suffice, for
                one of several models that are learned in turn; few stars are not warned of then.

        Returns:
            The model.
        """
        relative = not self.plain and bool(known.expected.isfinite().any())
        expected = known.expected if relative else torch.ones_like(known.error)
        usable = known.inputs.isfinite().all(dim=1)
        centre, width = _spread(known.inputs[usable])
        scaled = (known.inputs - centre) / width
        gps, units, tails = [], [], []
        for label, name in enumerate(label_names):
            ratio = known.error[:, label].abs() / expected[:, label]
            rows = usable & ratio.isfinite()
            if not usual:
                self._warn(int(rows.sum()), name, what)
            fold = torch.zeros_like(known.fold) if usual else known.fold
            gp, unit, tail = self._learn_label(scaled[rows], ratio[rows], fold[rows], relative)
            gps.append(gp)
            units.append(unit)
            tails.append(tail)
        unit_of, tail_of = (torch.tensor(each, dtype=torch.float64) for each in (units, tails))
        return ErrorModel(centre, width, tuple(gps), unit_of, self.plain, relative, tail_of)

    def _learn_label(
        self, x: Tensor, ratio: Tensor, fold: Tensor, relative: bool
    ) -> tuple[ScaleGP | None, float, float]:
        """Gaussian process, unit and tail of one label."""
        tail = GAUSSIAN_TAIL
        if len(x) < self.min_stars:
            return None, 1.0, tail
        unit = 1.0 if relative else float(ratio.mean())
        y, kernel = self._outputs(ratio / unit, x.shape[1])
        few = len(x) < self.n_usual or len(fold.unique()) < 2
        if not few:
            some = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
            some = some[: self.n_learn]
            kernel = learn_hyperparameters(x[some], y[some], kernel, learn_noise=self.plain)
        if not (few or self.plain):
            one, wide = self._quantiles(x, y, ratio / unit, fold, kernel)
            unit, tail = unit * one, wide / one if one > 0 else tail
        return ScaleGP.fit(x, y, kernel, self.n_points), unit, tail

    def _outputs(self, ratio: Tensor, n_inputs: int) -> tuple[Tensor, Hyperparameters]:
        """What is regressed, with its usual hyperparameters."""
        level = self.level_sigma**2
        if self.plain:
            return ratio - 1, Hyperparameters.usual(n_inputs, level, PLAIN_VARIANCE)
        y = ratio.clamp_min(LEAST).log() + LOG_BIAS
        return y, Hyperparameters.usual(n_inputs, level, LOG_VARIANCE)

    def _quantiles(
        self, x: Tensor, y: Tensor, ratio: Tensor, fold: Tensor, kernel: Hyperparameters
    ) -> list[float]:
        """Factors that bring 68.27 % and 95 % of the stars, each left out, within one error."""
        scaled = torch.full_like(ratio, torch.nan)
        for number in fold.unique():
            out = fold == number
            mean, variance = ScaleGP.fit(x[~out], y[~out], kernel, self.n_points).predict(x[out])
            scaled[out] = ratio[out] / (mean + variance).exp()
        return scaled.quantile(scaled.new_tensor([ONE_SIGMA, WIDE])).tolist()

    def _warn(self, n_known: int, name: str, what: str) -> None:
        if n_known < self.min_stars:
            logger.warning(
                "%s: %s errors are known of %d stars, too few to learn from; they stay as the fit "
                "expects them", name, what, n_known,
            )  # fmt: skip
        elif n_known < self.n_usual:
            logger.warning(
                "%s: %s errors are known of %d stars only; they are calibrated roughly",
                name, what, n_known,
            )  # fmt: skip


def folds_of(star_names: Sequence[str]) -> Int[Tensor, " row"]:
    """Folds by star for the measured quantile, as many as there are stars at most.

    Args:
        star_names: Star of each row.

    Returns:
        Fold of each row; all in one when there is one star only.
    """
    n_folds = min(N_FOLDS, len(set(star_names)))
    if n_folds < 2:
        return torch.zeros(len(star_names), dtype=torch.long)
    return folds_by_star(star_names, n_folds, seed=1)


def _spread(inputs: Float[Tensor, "star input"]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of inputs; 0 and 1 where there are none, 1 for a constant."""
    if not len(inputs):
        return inputs.new_zeros(inputs.shape[1]), inputs.new_ones(inputs.shape[1])
    width = inputs.std(dim=0, correction=0)
    return inputs.mean(dim=0), torch.where(width > 0, width, 1.0)
