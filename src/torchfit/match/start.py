"""Start labels: the mean of the best-matching templates, and how wrong such a mean is."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.library.library import Library
from torchfit.library.scaling import LabelScaler
from torchfit.match.cfi import correlate

STARS_AT_ONCE = 1024


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
    cfi: Float[Tensor, "star template"],
    star_names: tuple[str, ...],
    rows: Int[Tensor, " star"] | slice = slice(None),
) -> Float[Tensor, "star template"]:
    """Forbid a library star to match itself or another visit of itself.

    Args:
        cfi: Correlation of some of the library with all of it.
        star_names: Name of the star of each template.
        rows: Which templates the stars are; all of them if not said.

    Returns:
        The correlation with -inf for pairs of one star.
    """
    code = {name: number for number, name in enumerate(dict.fromkeys(star_names))}
    star = torch.tensor([code[name] for name in star_names], device=cfi.device)
    return cfi.masked_fill(star[rows, None] == star, -torch.inf)


def start_errors(
    library: Library,
    scaler: LabelScaler,
    n_best: int,
    rows: Int[Tensor, " star"] | None = None,
) -> tuple[Float[Tensor, " star"], Float[Tensor, "star label"]]:
    """Errors of the start labels of library stars that are matched to all other stars.

    Correlations are made in single precision, a few stars at a time.

    Args:
        library: The library.
        scaler: Labels to unit labels.
        n_best: How many templates to average.
        rows: Which stars to match; all if not said.

    Returns:
        Temperature of the start labels in K, and their error in unit labels.
    """
    rows = torch.arange(len(library)) if rows is None else rows
    start = torch.cat(
        [_start_of_others(library, n_best, some) for some in rows.split(STARS_AT_ONCE)]
    )
    return start[:, 0], scaler.to_unit(start) - scaler.to_unit(library.labels[rows])


def _start_of_others(
    library: Library, n_best: int, rows: Int[Tensor, " star"]
) -> Float[Tensor, "star label"]:
    star, everyone = library.spectra[rows].to(torch.float32), torch.arange(len(library))
    cfi = torch.cat(
        [
            correlate(star, library.spectra[some].to(torch.float32))
            for some in everyone.split(STARS_AT_ONCE)
        ],
        dim=1,
    )
    others = exclude_same_star(cfi, library.star_names, rows)
    return start_labels(others, library.labels, n_best)
