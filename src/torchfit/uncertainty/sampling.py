"""The posterior of a chosen sample of stars, with its settings."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.library.scaling import LabelScaler
from torchfit.optimise.problem import Problem
from torchfit.uncertainty.posterior import Posterior, sample_posterior
from torchfit.uncertainty.sampler import EnsembleSampler
from torchfit.uncertainty.selection import Selection


@dataclass(frozen=True)
class PosteriorSampling:
    """Settings of the sampling.

    Args:
        sampler: How to sample.
        selection: Which stars.
        max_rhat: R-hat above which chains have not mixed.
        stars_at_once: Stars in one batch of tensors; a star's chain does not depend on it.

    Raises:
        ConfigError: If a number makes no sense.
    """

    sampler: EnsembleSampler = field(default_factory=EnsembleSampler)
    selection: Selection = field(default_factory=Selection)
    max_rhat: float = 1.05
    stars_at_once: int = 64

    def __post_init__(self) -> None:
        if self.max_rhat <= 1 or self.stars_at_once < 1:
            raise ConfigError(
                f"max_rhat={self.max_rhat} must be above 1, and "
                f"stars_at_once={self.stars_at_once} at least 1"
            )

    def posterior(
        self,
        problem: Problem,
        scaler: LabelScaler,
        unit: Float[Tensor, "star label"],
        star: Int[Tensor, " star"],
        chosen: Int[Tensor, " chosen"] | None = None,
    ) -> Posterior:
        """Sample the chosen ones of some stars.

        Args:
            problem: Loss and box.
            scaler: Labels to unit labels.
            unit: Unit labels of the solution.
            star: Number of each star.
            chosen: Numbers of the stars to sample; ``None`` for all.

        Returns:
            The posterior, NaN for stars that were not chosen.
        """
        result = Posterior.unsampled(unit)
        places = torch.arange(len(star), device=star.device)
        if chosen is not None:
            places = places[torch.isin(star, chosen.to(star))]
        for piece in places.split(self.stars_at_once) if len(places) else ():
            part = Problem(problem.objective[piece], problem.lower, problem.upper, None)
            draws = sample_posterior(self.sampler, part, scaler, unit[piece], star[piece])
            result.put(piece, Posterior.of_draws(draws))
        return result

    def has_not_mixed(self, posterior: Posterior) -> Bool[Tensor, " star"]:
        """Sampled stars whose chains do not agree; draws that are all the same do not either."""
        sampled = posterior.mean.isfinite().all(dim=1)
        return sampled & ~(posterior.rhat <= self.max_rhat)
