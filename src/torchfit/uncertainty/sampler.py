"""An ensemble sampler for thousands of stars at once, as tensors over stars and walkers."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.uncertainty.proposal import StudentT
from torchfit.uncertainty.streams import Streams

LogDensity = Callable[[Float[Tensor, "star walker label"]], Float[Tensor, "star walker"]]
"""Log posterior of several points per star, up to a constant of each; -inf outside the box."""


@dataclass(frozen=True)
class EnsembleSampler:
    r"""Two moves: independent draws from a bell, and stretches along the ensemble.

    The bell (see :class:`torchfit.uncertainty.proposal.StudentT`) begins with the Fisher matrix at
    the solution, and after half of the warm-up with the moments of the walkers: where the
    posterior is nearly Gaussian, nearly every draw is accepted and owes nothing to the one before.
    Where it is not, the stretch moves go along whatever shape the walkers have found: walker x of
    one half of the ensemble goes to :math:`y + z (x - y)` with y of the other half and
    :math:`g(z) \propto z^{-1/2}` on [1/a, a], accepted with probability
    :math:`\min(1, z^{d-1} p(x')/p(x))`. Both leave the posterior as it is; neither knows scales.

    Random numbers belong to seed and star, so that a star's chain does not depend on its batch.

    Args:
        n_walkers: Walkers of each star, even.
        n_warmup: Steps that are thrown away.
        n_steps: Steps that are kept; a step moves every walker once.
        stretch_every: One step in so many is a stretch, the others are draws; 1 for stretches only.
        stretch: Greatest stretch a.
        seed: Seed of all random numbers.

    Raises:
        ConfigError: If a number makes no sense.

    References:
        Goodman & Weare 2010, CAMCoS 5, 65 (stretch move); Foreman-Mackey et al. 2013, PASP 125,
        306 (halves in parallel); Tierney 1994, Ann. Statist. 22, 1701 (independence chain).
    """

    n_walkers: int = 16
    n_warmup: int = 40
    n_steps: int = 200
    stretch_every: int = 4
    stretch: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_walkers < 4 or self.n_walkers % 2:
            raise ConfigError(f"n_walkers={self.n_walkers} must be even and at least 4")
        if self.n_warmup < 4 or self.n_steps < 8 or self.stretch_every < 1 or self.stretch <= 1:
            raise ConfigError(
                f"n_warmup={self.n_warmup} must be at least 4, n_steps={self.n_steps} at least 8, "
                f"stretch_every={self.stretch_every} at least 1 and stretch={self.stretch} above 1"
            )

    @torch.no_grad()
    def sample(
        self, log_density: LogDensity, bell: StudentT, star: Int[Tensor, " star"]
    ) -> Float[Tensor, "star step walker label"]:
        """Draw from the posterior of every star.

        Args:
            log_density: Log posterior.
            bell: Where to begin.
            star: Number of each star, for its random numbers.

        Returns:
            The kept steps of all walkers.
        """
        ensemble = _Ensemble(self, log_density, bell, Streams.of(self.seed, star))
        warmup = [ensemble.step() for _ in range(self.n_warmup // 2)]
        ensemble.bell = bell.moved_to(torch.cat(warmup[len(warmup) // 2 :], dim=1))
        for _ in range(self.n_warmup - len(warmup)):
            ensemble.step()
        return torch.stack([ensemble.step() for _ in range(self.n_steps)], dim=1)


class _Ensemble:
    """Where the walkers of every star stand."""

    def __init__(
        self, settings: EnsembleSampler, log_density: LogDensity, bell: StudentT, streams: Streams
    ) -> None:
        self.settings, self.log_density, self.bell = settings, log_density, bell
        self.streams, self.n_read, self.n_done = streams, 0, 0
        self.point = bell.draw(self._uniform(settings.n_walkers, bell.n_uniform))
        self.value = log_density(self.point)

    def step(self) -> Float[Tensor, "star walker label"]:
        """Move every walker once and return where they are."""
        self.n_done += 1
        if self.n_done % self.settings.stretch_every:
            self._draw()
        else:
            half = self.settings.n_walkers // 2
            self._stretch(slice(0, half), slice(half, None))
            self._stretch(slice(half, None), slice(0, half))
        return self.point

    def _draw(self) -> None:
        """An independent draw for every walker."""
        uniform = self._uniform(self.settings.n_walkers, self.bell.n_uniform + 1)
        trial = self.bell.draw(uniform[..., 1:])
        balance = self.bell.log_density(self.point) - self.bell.log_density(trial)
        self._accept(slice(None), trial, balance, uniform[..., 0])

    def _stretch(self, moving: slice, resting: slice) -> None:
        """Stretch half of the walkers along lines to walkers of the other half."""
        other = self.point[:, resting]
        uniform, partner, threshold = self._uniform(other.shape[1], 3).unbind(dim=2)
        least = self.settings.stretch**-0.5
        stretch = (least + uniform * (1 / least - least)).square()[:, :, None]
        place = (partner * other.shape[1]).long()[:, :, None].expand_as(other)
        anchor = other.gather(1, place)
        trial = anchor + stretch * (self.point[:, moving] - anchor)
        balance = (other.shape[2] - 1) * stretch[:, :, 0].log()
        self._accept(moving, trial, balance, threshold)

    def _accept(
        self,
        moving: slice,
        trial: Float[Tensor, "star moving label"],
        balance: Float[Tensor, "star moving"],
        threshold: Float[Tensor, "star moving"],
    ) -> None:
        """Metropolis and Hastings: go there with probability exp(balance) p(trial) / p(point)."""
        value = self.log_density(trial)
        # Two points outside the box leave no number; the comparison is then false.
        taken = threshold.log() < value - self.value[:, moving] + balance
        point, values = self.point.clone(), self.value.clone()
        point[:, moving] = torch.where(taken[:, :, None], trial, point[:, moving])
        values[:, moving] = torch.where(taken, value, values[:, moving])
        self.point, self.value = point, values

    def _uniform(self, n_walkers: int, count: int) -> Float[Tensor, "star walker number"]:
        """The next random numbers of every star."""
        uniform = self.streams.uniform(self.n_read, n_walkers * count)
        self.n_read += n_walkers * count
        return uniform.reshape(len(uniform), n_walkers, count)
