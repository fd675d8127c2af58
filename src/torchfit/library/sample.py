"""A part of a library that stands for the whole of it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.exceptions import ConfigError


@dataclass(frozen=True)
class SampleSizes:
    """How many stars suffice for what need not be done with all; ``None`` takes all.

    Args:
        learn: Stars that the hyperparameters are learned from.
        residuals: Stars whose leave-one-out and truncation residuals are looked at.
        start: Stars that are matched to all others, for the errors of start labels.
        held_out: Stars of each fold that are emulated and measured for the report.
        folds: Folds that are held out for the report.

    Raises:
        ConfigError: If a number is too small to say anything.
    """

    learn: int | None = None
    residuals: int | None = None
    start: int | None = None
    held_out: int | None = None
    folds: int | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = 1 if name == "folds" else 10
            if value is not None and value < least:
                raise ConfigError(f"emulator.samples.{name}={value} must be at least {least}")


def stratified(
    unit: Float[Tensor, "template label"], n_stars: int | None
) -> Int[Tensor, " chosen"]:
    """Choose stars as dense in label space as the library is.

    The stars are halved along the label that spreads most, and so on, down to ``n_stars`` cells;
    of each cell the star nearest to its mean is taken. The same stars give the same choice.

    Args:
        unit: Unit labels.
        n_stars: How many to choose; ``None``, or as many as there are, takes all.

    Returns:
        Their places, ascending.
    """
    everyone = torch.arange(len(unit), device=unit.device)
    if n_stars is None or n_stars >= len(unit):
        return everyone
    return torch.stack(_one_of_each_cell(unit, everyone, n_stars)).sort().values


def _one_of_each_cell(
    unit: Float[Tensor, "template label"], cell: Int[Tensor, " member"], n_cells: int
) -> list[Int[Tensor, ""]]:
    inside = unit[cell]
    if n_cells == 1:
        return [cell[(inside - inside.mean(dim=0)).square().sum(dim=1).argmin()]]
    widest = (inside.amax(dim=0) - inside.amin(dim=0)).argmax()
    ordered = cell[inside[:, widest].argsort(stable=True)]
    low = n_cells // 2
    cut = len(cell) * low // n_cells
    return [
        *_one_of_each_cell(unit, ordered[:cut], low),
        *_one_of_each_cell(unit, ordered[cut:], n_cells - low),
    ]
