"""Errors of library stars by models that were learned from other stars."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.uncertainty.calibration import calibrate
from torchfit.uncertainty.error_learning import ErrorLearning, folds_of
from torchfit.uncertainty.fisher import MeasuredLabels
from torchfit.uncertainty.systematic import learn_systematic


def cross_fitted_errors(
    learning: ErrorLearning,
    measured: MeasuredLabels,
    published: Float[Tensor, "star label"],
    star_names: Sequence[str],
    label_names: Sequence[str],
) -> Float[Tensor, "star label"]:
    """How far measured labels may be from published ones, judged by other stars.

    The systematic factor (:func:`~torchfit.uncertainty.systematic.learn_systematic`) of a star is
    learned from the stars of the other folds. It is learned from measured minus published labels,
    and so the error is that of both together. The usual hyperparameters serve: what is learned is
    one slowly varying factor, five times over.

    Args:
        learning: How to learn.
        measured: Library stars measured by emulators that had not seen them; NaN for others.
        published: Published labels.
        star_names: Star of each row; visits of a star share a fold.
        label_names: Names of the labels.

    Returns:
        Standard deviations in the units of the labels; NaN for stars that were not measured.
    """
    fold = folds_of(star_names)
    errors = torch.full_like(published, torch.nan)
    unknown = torch.full_like(published[:, 0], torch.nan)
    for number in fold.unique():
        out, known = fold == number, fold != number
        model = learn_systematic(
            learning, measured[known], published[known], fold[known], label_names, usual=True
        )
        shared = calibrate(measured[out], unknown[out], model, ()).systematic
        # An unweighted fit expects no error by noise.
        errors[out] = torch.hypot(shared, measured[out].errors.noise.nan_to_num(0.0))
    return torch.where(measured.labels.isfinite(), errors, torch.nan)
