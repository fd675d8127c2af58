"""How a survey's noise runs with wavelength, for stars of each temperature."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.emulator.local_covariance import node_weights
from torchfit.spectra import Spectra

LEAST_IVAR = 1e-30


@dataclass
class NoiseShape:
    r"""Mean shape of the noise, :math:`\ln(\sigma_p^2/\sigma^2)` over the stars near each node.

    Stars are added one batch after the other; the order does not matter beyond rounding.

    Args:
        nodes: Nodes in log10(teff / K).
        total: Weighted sum of the shapes; all 0 at the beginning.
        weight: Sum of the weights.
    """

    nodes: Float[Tensor, " node"]
    total: Float[Tensor, "node pix"]
    weight: Float[Tensor, "node pix"]

    @classmethod
    def flat(cls, nodes: Float[Tensor, " node"], n_pix: int) -> "NoiseShape":
        """The shape before any star is known: the same noise everywhere."""
        zero = nodes.new_zeros(len(nodes), n_pix)
        return cls(nodes, zero, zero.clone())

    @classmethod
    def joined(cls, shapes: Sequence["NoiseShape"]) -> "NoiseShape":
        """The shape of the stars of several, summed in their order."""
        total, weight = shapes[0].total, shapes[0].weight
        for shape in shapes[1:]:
            total, weight = total + shape.total, weight + shape.weight
        return cls(shapes[0].nodes, total, weight)

    def add(self, spectra: Spectra, teff: Float[Tensor, " star"]) -> None:
        """Add stars; those without errors do not count.

        Args:
            spectra: Normalised spectra.
            teff: Their temperature in K.
        """
        known = spectra.has_ivar
        good = spectra.good[known]
        log_noise = -spectra.ivar[known].clamp_min(LEAST_IVAR).log()
        shape = torch.where(good, log_noise - level_of(log_noise, good)[:, None], 0.0)
        near = node_weights(self.nodes, teff[known])
        self.total += (near.mT @ shape.to(near)).to(self.total)
        self.weight += (near.mT @ good.to(near)).to(self.weight)

    @property
    def variance(self) -> Float[Tensor, "node pix"]:
        """Relative noise variance; 1 where no star has errors."""
        return (self.total / self.weight.clamp_min(1e-12)).clamp(-7.0, 7.0).exp()


def level_of(log_noise: Float[Tensor, "star pix"], counted: Tensor) -> Float[Tensor, " star"]:
    """Mean of the logarithm over the counted pixels; 0 without any."""
    total = torch.where(counted, log_noise, 0.0).sum(dim=1)
    return total / counted.sum(dim=1, dtype=torch.int32).clamp_min(1)
