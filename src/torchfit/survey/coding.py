"""Spectra in three bytes a pixel: what a survey of ten million takes on disk.

The depth below the continuum, 1 - flux, is kept in half precision: to one part in 2000 of the
depth itself, finest where most pixels are, near the continuum. The inverse variance is kept as
one of 255 steps, equal in its logarithm, between the lowest and the highest of the star: to 1 %
as a rule and 2.8 % at worst, far better than any survey knows its noise. On 152 real LAMOST stars
the flux changes by 0.3 % of its noise at most (rms of a star), chi-squared by less than 0.1 %, and
the labels of the default fit by at most 0.9 % of their errors (0.2 K, 0.0006 and 0.0003 dex rms).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int, UInt8

from torchfit.spectra import Spectra

_STEPS = 254
_RANGE = float(np.log(1e6))
"""A pixel whose inverse variance is less than a millionth of the star's highest is bad."""
_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Coded:
    """Spectra as they lie on disk.

    Args:
        depth: One less the flux, half precision; 0 in bad pixels.
        code: 0 in bad pixels, else 1 ... 255, the step of the inverse variance.
        low: Logarithm of the inverse variance of step 1.
        step: Difference of its logarithm from step to step.
        has_ivar: Stars whose inverse variance is one, and not only a mask.
    """

    depth: Float[np.ndarray, "star pix"]
    code: UInt8[np.ndarray, "star pix"]
    low: Float32[np.ndarray, " star"]
    step: Float32[np.ndarray, " star"]
    has_ivar: Bool[np.ndarray, " star"]

    @classmethod
    def of(cls, spectra: Spectra) -> "Coded":
        """Encode.

        Args:
            spectra: Normalised spectra.

        Returns:
            The same in three bytes a pixel.
        """
        log_ivar = torch.where(spectra.good, spectra.ivar.float().log(), -torch.inf)
        high = log_ivar.amax(dim=1, keepdim=True)
        good = spectra.good & (log_ivar >= high - _RANGE)
        low = torch.where(good, log_ivar, torch.inf).amin(dim=1, keepdim=True)
        low, high = low.nan_to_num(0, 0, 0), high.nan_to_num(0, 0, 0)
        step = (high - low) / _STEPS
        place = ((log_ivar - low) / torch.where(step > 0, step, 1.0)).round().clamp(0, _STEPS)
        depth = torch.where(good, 1 - spectra.flux, 0.0).clamp(-_LARGEST, _LARGEST)
        return cls(
            depth.half().numpy(),
            torch.where(good, place + 1, 0.0).to(torch.uint8).numpy(),
            low[:, 0].numpy(),
            step[:, 0].numpy(),
            spectra.has_ivar.numpy(),
        )

    def spectra(self, wave: Float[torch.Tensor, " pix"]) -> Spectra:
        """Decode.

        Args:
            wave: Grid, vacuum Angstrom.

        Returns:
            Spectra in single precision; bad pixels are exactly those of inverse variance 0, and a
            mask of ones comes back as ones.
        """
        low, step = (torch.from_numpy(x)[:, None] for x in (self.low, self.step))
        code = torch.from_numpy(self.code).float()
        bad = code == 0
        flux = (1 - torch.from_numpy(self.depth).float()).masked_fill_(bad, 0.0)
        ivar = code.sub_(1).mul_(step).add_(low).exp_().masked_fill_(bad, 0.0)
        return Spectra(wave, flux, ivar, torch.from_numpy(self.has_ivar))

    @classmethod
    def join(cls, pieces: Sequence["Coded"], order: Int[np.ndarray, " star"]) -> "Coded":
        """Stars of several pieces as one.

        Args:
            pieces: Coded spectra of the same grid.
            order: Where each star goes, counted through the pieces.

        Returns:
            The stars in their order.
        """
        columns = {f.name: [getattr(piece, f.name) for piece in pieces] for f in fields(cls)}
        return cls(**{name: np.concatenate(column)[order] for name, column in columns.items()})
