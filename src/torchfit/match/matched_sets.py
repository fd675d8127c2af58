"""Matched sets: for each spectrum the library label sets that a group's label PCA is made of."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.library.scaling import varies
from torchfit.names import ALPHA_FE, FE_H, LOGG, TEFF


@dataclass(frozen=True)
class PriorIntervals:
    """Half-widths of the intervals around the start labels.

    Args:
        teff: In K, for stars cooler than ``hot_teff``.
        teff_hot: In K, for hotter stars.
        hot_teff: Temperature in K from which a star counts as hot.
        logg: In dex.
        fe_h: In dex.
        alpha_fe: In dex.
        other: Of any other label, in standard deviations of the label over the library.

    Raises:
        ConfigError: If a half-width is not positive.
    """

    teff: float = 1000.0
    teff_hot: float = 5000.0
    hot_teff: float = 10000.0
    logg: float = 1.0
    fe_h: float = 0.5
    alpha_fe: float = 0.2
    other: float = 1.0

    def __post_init__(self) -> None:
        if min(self.teff, self.teff_hot, self.logg, self.fe_h, self.alpha_fe, self.other) <= 0:
            raise ConfigError(f"match.prior: every half-width must be positive, got {self}")

    def half_widths(
        self,
        teff: Float[Tensor, " star"],
        label_names: tuple[str, ...],
        labels: Float[Tensor, "template label"],
    ) -> Float[Tensor, "star label"]:
        """Half-widths around given temperatures.

        Args:
            teff: Start temperature in K.
            label_names: Labels wanted, in order.
            labels: Labels of the library.

        Returns:
            Half-widths in the units of the labels.
        """
        fixed = {LOGG: self.logg, FE_H: self.fe_h, ALPHA_FE: self.alpha_fe}
        hot = torch.where(teff >= self.hot_teff, self.teff_hot, self.teff)
        spread = self.other * torch.where(varies(labels), labels.std(dim=0), 1.0)
        columns = {TEFF: hot.to(teff)} | {n: torch.full_like(teff, w) for n, w in fixed.items()}
        others = [torch.full_like(teff, float(each)) for each in spread]
        wanted = zip(label_names, others, strict=True)
        return torch.stack([columns.get(name, other) for name, other in wanted], dim=1)


def matched_sets(
    cfi: Float[Tensor, "star template"],
    labels: Float[Tensor, "template label"],
    start: Float[Tensor, "star label"],
    half_widths: Float[Tensor, "star label"],
    t: int,
) -> Int[Tensor, "star t"]:
    """Choose t templates for each star, best match first.

    Templates inside the intervals around the start labels come first, by falling correlation.
    When only k < t are inside, the t - k templates closest in temperature to the first follow.

    Args:
        cfi: Correlation of each star with each template.
        labels: Stellar labels of the templates.
        start: Start labels of the stars.
        half_widths: Half-widths of the intervals.
        t: Number of templates; all of them when the library has fewer.

    Returns:
        Indices of templates, all different within a star.
    """
    inside = ((labels - start[:, None]).abs() <= half_widths[:, None]).all(dim=2)
    first = torch.where(inside, cfi, cfi - 10).argmax(dim=1)
    distance = (labels[:, 0] - labels[first, :1]).abs()
    nearness = -1 - distance / (1 + distance.max())
    key = torch.where(inside, cfi + 2, nearness)
    key.scatter_(1, first[:, None], 4.0)
    return key.sort(dim=1, descending=True, stable=True).indices[:, : min(t, len(labels))]
