"""Start labels: the mean of the best-matching templates, and how wrong such a mean is."""

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.library.library import Library
from torchfit.library.scaling import LabelScaler
from torchfit.match.cfi import correlate


def start_labels(
    cfi: Float[Tensor, "star template"], labels: Float[Tensor, "template label"], n_best: int
) -> Float[Tensor, "star label"]:
    r"""Mean labels of the best templates, each weighted by its closeness :math:`1 / (1 - c)`.

    Args:
        cfi: Correlation of each star with each template.
        labels: Stellar labels of the templates.
        n_best: How many templates to average; the paper takes 1.

    Returns:
        Start labels.
    """
    best = cfi.topk(min(n_best, cfi.shape[1]), dim=1)
    weight = 1 / (1 - best.values).clamp_min(1e-4)
    weight = weight / weight.sum(dim=1, keepdim=True)
    return (weight[:, :, None] * labels[best.indices]).sum(dim=1)


def exclude_same_star(
    cfi: Float[Tensor, "template template"], star_names: tuple[str, ...]
) -> Float[Tensor, "template template"]:
    """Forbid a library star to match itself or another visit of itself.

    Args:
        cfi: Correlation of the library with itself.
        star_names: Name of the star of each template.

    Returns:
        The correlation with -inf for pairs of one star.
    """
    code = {name: number for number, name in enumerate(dict.fromkeys(star_names))}
    star = torch.tensor([code[name] for name in star_names], device=cfi.device)
    return cfi.masked_fill(star[:, None] == star, -torch.inf)


def start_errors(
    library: Library, scaler: LabelScaler, n_best: int
) -> tuple[Float[Tensor, " template"], Float[Tensor, "template label"]]:
    """Errors of the start labels of library stars that are matched to all other stars.

    Args:
        library: The library.
        scaler: Labels to unit labels.
        n_best: How many templates to average.

    Returns:
        Temperature of the start labels in K, and their error in unit labels.
    """
    cfi = exclude_same_star(correlate(library.spectra, library.spectra), library.star_names)
    start = start_labels(cfi, library.labels, n_best)
    return start[:, 0], scaler.to_unit(start) - scaler.to_unit(library.labels)
