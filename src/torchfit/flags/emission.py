"""Lines in emission: flux above the model where a star without emission has none."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.names import MAD_TO_SIGMA

_SIDE_WIDTHS = 5.0


@dataclass(frozen=True)
class Emission:
    """Looks for lines above the model.

    A line is in emission if the equivalent width of flux minus model in its window is at least
    ``min_width`` and ``n_sigma`` times its error. Level and scatter come from the pixels on both
    sides, up to five half-widths away, so that neither a bad continuum nor a star of another
    kind counts as a line.

    Args:
        lines: Vacuum wavelengths in Angstrom.
        half_width: Half-width of the window around a line in Angstrom.
        min_width: Least equivalent width in Angstrom.
        n_sigma: Least significance.

    Raises:
        ConfigError: If a width is not positive.
    """

    lines: Sequence[float] = (6564.61, 4862.69, 5008.24)
    half_width: float = 8.0
    min_width: float = 1.0
    n_sigma: float = 5.0

    def __post_init__(self) -> None:
        if min(self.half_width, self.min_width) <= 0:
            raise ConfigError(f"flags.emission: widths must be positive, got {self}")

    def find(
        self,
        wave: Float[Tensor, " pix"],
        residual: Float[Tensor, "star pix"],
        good: Bool[Tensor, "star pix"],
    ) -> Bool[Tensor, " star"]:
        """Stars with any of the lines in emission.

        Args:
            wave: Vacuum rest wavelength in Angstrom.
            residual: Normalised flux minus model.
            good: Pixels that count.

        Returns:
            True where a line is in emission; a line outside the grid, or of which less than half
            of the window is good, says nothing.
        """
        found = torch.zeros(len(residual), dtype=torch.bool, device=residual.device)
        wave = wave.cpu()  # Windows of an accelerator's pixels would be counted one by one.
        for line in self.lines:
            found |= self._in_emission(line, wave, residual, good)
        return found

    def _in_emission(
        self, line: float, wave: Tensor, residual: Tensor, good: Tensor
    ) -> Bool[Tensor, " star"]:
        distance = (wave - line).abs()
        inside = distance <= self.half_width
        side = ~inside & (distance <= _SIDE_WIDTHS * self.half_width)
        if inside.sum() < 2 or not side.any():
            return torch.zeros(len(residual), dtype=torch.bool, device=residual.device)
        level, scatter = _level_and_scatter(residual[:, side], good[:, side])
        n_good = good[:, inside].sum(dim=1)
        excess = torch.where(good[:, inside], residual[:, inside] - level[:, None], 0.0)
        mean = excess.sum(dim=1) / n_good.clamp_min(1)
        error = scatter / n_good.clamp_min(1).sqrt()
        strong = (mean * 2 * self.half_width >= self.min_width) & (mean >= self.n_sigma * error)
        return strong & (n_good * 2 >= inside.sum())


def _level_and_scatter(
    residual: Float[Tensor, "star side"], good: Bool[Tensor, "star side"]
) -> tuple[Float[Tensor, " star"], Float[Tensor, " star"]]:
    """Median and robust scatter of the good pixels; NaN without one, which compares as false."""
    known = torch.where(good, residual, torch.nan)
    level = known.nanmedian(dim=1).values
    return level, MAD_TO_SIGMA * (known - level[:, None]).abs().nanmedian(dim=1).values
