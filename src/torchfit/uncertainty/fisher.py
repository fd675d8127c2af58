"""Errors from the curvature of the objective."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.library.scaling import LabelScaler
from torchfit.likelihood.objective import Evaluation


@dataclass(frozen=True)
class LabelErrors:
    """Standard deviations of labels in their two parts; NaN where nothing is known.

    Args:
        model: What the emulator's own error and that of the start labels make.
        noise: What the noise of the spectrum makes: another of the same star would not share it.
    """

    model: Float[Tensor, "star label"]
    noise: Float[Tensor, "star label"]

    @property
    def total(self) -> Float[Tensor, "star label"]:
        """Root of the sum of the squares of both parts."""
        return torch.hypot(self.model, self.noise)

    @property
    def noise_level(self) -> Float[Tensor, " star"]:
        """The noise's part over the other, geometric mean over the labels.

        It tells how noisy a spectrum is to the fit: in every survey alike, whatever its bands and
        its pixels, and where no signal-to-noise ratio is published.
        """
        return (self.noise / self.model).log().nanmean(dim=1).exp()

    def __getitem__(self, star: Int[Tensor, " chosen"] | Bool[Tensor, " star"]) -> "LabelErrors":
        """The errors of some stars."""
        return LabelErrors(self.model[star], self.noise[star])


@dataclass(frozen=True)
class MeasuredLabels:
    """Labels with what the fit says of their errors.

    Args:
        labels: Labels (K, dex, dex, ...).
        errors: Errors that the fit expects.
    """

    labels: Float[Tensor, "star label"]
    errors: LabelErrors

    def __len__(self) -> int:
        """Number of stars."""
        return len(self.labels)

    def __getitem__(self, star: Int[Tensor, " chosen"] | Bool[Tensor, " star"]) -> "MeasuredLabels":
        """Some of the stars."""
        return MeasuredLabels(self.labels[star], self.errors[star])


def fisher_errors(
    solution: Evaluation, scaler: LabelScaler, unit: Float[Tensor, "star label"]
) -> LabelErrors:
    r"""Standard deviations of the labels from the Gauss-Newton Hessian at the solution.

    The loss is -2 log p. Its curvature :math:`H = F + \Lambda` has the spectrum's
    :math:`F = J P J^T` and the prior's :math:`\Lambda`; with the emulator's own error
    :math:`\Sigma`, P is :math:`(N_f + \Sigma)^{-1}` for noise :math:`N_f` of the coefficients, and
    :math:`N = J (P - P \Sigma P) J^T` is what the noise adds to the gradient. Were the prior
    independent of the spectrum, the covariance would be :math:`H^{-1}`. But it stands at start
    labels that were found from the same noise, which it cannot lessen; it can the emulator's error:

    .. math:: F^{-1} N F^{-1} + H^{-1} (H - N) H^{-1}.

    Args:
        solution: The objective, with errors and prior, at the solution; an unweighted one gives no
            meaningful error.
        scaler: Labels to unit labels.
        unit: Unit labels of the solution.

    Returns:
        Errors in the units of the labels; NaN where the spectrum says nothing of a label, as of one
        that is the same in the whole library.
    """
    hessian = solution.derivatives()[2].to(unit)
    fisher, noise = solution.information()
    unknown = fisher.diagonal(dim1=1, dim2=2) == 0  # It would make the inverse one of no label.
    fisher = fisher + unknown.to(fisher).diag_embed()
    variances = torch.stack([_sandwich(fisher, noise), _sandwich(hessian, hessian - noise)])
    of_noise, of_model = variances.sqrt() * scaler.scale(unit)
    return LabelErrors(of_model, of_noise.masked_fill(unknown, torch.nan))


def _sandwich(
    curvature: Float[Tensor, "star label label"], gradient: Float[Tensor, "star label label"]
) -> Float[Tensor, "star label"]:
    """Variances of a minimum whose gradient has a covariance; NaN where it is no minimum."""
    inverse, info = torch.linalg.inv_ex(curvature)
    variance = (inverse @ gradient @ inverse).diagonal(dim1=1, dim2=2)
    usable = (info == 0)[:, None] & (inverse.diagonal(dim1=1, dim2=2) > 0) & (variance >= 0)
    return torch.where(usable, variance, torch.nan)
