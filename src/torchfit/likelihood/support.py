"""The soft wall around the library."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from torchfit.exceptions import ConfigError

LEAST_DENSITY = 1e-30
"""Where not even a trace of a template is left."""


@dataclass(frozen=True)
class Support:
    r"""A soft wall around the library, :math:`w\,[\ln(\rho_{min}/\rho(x))]_+^2`.

    The density of templates :math:`\rho` falls without end outside the library, where the mean of
    the Gaussian process is only a trend.

    Args:
        density: :math:`\rho_{min}`, the number of templates an emulated spectrum should rest on.
        weight: w; 0 for no wall.

    Raises:
        ConfigError: If the weight is negative or the density not positive.
    """

    density: float = 3.0
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.weight < 0 or self.density <= 0:
            raise ConfigError(
                f"metric.support: weight={self.weight} must not be negative and "
                f"density={self.density} must be positive"
            )

    def is_left(self, density: Float[Tensor, "*star"]) -> Bool[Tensor, "*star"]:
        """Whether there are too few templates."""
        return density < self.density

    def penalty(self, density: Float[Tensor, "*star"]) -> Float[Tensor, "*star"]:
        """The wall's share of the loss."""
        return self.root(density).square()

    def root(self, density: Float[Tensor, "*star"]) -> Float[Tensor, "*star"]:
        """Square root of the penalty: the wall as a residual."""
        depth = (self.density / density.clamp_min(LEAST_DENSITY)).log().clamp_min(0.0)
        return self.weight**0.5 * depth

    def root_slope(
        self, density: Float[Tensor, " star"], slope: Float[Tensor, "star label"]
    ) -> Float[Tensor, "star label"]:
        """Derivative of :meth:`root`; 0 inside the library.

        Args:
            density: Density of templates.
            slope: Its derivative by the unit labels.

        Returns:
            Derivative by the unit labels.
        """
        relative = slope / density.clamp_min(LEAST_DENSITY)[:, None]
        return -(self.weight**0.5) * relative * self.is_left(density)[:, None]
