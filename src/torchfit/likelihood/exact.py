"""The likelihood of every star by itself, in double precision."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.likelihood.form import DenseForm, EmulatorError
from torchfit.likelihood.likelihood import Condensed
from torchfit.likelihood.metric import Metric, without_gaps
from torchfit.likelihood.nuisance import Nuisance
from torchfit.likelihood.objective import Objective
from torchfit.likelihood.pixel_sums import FormAtZero, PixelSums, marginalise_emulator
from torchfit.likelihood.start_noise import start_noise
from torchfit.spectra import Spectra, slices

STARS_AT_ONCE = 64


@dataclass(frozen=True)
class ExactLikelihood:
    """Every star has its own noise, its own bad pixels and its own nuisances.

    Args:
        metric: The model of a spectrum.
        emulator: The emulator, at the resolution of the spectra.
    """

    metric: Metric
    emulator: Emulator

    @property
    def dtype(self) -> torch.dtype:
        """Double precision: see :class:`torchfit.likelihood.likelihood.Likelihood`."""
        return torch.float64

    def takes(self, spectra: Spectra, start: Float[Tensor, "star label"]) -> Bool[Tensor, " star"]:
        """Every star."""
        return torch.ones_like(spectra.has_ivar)

    def condense(self, spectra: Spectra, start: Float[Tensor, "star label"]) -> Condensed:
        """See :class:`torchfit.likelihood.likelihood.Likelihood`."""
        spectra = spectra.to(self.dtype)
        metric, predictor = self.metric, self.emulator.gp.predictor
        unit = self.emulator.scaler.to_unit(start)
        centre, jacobian, _, _ = predictor.derivatives(unit)
        pieces = slices(len(spectra), STARS_AT_ONCE)
        condensed = [
            self._condense(spectra[piece], start[piece], centre[piece], jacobian[piece])
            for piece in pieces
        ]
        by_noise = None
        if metric.has_prior and metric.start_scatter is not None:
            parts = [(spectra[piece], start[piece], jacobian[piece]) for piece in pieces]
            by_noise = torch.cat([self._start_noise(*part, metric.start_scatter) for part in parts])
        prior = metric.prior(self.emulator, start, by_noise)
        forms, clipped, score = zip(*condensed, strict=True)
        at_zero = FormAtZero(*(torch.cat(parts) for parts in zip(*forms, strict=True)))
        error = EmulatorError(self.emulator.residuals, start[:, 0])
        form = DenseForm.about(centre, at_zero, error)
        support = metric.support if metric.weighted else replace(metric.support, weight=0.0)
        objective = Objective(predictor, centre, form, prior, support)
        return Condensed(objective, torch.cat(clipped), torch.cat(score))

    def _condense(
        self,
        spectra: Spectra,
        start: Float[Tensor, "star label"],
        centre: Float[Tensor, "star comp"],
        jacobian: Float[Tensor, "star label comp"],
    ) -> tuple[FormAtZero, Bool[Tensor, "star pix"], Float[Tensor, " star"]]:
        """Quadratic form, outliers and outlier score of a few stars."""
        sums = self._sums(spectra, start)
        clipped = torch.zeros_like(sums.weight, dtype=torch.bool)
        score = torch.full_like(start[:, 0], torch.nan)
        if not self.metric.weighted:
            return sums.form(), clipped, score
        covariance = self.emulator.residuals.at(start[:, 0])
        if self.metric.outliers is not None:
            of_start = self.emulator.start_error.at(start[:, 0])
            wide = covariance + jacobian.mT @ of_start @ jacobian
            clipped, score = self.metric.outliers.clip(sums, centre, torch.linalg.cholesky(wide))
            if clipped.any() and not spectra.has_ivar.all():
                # The estimate of the noise has counted the outliers.
                sums = self._sums(spectra.without(clipped), start)
        return marginalise_emulator(sums.form(), torch.linalg.cholesky(covariance)), clipped, score

    def _start_noise(
        self,
        spectra: Spectra,
        start: Float[Tensor, "star label"],
        jacobian: Float[Tensor, "star label comp"],
        scatter: float,
    ) -> Float[Tensor, "star label label"]:
        """What noise has added to the errors of the start labels of a few stars."""
        truncation = self.emulator.truncation.at(start[:, 0])
        noise = self.metric.noise(self.emulator, spectra, truncation)
        return start_noise(jacobian @ self.emulator.basis.mT, noise, scatter)

    def _sums(self, spectra: Spectra, start: Float[Tensor, "star label"]) -> PixelSums:
        """Sums over the pixels of a few stars."""
        emulator, metric = self.emulator, self.metric
        weight = metric.pixel_weights(emulator, spectra, start[:, 0])
        y = torch.where(weight > 0, spectra.flux - emulator.flux_pca.mean, 0.0)
        nuisance = metric.nuisance if metric.weighted else Nuisance.none()
        model = without_gaps(emulator, emulator.flux(start))
        columns = nuisance.columns(emulator.wave, model)
        return PixelSums(emulator.basis, weight, y, columns, nuisance.sigma)
