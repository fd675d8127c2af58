"""From what the fit expects to the errors of the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.uncertainty.error_model import GAUSSIAN_TAIL, ErrorModel, inputs_of, level_of
from torchfit.uncertainty.fisher import LabelErrors, MeasuredLabels


@dataclass(frozen=True)
class Calibrated:
    """Errors of the labels in the catalogue.

    Args:
        total: Root of the sum of the squares of both parts.
        systematic: Part that repeat observations share.
        random: Part that they do not.
        wide: Half-width of the interval that holds 95 %.
    """

    total: Float[Tensor, "star label"]
    systematic: Float[Tensor, "star label"]
    random: Float[Tensor, "star label"]
    wide: Float[Tensor, "star label"]

    def percentiles(
        self, labels: Float[Tensor, "star label"]
    ) -> dict[float, Float[Tensor, "star label"]]:
        """Percentiles of the labels, symmetric about them.

        Args:
            labels: The labels.

        Returns:
            The 2.5th, 16th, 84th and 97.5th percentile, by their numbers.
        """
        return {
            2.5: labels - self.wide,
            16.0: labels - self.total,
            84.0: labels + self.total,
            97.5: labels + self.wide,
        }


def calibrate(
    measured: MeasuredLabels,
    snr: Float[Tensor, " star"],
    systematic: ErrorModel | None,
    random: Sequence[ErrorModel],
) -> Calibrated:
    r"""Multiply both parts of the errors by what was learned of them (Eq. 5).

    .. math:: \Delta^2 = (c_{sys}\,m)^2 + (c_{ran}\,n)^2

    with the noise's part n and the other part m of the expected errors. An error model of absolute
    errors (the paper's) takes the place of its part. Half-widths of the intervals that hold 95 %
    are those of both parts, each with its tail t (1.96 for a Gaussian), added alike:
    :math:`(t_{sys}\,c_{sys}\,m)^2 + (t_{ran}\,c_{ran}\,n)^2`. The random part has the tail of its
    last model.

    Args:
        measured: Labels and expected errors.
        snr: Signal-to-noise ratio; NaN where not known.
        systematic: Model of the emulator; ``None`` leaves its part as expected.
        random: Models of the noise's part, one after the other; none leave it as expected.

    Returns:
        Errors in the units of the labels; NaN where a part is not known.
    """
    for model in random:
        measured = with_noise(model, measured, snr)
    shared, noise = measured.errors.model, measured.errors.noise
    if systematic is not None:
        shared = _part(systematic, inputs_of(measured.labels), shared)
    wide = torch.hypot(
        _tail(systematic) * shared, _tail(random[-1] if len(random) else None) * noise
    )
    return Calibrated(torch.hypot(shared, noise), shared, noise, wide)


def _tail(model: ErrorModel | None) -> Float[Tensor, " label"] | float:
    if model is None or model.tail is None:
        return GAUSSIAN_TAIL
    return model.tail


def with_noise(
    model: ErrorModel, measured: MeasuredLabels, snr: Float[Tensor, " star"]
) -> MeasuredLabels:
    """The same labels with the noise's part of their errors as a model has it.

    Args:
        model: Model of random errors.
        measured: Labels and expected errors.
        snr: Signal-to-noise ratio; NaN where not known.

    Returns:
        Labels with other errors; the part of the emulator and the prior stays.
    """
    errors = measured.errors
    level = level_of(model.plain, errors, snr)
    noise = _part(model, inputs_of(measured.labels, level), errors.noise)
    return MeasuredLabels(measured.labels, LabelErrors(errors.model, noise))


def _part(
    model: ErrorModel, inputs: Float[Tensor, "star input"], expected: Tensor
) -> Float[Tensor, "star label"]:
    return model.factor(inputs) * expected if model.relative else model.factor(inputs)
