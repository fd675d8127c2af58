"""How residuals are weighted: what a spectrum is assumed to be made of, for every likelihood."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.exceptions import ConfigError
from torchfit.likelihood.gaps import without_gaps
from torchfit.likelihood.nuisance import Nuisance
from torchfit.likelihood.outliers import Outliers
from torchfit.likelihood.prior import StartPrior
from torchfit.likelihood.support import Support
from torchfit.spectra import Spectra, slices

VELOCITIES_AT_ONCE = 128


@dataclass(frozen=True)
class Sharing:
    """Which stars share matrices, and how their spectra are completed.

    Args:
        rounds: Rounds of filling bad pixels, and of clipping; each reads the pixels twice.
        max_missing: Largest share of missing pixels of a star that shares.
        min_stars: Stars of like temperature and noise that a survey must have for them to share:
            the shape of their noise is a median over them, and must not hang on a few of them.

    Raises:
        ConfigError: If a number makes no sense.
    """

    rounds: int = 2
    max_missing: float = 0.2
    min_stars: int = 30

    def __post_init__(self) -> None:
        if min(self.rounds, self.min_stars) < 1 or not 0 <= self.max_missing < 1:
            raise ConfigError(
                f"metric.sharing: rounds={self.rounds} and min_stars={self.min_stars} must be at "
                f"least 1 and max_missing={self.max_missing} lie within 0 and 1"
            )


@dataclass(frozen=True)
class Metric:
    r"""The model of a spectrum, and with it the weights of its residuals.

    A spectrum is modelled as :math:`L = \mu + B (f(x) + r) + T c + n` with the emulator's error
    :math:`r \sim N(0, \Sigma)`, nuisances :math:`c \sim N(0, \Lambda)` and pixel noise
    :math:`n \sim N(0, N)`, N = 1/ivar + what the components leave out. Integrating over r and c:

    .. math::
        \chi^2 = y^T (N + T \Lambda T^T + B \Sigma B^T)^{-1} y, \quad y = L - \mu - B f(x),

    which, as a function of f, is a :class:`torchfit.likelihood.form.QuadraticForm`. Masked pixels
    have infinite N. Without weights, residuals of good pixels are squared and summed (the paper's
    Eq. 3).

    Args:
        weighted: Whether to use errors, emulator covariance and nuisances at all.
        nuisance: Continuum and velocity; used only when weighted.
        prior_strength: Weight of the prior on the start labels, whose covariance is that of the
            start labels' own errors on the library and of what noise adds; 0 for none.
        start_scatter: Model scatter that the matching has allowed for (``match.scatter``), which
            says how far noise has moved the start labels
            (:func:`torchfit.likelihood.start_noise.start_noise`); ``None`` takes them for those of
            library spectra, whatever the noise.
        noise_floor: Least relative error of a pixel's normalised flux, for flux calibration.
        outliers: How outliers are found; used only when weighted, ``None`` for not at all.
        support: Wall around the library; without weights it only says who is outside.
        sharing: Stars that share their matrices
            (:class:`torchfit.likelihood.shared.SharedLikelihood`); ``None`` for none.

    Raises:
        ConfigError: If a number is negative, or an unweighted sum is to be shared.
    """

    weighted: bool = True
    nuisance: Nuisance = field(default_factory=Nuisance)
    prior_strength: float = 1.0
    start_scatter: float | None = 0.03
    noise_floor: float = 0.0
    outliers: Outliers | None = field(default_factory=Outliers)
    support: Support = field(default_factory=Support)
    sharing: Sharing | None = None

    def __post_init__(self) -> None:
        if min(self.prior_strength, self.noise_floor) < 0:
            raise ConfigError(
                f"metric: prior_strength={self.prior_strength} and noise_floor={self.noise_floor} "
                "must not be negative"
            )
        if self.start_scatter is not None and self.start_scatter <= 0:
            raise ConfigError(f"metric.start_scatter={self.start_scatter} must be positive or null")
        if self.sharing is not None and not self.weighted:
            raise ConfigError(
                "metric: an unweighted sum of squares shares no matrices; use weighted=true or "
                "sharing=null"
            )

    def pixel_weights(
        self, emulator: Emulator, spectra: Spectra, teff: Float[Tensor, " star"]
    ) -> Float[Tensor, "star pix"]:
        """Inverse variance of the pixel noise, 0 in pixels that are bad or that nobody knows.

        Args:
            emulator: Gives the pixels it knows and what its components leave out.
            spectra: Normalised spectra.
            teff: Start temperature in K.

        Returns:
            1 / N; 1 in all good pixels when not weighted.
        """
        if not self.weighted:
            return (spectra.good & emulator.flux_pca.good).to(spectra.flux)
        truncation = emulator.truncation.at(teff.to(spectra.flux))
        noise = self.noise(emulator, spectra, truncation)
        return noise.add_(truncation).add_(self.noise_floor**2).reciprocal_()

    def noise(
        self, emulator: Emulator, spectra: Spectra, truncation: Float[Tensor, "star pix"]
    ) -> Float[Tensor, "star pix"]:
        """Variance of the noise of the pixels, estimated for spectra without errors.

        Args:
            emulator: Gives the pixels it knows.
            spectra: Normalised spectra.
            truncation: Variance of what the components leave out of each pixel.

        Returns:
            1/ivar; infinite in pixels that are bad or that nobody knows.
        """
        # 1/0: no mask is needed, which costs more than all the rest.
        noise = (spectra.ivar * emulator.flux_pca.good.to(spectra.ivar)).reciprocal_()
        # Only a survey without errors pays for the estimate.
        if not bool(spectra.has_ivar.all()):
            estimated = emulator.flux_pca.excess_noise(spectra, truncation).to(noise)
            noise = noise * torch.where(spectra.has_ivar, 1.0, estimated)[:, None]
        return noise

    @property
    def has_prior(self) -> bool:
        """Whether start labels pull at all."""
        return self.weighted and self.prior_strength > 0

    def prior(
        self,
        emulator: Emulator,
        start: Float[Tensor, "star label"],
        by_noise: Float[Tensor, "star label label"] | None = None,
    ) -> StartPrior:
        """The prior on the labels.

        Args:
            emulator: Gives the covariance of the start labels' errors on the library.
            start: Start labels.
            by_noise: Covariance of the errors that noise has added to them; ``None`` for none.

        Returns:
            The prior, in double precision.
        """
        covariance = emulator.start_error.at(start[:, 0])
        if by_noise is not None:
            covariance = covariance + by_noise.to(covariance)
        precision = torch.linalg.inv(covariance) * (self.prior_strength if self.weighted else 0.0)
        return StartPrior(emulator.scaler.to_unit(start), precision)

    def velocity(
        self,
        emulator: Emulator,
        spectra: Spectra,
        labels: Float[Tensor, "star label"],
        model: Float[Tensor, "star pix"],
    ) -> Float[Tensor, " star"]:
        r"""Residual velocity of stars at their solution, the mean of its posterior.

        :math:`v = (T^T W T + \Lambda^{-1})^{-1} T^T W (L - M)`, the last of the nuisances.

        Args:
            emulator: The emulator.
            spectra: Normalised spectra.
            labels: Labels at the solution.
            model: Flux of these labels.

        Returns:
            Velocity in km/s, in double precision; NaN when the metric has no velocity or no
            weights.
        """
        if not self.weighted or self.nuisance.velocity_sigma is None:
            return torch.full_like(labels[:, 0], torch.nan, dtype=torch.float64)
        return self._nuisances(emulator, spectra, labels, model)[:, -1].double()

    def continuum(
        self,
        emulator: Emulator,
        spectra: Spectra,
        labels: Float[Tensor, "star label"],
        model: Float[Tensor, "star pix"],
    ) -> Float[Tensor, "star pix"]:
        r"""Continuum of normalised spectra at their solution, the mean of its posterior.

        .. math:: C = 1 + \sum_j c_j P_j(\lambda)

        with the nuisances c of :class:`torchfit.likelihood.nuisance.Nuisance`: the spectrum is the
        model times C, but for its residual velocity and noise.

        Args:
            emulator: The emulator.
            spectra: Normalised spectra.
            labels: Labels at the solution.
            model: Flux of these labels.

        Returns:
            A factor near 1; exactly 1 when the metric has no continuum or no weights.
        """
        if not self.weighted or self.nuisance.continuum_degree is None:
            return torch.ones_like(spectra.flux)
        found = self._nuisances(emulator, spectra, labels, model)
        return self.nuisance.continuum(emulator.wave, found)

    def _nuisances(
        self,
        emulator: Emulator,
        spectra: Spectra,
        labels: Float[Tensor, "star label"],
        model: Float[Tensor, "star pix"],
    ) -> Float[Tensor, "star nuisance"]:
        """Most probable nuisances at the solution, some stars at a time."""
        model, found = model.to(spectra.flux), []
        for piece in slices(len(spectra), VELOCITIES_AT_ONCE):
            some = spectra[piece]
            weight = self.pixel_weights(emulator, some, labels[piece, 0])
            flux = without_gaps(emulator, model[piece])
            found.append(self.nuisance.posterior_mean(emulator.wave, flux, weight, some.flux))
        return torch.cat(found)
