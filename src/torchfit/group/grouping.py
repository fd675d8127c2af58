"""The grouping of a survey with its settings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.group.label_pca import LabelPCA, fit_label_pca
from torchfit.group.ordering import order_into_groups
from torchfit.group.spectral_class import spectral_classes


@dataclass(frozen=True)
class Grouping:
    """Settings of groups and their label PCA.

    Args:
        n_group: Largest number of stars in a group.
        variance: Share of the variance of the matched labels that the components keep.
        max_comp: Most components; ``None`` for no limit.

    Raises:
        ConfigError: If a number makes no sense.
    """

    n_group: int = 50
    variance: float = 0.98
    max_comp: int | None = None

    def __post_init__(self) -> None:
        if self.n_group < 1 or not 0 < self.variance <= 1:
            raise ConfigError(
                f"group: n_group={self.n_group} must be at least 1 and "
                f"variance={self.variance} within (0, 1]"
            )
        if self.max_comp is not None and self.max_comp < 1:
            raise ConfigError(f"group.max_comp={self.max_comp} must be at least 1, or null")

    def order(self, subclasses: Sequence[str], start: np.ndarray) -> tuple[list[str], np.ndarray]:
        """Class and group number of every star.

        Args:
            subclasses: Spectral types of the survey.
            start: Start labels, shape (star, label).

        Returns:
            Classes, and group numbers.
        """
        classes = spectral_classes(subclasses, start[:, 0])
        return classes, order_into_groups(classes, start, self.n_group)

    def label_pca(
        self,
        labels: Float[Tensor, "template label"],
        sets: Int[Tensor, "star t"],
        scale: Float[Tensor, "star label"],
    ) -> LabelPCA:
        """Label PCA of one group; see :func:`torchfit.group.label_pca.fit_label_pca`."""
        return fit_label_pca(labels, sets, scale, self.variance, self.max_comp)
