"""Labels as the Gaussian process sees them: log10 of the temperature, all z-scored."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

LN10 = 2.302585092994046


@dataclass(frozen=True)
class LabelScaler:
    r"""Map labels to unit coordinates and back.

    The temperature enters as :math:`\log_{10} T_{eff}`, every coordinate is then centred and
    divided by its standard deviation over the library.

    Args:
        mean: Mean of (log10 teff, logg, fe_h, ...).
        std: Standard deviation of the same.
    """

    mean: Float[Tensor, " label"]
    std: Float[Tensor, " label"]

    @classmethod
    def fit(cls, labels: Float[Tensor, "template label"]) -> "LabelScaler":
        """Take mean and standard deviation from a library's labels.

        Args:
            labels: Stellar labels, temperature in K first.

        Returns:
            The scaler. A label that does not vary keeps a scale of 1.
        """
        warped = _warp(labels)
        mean = torch.where(varies(warped), warped.mean(dim=0), warped[0])
        return cls(mean, torch.where(varies(warped), warped.std(dim=0), 1.0))

    def to_unit(self, labels: Float[Tensor, "*star label"]) -> Float[Tensor, "*star label"]:
        """Labels (K, dex, dex, ...) to unit coordinates."""
        return (_warp(labels) - self.mean) / self.std

    def from_unit(self, unit: Float[Tensor, "*star label"]) -> Float[Tensor, "*star label"]:
        """Unit coordinates to labels (K, dex, dex, ...)."""
        warped = unit * self.std + self.mean
        return torch.cat([10.0 ** warped[..., :1], warped[..., 1:]], dim=-1)

    def scale(self, unit: Float[Tensor, "*star label"]) -> Float[Tensor, "*star label"]:
        r"""Derivative of each label by its unit coordinate, :math:`dT/du = T \ln 10\, \sigma`."""
        teff = self.from_unit(unit)[..., :1]
        ones = torch.ones_like(unit[..., 1:])
        return torch.cat([teff * LN10, ones], dim=-1) * self.std


def _warp(labels: Float[Tensor, "*star label"]) -> Float[Tensor, "*star label"]:
    return torch.cat([labels[..., :1].log10(), labels[..., 1:]], dim=-1)


def varies(labels: Float[Tensor, "star label"]) -> Bool[Tensor, " label"]:
    """Labels that are not the same for all stars; the rounding of a mean makes a deviation."""
    return labels.amax(dim=0) > labels.amin(dim=0)
