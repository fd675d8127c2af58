"""A grid even in the logarithm of the wavelength, on which a velocity is a shift."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.names import SPEED_OF_LIGHT
from torchfit.preprocess.continuum import running_mean

_SPIKE = 4.0
"""A pixel above twice its continuum is a spike, unless the noise reaches that far: in sigma."""
_EXACT = 1e12
"""Inverse variance, relative to the continuum, that stands for errors that are not known."""


@dataclass(frozen=True)
class LogGrid:
    """Bins of equal width in velocity.

    Args:
        wave_min: Lower edge of the first bin, vacuum Angstrom.
        wave_max: The last bin ends within a bin of this.
        step: Width of a bin in km/s.

    Raises:
        ConfigError: If it has no bin.
    """

    wave_min: float
    wave_max: float
    step: float

    def __post_init__(self) -> None:
        if not (0 < self.step < math.inf and 0 < self.wave_min < self.wave_max) or len(self) < 1:
            raise ConfigError(
                f"no grid from {self.wave_min} to {self.wave_max} Angstrom in steps of "
                f"{self.step} km/s"
            )

    def __len__(self) -> int:
        """Number of bins."""
        return int(math.log(self.wave_max / self.wave_min) / self.width)

    @property
    def width(self) -> float:
        """Width of a bin in the logarithm of the wavelength."""
        return self.step / SPEED_OF_LIGHT

    @property
    def edges(self) -> Float[Tensor, " edge"]:
        """Edges of the bins in Angstrom."""
        number = torch.arange(len(self) + 1, dtype=torch.float64)
        return self.wave_min * torch.exp(number * self.width)

    @property
    def wave(self) -> Float[Tensor, " bin"]:
        """Middles of the bins in Angstrom."""
        edges = self.edges
        return (edges[1:] * edges[:-1]).sqrt()

    def redshift(self, shift: Float[Tensor, " star"]) -> Float[Tensor, " star"]:
        r"""Redshift of a shift s in bins, :math:`1 + z = e^{s \delta}`."""
        return torch.expm1(shift * self.width)

    def rebin(
        self,
        wave: Float[Tensor, "star pix"],
        flux: Float[Tensor, "star pix"],
        ivar: Float[Tensor, "star pix"],
    ) -> tuple[Float[Tensor, "star bin"], Float[Tensor, "star bin"]]:
        r"""Weighted means of the pixels in each bin.

        With :math:`o_{bi}` the share of pixel i in bin b and w the inverse variance,

        .. math:: W_b = \sum_i o_{bi} w_i, \qquad F_b = \sum_i o_{bi} w_i f_i / W_b.

        The sum of all weights is kept, so that finer bins invent no signal, and whatever stands in
        a pixel of weight 0 has none.

        Args:
            wave: Wavelength in Angstrom, increasing.
            flux: Flux, finite.
            ivar: Inverse variance; 0 marks a bad pixel.

        Returns:
            Flux and inverse variance of the bins; both 0 where there is no good pixel.
        """
        step = wave.diff(dim=1)
        low, high = (torch.nn.functional.pad(step, pad, value=math.inf) for pad in ((1, 0), (0, 1)))
        # Half a pixel to both sides, and none of a gap between arms.
        half = torch.minimum(low, high) / 2
        ends = torch.stack([wave - half, wave + half], dim=2).flatten(1)
        at = torch.searchsorted(ends, self.edges.to(wave).expand(len(wave), -1).contiguous())
        at = at.clamp(1, ends.shape[1] - 1)
        left, right = ends.gather(1, at - 1), ends.gather(1, at)
        share = ((self.edges.to(wave) - left) / (right - left).clamp_min(1e-300)).clamp(0, 1)
        weight = _between(ivar, at, share)
        total = _between(ivar * flux, at, share)
        good = weight > 0
        return torch.where(good, total / torch.where(good, weight, 1.0), 0.0), weight


def _between(
    values: Float[Tensor, "star pix"],
    at: Tensor,
    share: Float[Tensor, "star edge"],
) -> Float[Tensor, "star bin"]:
    """Sums of values between edges that lie a share of the way up to the end of a pixel."""
    upto = torch.nn.functional.pad(values.cumsum(dim=1), (1, 0))
    # Twice: nothing is added from the end of a pixel to the start of the next.
    ends = torch.stack([upto[:, :-1], upto[:, 1:]], dim=2).flatten(1)
    return torch.lerp(ends.gather(1, at - 1), ends.gather(1, at), share).diff(dim=1)


def flatten(
    flux: Float[Tensor, "star pix"],
    ivar: Float[Tensor, "star pix"],
    window: int,
    has_ivar: Tensor,
) -> tuple[Float[Tensor, "star pix"], Float[Tensor, "star pix"]]:
    """Divide by the running mean of the good pixels, twice: the second time without spikes.

    A mean costs no more than a cumulative sum; a median would cost as much as the correlation.

    Args:
        flux: Flux in any unit.
        ivar: Inverse variance; 0 marks a bad pixel.
        window: Width of the running mean in pixels, odd.
        has_ivar: Stars whose ``ivar`` is one; that of the others is a mask.

    Returns:
        Flux less 1, 0 in bad pixels, and its inverse variance; a pixel without a positive continuum
        becomes bad, and so does a spike far above it.
    """
    for _ in range(2):
        continuum = running_mean(flux, ivar > 0, window)
        usable = (ivar > 0) & (continuum > 0)
        continuum = torch.where(usable, continuum, 1.0)
        depth = torch.where(usable, flux / continuum - 1, 0.0)
        known = torch.where(has_ivar[:, None], ivar * continuum.square(), _EXACT)
        weight = torch.where(usable, known, 0.0)
        spike = usable & (depth > 1) & (depth.square() * weight > _SPIKE**2)
        ivar = torch.where(spike, 0.0, ivar)
    return torch.where(spike, 0.0, depth), torch.where(spike, 0.0, weight)
