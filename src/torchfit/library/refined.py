"""Refined labels of templates: from published labels and those that emulators of others measure."""

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.library.audit import Evidence
from torchfit.library.scaling import varies


def refine_labels(
    published: Float[Tensor, "template label"], evidence: Evidence
) -> tuple[Float[Tensor, "template label"], Float[Tensor, "template label"]]:
    r"""Take the mean of published labels and of those measured by emulators of other stars.

    Errors of both are independent, and their difference has the learned variance
    :math:`e^2 = \sigma_p^2 + \sigma_m^2`. How it is shared between them cannot be learned from a
    library alone: what the emulator does not know of a star holds the errors of its labels. The
    mean of equal weights has the variance :math:`e^2 / 4` however it is shared:

    .. math:: x = (x_p + x_m) / 2, \quad \sigma = \max(e, |x_m - x_p|) / 2.

    The maximum is the scale factor of the Particle Data Group: where both disagree by more than
    their errors, one error is too small, nobody knows which, and the interval reaches to both.
    Nothing is learned of a label that is the same in all templates: it has the error 0.

    Args:
        published: Published labels.
        evidence: What emulators of other stars say of the templates.

    Returns:
        Refined labels and their standard deviations; NaN for templates that were not measured.

    References:
        Particle Data Group 2022, PTEP 083C01, section 5.2.2 (scale factor).
    """
    moved = evidence.measured - published
    error = torch.where(varies(published), evidence.error, 0.0 * moved)
    return published + moved / 2, torch.maximum(error, moved.abs()) / 2
