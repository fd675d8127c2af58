"""How a survey's noise runs with wavelength, for stars of each temperature and noise level."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.spectra import Spectra

LEAST_IVAR = 1e-30
LEVELS = (-5.4, 0.0)
"""Range of log10 of the noise variance: S/N of 500 to 1."""
N_LEVELS = 13
"""Levels at which a shape is kept."""
NEAR_STARS = 200
"""Stars whose median is the shape of a level: those whose own level is nearest."""
ABOUT = 3.0
"""Steps of level within which a star is about a level."""
WIDEST = 7.0
"""Largest ln of a relative variance; a pixel beyond it has no weight to speak of."""


@dataclass(frozen=True)
class NodeNoise:
    r"""The shape of the noise of stars of one temperature.

    Args:
        log_variance: :math:`\ln(\sigma_p^2/\sigma^2)` of each level; 0 where no star has errors.
        n_stars: Number of stars about each level.
    """

    log_variance: Float[Tensor, "level pix"]
    n_stars: Int[Tensor, " level"]

    @classmethod
    def of(cls, spectra: Spectra) -> "NodeNoise":
        r"""The median over the stars of nearest level.

        For each level :math:`\lambda` of a fixed grid, the :data:`NEAR_STARS` stars whose mean
        :math:`\ln\sigma^2` is nearest to it give :math:`s_p = {\rm med}_i (\ln\sigma_{ip}^2 -
        \langle\ln\sigma_i^2\rangle)`: a few stars of odd noise do not move it, nor do stars of
        another depth.

        Args:
            spectra: Normalised spectra; those without errors do not count.

        Returns:
            The shape, in double precision; the order of the stars does not matter.
        """
        known = spectra[(spectra.has_ivar & spectra.good.any(dim=1)).nonzero()[:, 0]]
        good = known.good
        log_noise = -known.ivar.double().clamp_min(LEAST_IVAR).log()
        level = level_of(known.ivar.double(), good)
        shape = torch.where(good, log_noise - level[:, None], torch.nan)
        levels = torch.linspace(*LEVELS, N_LEVELS).to(level) * math.log(10)
        rows = [_median(shape[_nearest(level, each)]) for each in levels]
        distance = (level[:, None] - levels).abs()
        return cls(torch.stack(rows), (distance <= ABOUT * (levels[1] - levels[0])).sum(dim=0))

    def to_array(self) -> Float[Tensor, "level column"]:
        """The numbers of stars, then the shapes."""
        return torch.cat([self.n_stars[:, None].to(self.log_variance), self.log_variance], dim=1)

    @classmethod
    def from_array(cls, array: Float[Tensor, "level column"]) -> "NodeNoise":
        """The inverse of :meth:`to_array`."""
        return cls(array[:, 1:], array[:, 0].long())


@dataclass(frozen=True)
class NoiseShape:
    r"""Shape of the noise, :math:`\ln(\sigma_p^2/\sigma^2)`, at nodes in temperature and level.

    Args:
        nodes: Nodes in log10(teff / K), evenly spaced.
        log_variance: The shape at each node and level, linear in level in between.
        n_stars: Number of stars about each node and level.
    """

    nodes: Float[Tensor, " node"]
    log_variance: Float[Tensor, "node level pix"]
    n_stars: Int[Tensor, "node level"]

    @classmethod
    def of(
        cls, nodes: Float[Tensor, " node"], n_pix: int, shapes: Mapping[int, NodeNoise]
    ) -> "NoiseShape":
        """The shapes of some nodes by their numbers; that of the others is flat."""
        log_variance = torch.zeros(len(nodes), N_LEVELS, n_pix, device=nodes.device)
        n_stars = torch.zeros(len(nodes), N_LEVELS, dtype=torch.long, device=nodes.device)
        for number, shape in shapes.items():
            log_variance[number], n_stars[number] = shape.log_variance, shape.n_stars
        return cls(nodes, log_variance, n_stars)

    def at(
        self, node: Int[Tensor, " star"], level: Float[Tensor, " star"]
    ) -> Float[Tensor, "star pix"]:
        """The shape for some stars.

        Args:
            node: Number of each star's node.
            level: Its mean ln of the noise variance.

        Returns:
            ln of the relative variance, in the precision of ``level``.
        """
        place = _place(level)
        below = place.floor().clamp_max(N_LEVELS - 2)
        rows, first = self.log_variance.flatten(0, 1), node * N_LEVELS + below.long()
        one, other = (rows.index_select(0, number).to(level) for number in (first, first + 1))
        return torch.lerp(one, other, (place - below)[:, None])

    def mean(
        self,
        node: Int[Tensor, " star"],
        level: Float[Tensor, " star"],
        counted: Bool[Tensor, "star pix"],
    ) -> Float[Tensor, " star"]:
        """Mean of the shape over the counted pixels of some stars; 0 without any.

        Args:
            node: Number of each star's node.
            level: Its mean ln of the noise variance.
            counted: Pixels of each star.
        """
        return _mean(self.at(node, level), counted)

    def n_like(
        self, node: Int[Tensor, " star"], level: Float[Tensor, " star"]
    ) -> Int[Tensor, " star"]:
        """How many stars of the survey some stars are like; see :meth:`at`."""
        return self.n_stars[node, _place(level).round().long()]


def nearest_node(
    nodes: Float[Tensor, " node"], teff: Float[Tensor, " star"]
) -> Int[Tensor, " star"]:
    """Number of the node nearest to each star in log10 teff."""
    place = (teff.log10() - nodes[0]) / (nodes[1] - nodes[0])
    return place.round().clamp(0, len(nodes) - 1).long()


def level_of(
    ivar: Float[Tensor, "star pix"], counted: Bool[Tensor, "star pix"]
) -> Float[Tensor, " star"]:
    """Mean ln of the noise variance over the counted pixels; 0 without any."""
    return -_mean(ivar.clamp_min(LEAST_IVAR).log(), counted)


def _mean(
    values: Float[Tensor, "star pix"], counted: Bool[Tensor, "star pix"]
) -> Float[Tensor, " star"]:
    """Mean of finite values over the counted pixels."""
    total = (values * counted.to(values)).sum(dim=1)
    return total / counted.sum(dim=1, dtype=torch.int32).clamp_min(1)


def _place(level: Float[Tensor, " star"]) -> Float[Tensor, " star"]:
    """Place of a mean ln of the noise variance among the levels."""
    low, high = LEVELS
    place = (level / math.log(10) - low) / (high - low) * (N_LEVELS - 1)
    return place.clamp(0, N_LEVELS - 1)


def _nearest(level: Float[Tensor, " star"], to: Float[Tensor, ""]) -> Int[Tensor, " chosen"]:
    return (level - to).abs().argsort(stable=True)[:NEAR_STARS]


def _median(shape: Float[Tensor, "star pix"]) -> Float[Tensor, " pix"]:
    """Median of what is not NaN; 0 where all is."""
    if not len(shape):
        return torch.zeros_like(shape.sum(dim=0))
    middle = shape.nanquantile(0.5, dim=0)
    return middle.nan_to_num(0.0).clamp(-WIDEST, WIDEST)
