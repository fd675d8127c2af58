"""Label PCA: a few numbers that move the labels of a whole group together."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class LabelPCA:
    r"""Labels of the stars of one group, :math:`x_i = \mu_i + s_i \circ (d Q_i)`.

    Args:
        mean: Mean :math:`\mu` of each star's matched label sets.
        scale: Scale s of each star's labels.
        scores: Scores D of the t matched sets; row 0 belongs to the best matches.
        loadings: Loadings Q, cut into one block per star.
    """

    mean: Float[Tensor, "star label"]
    scale: Float[Tensor, "star label"]
    scores: Float[Tensor, "t m"]
    loadings: Float[Tensor, "star m label"]

    def labels(self, d: Float[Tensor, "cand m"]) -> Float[Tensor, "star cand label"]:
        """Labels of every star at given positions in the space.

        Args:
            d: Positions.

        Returns:
            Stellar labels.
        """
        return self.mean[:, None] + self.scale[:, None] * torch.einsum(
            "cm,sml->scl", d, self.loadings
        )

    @property
    def bounds(self) -> tuple[Float[Tensor, " m"], Float[Tensor, " m"]]:
        """The box: least and greatest score of each component."""
        return self.scores.min(dim=0).values, self.scores.max(dim=0).values


def fit_label_pca(
    labels: Float[Tensor, "template label"],
    sets: Int[Tensor, "star t"],
    scale: Float[Tensor, "star label"],
    variance: float,
    max_comp: int | None = None,
) -> LabelPCA:
    r"""Find the components of a group's matched label sets.

    The matrix :math:`\Theta` (t x label.N) has in row r the r-th best label set of every star, in
    units of ``scale`` and centred; its singular value decomposition gives D and Q.

    Args:
        labels: Stellar labels of the templates.
        sets: Matched templates of each star of the group.
        scale: Scale of each star's labels, the half-widths of its prior intervals.
        variance: Share of the variance of Theta to keep, in (0, 1]; the paper keeps 0.98.
        max_comp: Most components to keep; ``None`` for no limit.

    Returns:
        The label PCA; at least one component, all scores 0 when the sets do not vary.
    """
    chosen = labels[sets]
    mean = chosen.mean(dim=1)
    theta = ((chosen - mean[:, None]) / scale[:, None]).transpose(0, 1).flatten(1)
    left, singular, right = torch.linalg.svd(theta, full_matrices=False)
    total = singular.square().sum().clamp_min(1e-300)
    m = int((singular.square().cumsum(dim=0) / total < variance * (1 - 1e-12)).sum()) + 1
    m = min(m, len(singular), max_comp or len(singular))
    sign = right[:m].gather(1, right[:m].abs().argmax(dim=1, keepdim=True)).sign()
    loadings = (right[:m] * sign).reshape(m, len(sets), labels.shape[1]).transpose(0, 1)
    return LabelPCA(mean, scale, left[:, :m] * singular[:m] * sign[:, 0], loadings)
