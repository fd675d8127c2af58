"""From spectra to the objective: how residuals are weighed."""

from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.exceptions import ConfigError
from torchfit.likelihood.folding import Folding, Form, marginalise_emulator
from torchfit.likelihood.nuisance import Nuisance
from torchfit.likelihood.objective import Objective, StartPrior, Support
from torchfit.likelihood.outliers import Outliers
from torchfit.spectra import Spectra, slices

STARS_AT_ONCE, VELOCITIES_AT_ONCE = 64, 256


@dataclass(frozen=True)
class Folded:
    """Spectra as the fit sees them.

    Args:
        objective: Loss of every star.
        clipped: Outliers, which have no say in it.
        score: Root mean square of the whitened residuals of the components before clipping; NaN
            where outliers are not looked for.
    """

    objective: Objective
    clipped: Bool[Tensor, "star pix"]
    score: Float[Tensor, " star"]


@dataclass(frozen=True)
class Metric:
    r"""The weights of the residuals.

    A spectrum is modelled as :math:`L = \mu + B (f(x) + r) + T c + n` with the emulator's error
    :math:`r \sim N(0, \Sigma)`, nuisances :math:`c \sim N(0, \Lambda)` and pixel noise
    :math:`n \sim N(0, N)`, N = 1/ivar + what the components leave out. Integrating over r and c:

    .. math::
        \chi^2 = y^T (N + T \Lambda T^T + B \Sigma B^T)^{-1} y, \quad y = L - \mu - B f(x),

    which, as a function of f, is the quadratic form of :class:`Objective`. Masked pixels have
    infinite N. Without weights, residuals of good pixels are squared and summed (the paper's
    Eq. 3).

    Args:
        weighted: Whether to use errors, emulator covariance and nuisances at all.
        nuisance: Continuum and velocity; used only when weighted.
        prior_strength: Weight of the prior on the start labels, whose covariance is that of the
            start labels' own errors on the library; 0 for none.
        noise_floor: Least relative error of a pixel's normalised flux, for flux calibration.
        outliers: How outliers are found; used only when weighted, ``None`` for not at all.
        support: Wall around the library; without weights it only tells who is outside.

    Raises:
        ConfigError: If a number is negative.
    """

    weighted: bool = True
    nuisance: Nuisance = field(default_factory=Nuisance)
    prior_strength: float = 1.0
    noise_floor: float = 0.0
    outliers: Outliers | None = None
    support: Support = field(default_factory=Support)

    def __post_init__(self) -> None:
        if min(self.prior_strength, self.noise_floor, self.support.weight) < 0:
            raise ConfigError(
                f"metric: prior_strength={self.prior_strength}, noise_floor={self.noise_floor} and "
                f"support.weight={self.support.weight} must not be negative"
            )

    @property
    def dtype(self) -> torch.dtype:
        """Precision in which it computes."""
        return torch.float64

    @property
    def exact(self) -> "Metric":
        """The metric that is for every star: this one."""
        return self

    def fits(self, emulator: Emulator, spectra: Spectra) -> Bool[Tensor, " star"]:
        """Stars that the metric is for: all of them."""
        return torch.ones_like(spectra.has_ivar)

    def objective(
        self, emulator: Emulator, spectra: Spectra, start: Float[Tensor, "star label"]
    ) -> Objective:
        """The objective of :meth:`fold`."""
        return self.fold(emulator, spectra, start).objective

    def fold(
        self, emulator: Emulator, spectra: Spectra, start: Float[Tensor, "star label"]
    ) -> Folded:
        """Fold spectra into the objective.

        Args:
            emulator: The emulator, at the resolution of the spectra.
            spectra: Normalised spectra on the emulator's grid.
            start: Start labels, from which shapes of nuisances and the local covariance are taken.

        Returns:
            The objective of all stars, and the outliers left out of it.
        """
        spectra = spectra.to(self.dtype)
        prior, predictor = self._prior(emulator, start), emulator.gp.predictor
        centre, jacobian, _, _ = predictor.derivatives(prior.mean)
        folded = [
            self._fold(emulator, spectra[piece], start[piece], centre[piece], jacobian[piece])
            for piece in slices(len(spectra), STARS_AT_ONCE)
        ]
        forms, clipped, score = zip(*folded, strict=True)
        form = Form(*(torch.cat(parts) for parts in zip(*forms, strict=True)))
        support = self.support if self.weighted else replace(self.support, weight=0.0)
        objective = Objective.about(predictor, centre, form, prior, support)
        return Folded(objective, torch.cat(clipped), torch.cat(score))

    def pixel_weights(
        self, emulator: Emulator, spectra: Spectra, teff: Float[Tensor, " star"]
    ) -> Float[Tensor, "star pix"]:
        """Inverse variance of the pixel noise, 0 where a pixel has no say.

        Args:
            emulator: Gives the pixels it knows and what its components leave out.
            spectra: Normalised spectra.
            teff: Start temperature in K.

        Returns:
            1 / N; 1 in all good pixels when not weighted.
        """
        good = spectra.good & emulator.flux_pca.good
        if not self.weighted:
            return good.to(spectra.flux)
        truncation = emulator.truncation.at(teff.to(spectra.flux))
        noise = 1 / torch.where(good, spectra.ivar, 1.0)
        # Only a survey without errors pays for the estimate.
        if not bool(spectra.has_ivar.all()):
            estimated = emulator.flux_pca.excess_noise(spectra, truncation)[:, None].to(noise)
            noise = torch.where(spectra.has_ivar[:, None], noise, estimated)
        extra = truncation + self.noise_floor**2
        return torch.where(good, 1 / (noise + extra), 0.0)

    def velocity(
        self,
        emulator: Emulator,
        spectra: Spectra,
        labels: Float[Tensor, "star label"],
        model: Float[Tensor, "star pix"] | None = None,
    ) -> Float[Tensor, " star"]:
        r"""Residual velocity of stars at their solution, the mean of its posterior.

        :math:`v = (T^T W T + \Lambda^{-1})^{-1} T^T W (L - M)`, the last of the nuisances.

        Args:
            emulator: The emulator.
            spectra: Normalised spectra.
            labels: Labels at the solution.
            model: Their flux, if it is at hand.

        Returns:
            Velocity in km/s; NaN when the metric has no velocity or no weights.
        """
        if not self.weighted or self.nuisance.velocity_sigma is None:
            return torch.full_like(labels[:, 0], torch.nan)
        model = emulator.flux(labels) if model is None else model
        model = model.to(spectra.flux)
        return torch.cat(
            [
                self._velocity(emulator, spectra[piece], labels[piece], model[piece])
                for piece in slices(len(spectra), VELOCITIES_AT_ONCE)
            ]
        )

    def _velocity(
        self,
        emulator: Emulator,
        spectra: Spectra,
        labels: Float[Tensor, "star label"],
        model: Float[Tensor, "star pix"],
    ) -> Float[Tensor, " star"]:
        weight = self.pixel_weights(emulator, spectra, labels[:, 0])
        model = without_gaps(emulator, model)
        nuisance = self.nuisance.posterior_mean(emulator.wave, model, weight, spectra.flux)
        return nuisance[:, -1].double()

    def _fold(
        self,
        emulator: Emulator,
        spectra: Spectra,
        start: Float[Tensor, "star label"],
        centre: Float[Tensor, "star comp"],
        jacobian: Float[Tensor, "star label comp"],
    ) -> tuple[Form, Bool[Tensor, "star pix"], Float[Tensor, " star"]]:
        """Quadratic form, outliers and outlier score of a few stars."""
        folding = self._folding(emulator, spectra, start)
        clipped = torch.zeros_like(folding.weight, dtype=torch.bool)
        score = torch.full_like(start[:, 0], torch.nan)
        if not self.weighted:
            return folding.form(), clipped, score
        covariance = emulator.residuals.at(start[:, 0])
        if self.outliers is not None:
            of_start = emulator.start_error.at(start[:, 0])
            wide = covariance + jacobian.mT @ of_start @ jacobian
            clipped, score = self.outliers.clip(folding, centre, torch.linalg.cholesky(wide))
            if clipped.any() and not spectra.has_ivar.all():
                # Outliers have had their say in the estimate of the noise.
                folding = self._folding(emulator, spectra.without(clipped), start)
        form = marginalise_emulator(folding.form(), torch.linalg.cholesky(covariance))
        return form, clipped, score

    def _folding(
        self, emulator: Emulator, spectra: Spectra, start: Float[Tensor, "star label"]
    ) -> Folding:
        """Sums over the pixels of a few stars."""
        weight = self.pixel_weights(emulator, spectra, start[:, 0])
        y = torch.where(weight > 0, spectra.flux - emulator.flux_pca.mean, 0.0)
        nuisance = self.nuisance if self.weighted else Nuisance()
        model = without_gaps(emulator, emulator.flux(start))
        columns = nuisance.columns(emulator.wave, model)
        return Folding(emulator.basis, weight, y, columns, nuisance.sigma)

    def _prior(self, emulator: Emulator, start: Float[Tensor, "star label"]) -> StartPrior:
        covariance = emulator.start_error.at(start[:, 0])
        precision = torch.linalg.inv(covariance) * (self.prior_strength if self.weighted else 0.0)
        return StartPrior(emulator.scaler.to_unit(start), precision)


def without_gaps(emulator: Emulator, model: Float[Tensor, "star pix"]) -> Float[Tensor, "star pix"]:
    """The model with a straight line over pixels the emulator does not know.

    It is 0 there; the jump to 0 would look like the steepest line of the spectrum to a velocity.
    """
    known, wave = emulator.flux_pca.good, emulator.wave
    if bool(known.all()):
        return model
    inside, gap = known.nonzero()[:, 0], (~known).nonzero()[:, 0]
    right = torch.searchsorted(inside, gap)
    left, right = inside[(right - 1).clamp_min(0)], inside[right.clamp_max(len(inside) - 1)]
    share = ((wave[gap] - wave[left]) / (wave[right] - wave[left])).nan_to_num(0.0, 0.0, 0.0)
    return model.index_copy(1, gap, torch.lerp(model[:, left], model[:, right], share.to(model)))
