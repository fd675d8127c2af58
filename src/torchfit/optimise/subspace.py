"""The label-PCA spaces of many groups side by side, padded to one number of dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.group.label_pca import LabelPCA
from torchfit.library.scaling import LabelScaler


@dataclass(frozen=True)
class Subspace:
    """Groups of stars that move together.

    A group with fewer components than the largest is padded with dimensions that move nothing.

    Args:
        group: Group of each star, 0 ... n_groups - 1.
        mean: Mean labels of each star.
        scale: Scale of each star's labels.
        loadings: Loadings of each star, 0 in padded dimensions.
        lower: Lower corner of each group's box.
        upper: Upper corner.
        best_match: Position of the best-matching label sets.
        scaler: Labels to unit labels.
    """

    group: Int[Tensor, " star"]
    mean: Float[Tensor, "star label"]
    scale: Float[Tensor, "star label"]
    loadings: Float[Tensor, "star m label"]
    lower: Float[Tensor, "group m"]
    upper: Float[Tensor, "group m"]
    best_match: Float[Tensor, "group m"]
    scaler: LabelScaler

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.lower)

    def unit_labels(self, cube: Float[Tensor, "group cand m"]) -> Float[Tensor, "star cand label"]:
        """Unit labels of every star at positions in its group's box.

        Args:
            cube: Positions, each box scaled to the unit cube.

        Returns:
            Unit labels; a temperature below 100 K, which a corner of a box can ask for, is lifted
            to it.
        """
        d = self.lower[:, None] + cube * (self.upper - self.lower)[:, None]
        shift = torch.einsum("scm,sml->scl", d[self.group], self.loadings)
        labels = self.mean[:, None] + self.scale[:, None] * shift
        labels = torch.cat([labels[..., :1].clamp_min(100.0), labels[..., 1:]], dim=-1)
        return self.scaler.to_unit(labels)

    def best_match_cube(self) -> Float[Tensor, "group m"]:
        """The best-matching label sets as positions in the unit cube."""
        width = self.upper - self.lower
        return torch.where(
            width > 0, (self.best_match - self.lower) / torch.where(width > 0, width, 1.0), 0.5
        )

    def group_mean(self, values: Float[Tensor, "star *cand"]) -> Float[Tensor, "group *cand"]:
        """Mean over the stars of each group.

        Args:
            values: One value per star.

        Returns:
            One value per group.
        """
        total = values.new_zeros(self.n_groups, *values.shape[1:]).index_add(0, self.group, values)
        size = torch.bincount(self.group, minlength=self.n_groups).to(values)
        return total / size.reshape(-1, *(1,) * (values.ndim - 1))

    def select(self, groups: Int[Tensor, " chosen"]) -> tuple["Subspace", Int[Tensor, " star"]]:
        """The subspace of some groups, and which stars belong to them.

        Args:
            groups: Groups to keep, renumbered in this order.

        Returns:
            The smaller subspace, and the indices of its stars.
        """
        number = torch.full((self.n_groups,), -1, dtype=torch.long, device=self.group.device)
        number[groups] = torch.arange(len(groups), device=self.group.device)
        star = (number[self.group] >= 0).nonzero()[:, 0]
        smaller = Subspace(
            number[self.group[star]], self.mean[star], self.scale[star], self.loadings[star],
            self.lower[groups], self.upper[groups], self.best_match[groups], self.scaler,
        )  # fmt: skip
        return smaller, star


def join_label_pcas(
    pcas: Sequence[LabelPCA], stars: Sequence[Int[Tensor, " _member"]], scaler: LabelScaler
) -> Subspace:
    """Put the label PCAs of groups side by side.

    Args:
        pcas: One label PCA per group.
        stars: The stars of each group; together every star once.
        scaler: Labels to unit labels.

    Returns:
        The padded subspace.
    """
    m_max = max(pca.scores.shape[1] for pca in pcas)

    def pad(values: Tensor, dim: int) -> Tensor:
        """Fill one dimension with zeros up to the largest."""
        missing = m_max - values.shape[dim]
        shape = list(values.shape)
        shape[dim] = missing
        return torch.cat([values, values.new_zeros(shape)], dim=dim)

    order = torch.cat(list(stars)).argsort()
    group = torch.cat([torch.full_like(member, number) for number, member in enumerate(stars)])
    return Subspace(
        group[order],
        torch.cat([pca.mean for pca in pcas])[order],
        torch.cat([pca.scale for pca in pcas])[order],
        torch.cat([pad(pca.loadings, 1) for pca in pcas])[order],
        torch.stack([pad(pca.bounds[0], 0) for pca in pcas]),
        torch.stack([pad(pca.bounds[1], 0) for pca in pcas]),
        torch.stack([pad(pca.scores[0], 0) for pca in pcas]),
        scaler,
    )
