"""Systematic errors: how far held-out library stars are from their published labels."""

from collections.abc import Sequence

from jaxtyping import Float, Int
from torch import Tensor

from torchfit.uncertainty.error_learning import ErrorLearning, KnownErrors
from torchfit.uncertainty.error_model import ErrorModel, inputs_of
from torchfit.uncertainty.fisher import MeasuredLabels

ROUNDS = 2
"""How often the share of the noise is estimated again."""


def learn_systematic(
    learning: ErrorLearning,
    measured: MeasuredLabels,
    published: Float[Tensor, "star label"],
    fold: Int[Tensor, " star"],
    label_names: Sequence[str],
    usual: bool = False,
) -> ErrorModel:
    r"""Learn the factor of the model's part of the errors.

    The error of a held-out star has a part from the noise n of its spectrum, which a survey's
    spectrum brings again and in its own size. It is taken out of the variance before the factor c
    of the other part m is learned: :math:`\Delta^2 \to \Delta^2 (1 - h)`,
    :math:`h = n^2/(n^2 + c^2 m^2)`. The errors of the published labels stay in: what is learned is
    how far a star may be from what the library would have published for it.

    Args:
        learning: How to learn.
        measured: Stars measured by emulators that had not seen them.
        published: Their published labels.
        fold: Fold of each star, all visits of a star in one.
        label_names: Names of the labels.
        usual: Whether the usual hyperparameters suffice.

    Returns:
        The model, of labels only.
    """
    errors = measured.errors
    inputs, difference = inputs_of(measured.labels), (measured.labels - published).abs()
    known = KnownErrors(inputs, difference, errors.model, fold)
    model = learning.learn(known, label_names, "systematic", usual)
    if not model.relative:
        return model
    for _ in range(ROUNDS - 1):
        ours = model.factor(inputs) * errors.model
        share = errors.noise.square() / (errors.noise.square() + ours.square())
        known = KnownErrors(inputs, difference * (1 - share).sqrt(), errors.model, fold)
        model = learning.learn(known, label_names, "systematic", usual)
    return model
