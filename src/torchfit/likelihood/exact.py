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
from torchfit.likelihood.start_models import StartModels
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
        """Every star of one exposure."""
        return spectra.n_exposures == 1

    def condense(self, spectra: Spectra, start: Float[Tensor, "star label"]) -> Condensed:
        """See :class:`torchfit.likelihood.likelihood.Likelihood`."""
        spectra = spectra.to(self.dtype)
        near = StartModels.of(self.emulator, start)
        pieces = slices(len(spectra), STARS_AT_ONCE)
        condensed = [self._condense(spectra[piece], near[piece]) for piece in pieces]
        forms, clipped, score = zip(*condensed, strict=True)
        at_zero = FormAtZero(*(torch.cat(parts) for parts in zip(*forms, strict=True)))
        outliers = torch.cat(clipped)
        good = spectra.good & self.emulator.flux_pca.good
        n_pix = (good & ~outliers).sum(dim=1, dtype=torch.int32).long()
        objective = self.objective(spectra, near, at_zero)
        return Condensed(objective, outliers, torch.cat(score), n_pix)

    def objective(self, spectra: Spectra, near: StartModels, at_zero: FormAtZero) -> Objective:
        """The objective of stars whose pixels have been summed.

        Args:
            spectra: The spectra, which say how wrong the start labels may be.
            near: The start models.
            at_zero: The sums.
        """
        metric, emulator, by_noise = self.metric, self.emulator, None
        if metric.has_prior and metric.start_scatter is not None:
            parts = [
                self._start_noise(spectra[piece], near[piece], metric.start_scatter)
                for piece in slices(len(spectra), STARS_AT_ONCE)
            ]
            by_noise = torch.cat(parts)
        prior = metric.prior(emulator, near.labels, by_noise)
        error = EmulatorError(emulator.residuals, near.labels[:, 0])
        form = DenseForm.about(near.centre, at_zero, error)
        support = metric.support if metric.weighted else replace(metric.support, weight=0.0)
        return Objective(emulator.gp.predictor, near.origin, form, prior, support)

    def _condense(
        self, spectra: Spectra, near: StartModels
    ) -> tuple[FormAtZero, Bool[Tensor, "star pix"], Float[Tensor, " star"]]:
        """Quadratic form, outliers and outlier score of a few stars."""
        if not self.metric.weighted:
            return self._sums(spectra, near.labels).form(), *self.nothing_clipped(spectra)
        covariance = self.emulator.residuals.at(near.labels[:, 0])
        sums, clipped, score = self.clip(spectra, near, covariance)
        form = marginalise_emulator(sums.form(), torch.linalg.cholesky(covariance))
        return form, clipped, score

    def clip(
        self, spectra: Spectra, near: StartModels, covariance: Float[Tensor, "star comp comp"]
    ) -> tuple[PixelSums, Bool[Tensor, "star pix"], Float[Tensor, " star"]]:
        """Sums over the pixels of a few stars without outliers; these, and the outlier score.

        Args:
            spectra: The spectra.
            near: The start models.
            covariance: Covariance of the emulator's error.
        """
        sums = self._sums(spectra, near.labels)
        if self.metric.outliers is None:
            return sums, *self.nothing_clipped(spectra)
        of_start = self.emulator.start_error.at(near.labels[:, 0])
        wide = covariance + near.jacobian.mT @ of_start @ near.jacobian
        factor = torch.linalg.cholesky(wide)
        clipped, score = self.metric.outliers.clip(sums, near.centre, factor)
        if clipped.any() and not spectra.has_ivar.all():
            # The estimate of the noise has counted the outliers.
            sums = self._sums(spectra.without(clipped), near.labels)
        return sums, clipped, score

    def nothing_clipped(
        self, spectra: Spectra
    ) -> tuple[Bool[Tensor, "star pix"], Float[Tensor, " star"]]:
        """Outliers and outlier scores of spectra in which no outliers are looked for."""
        return torch.zeros_like(spectra.good), torch.full_like(spectra.flux[:, 0], torch.nan)

    def _start_noise(
        self, spectra: Spectra, near: StartModels, scatter: float
    ) -> Float[Tensor, "star label label"]:
        """What noise has added to the errors of the start labels of a few stars."""
        truncation = self.emulator.truncation.at(near.labels[:, 0])
        noise = self.metric.noise(self.emulator, spectra, truncation)
        return start_noise(near.jacobian @ self.emulator.basis.mT, noise, scatter)

    def _sums(self, spectra: Spectra, start: Float[Tensor, "star label"]) -> PixelSums:
        """Sums over the pixels of a few stars."""
        emulator, metric = self.emulator, self.metric
        weight = metric.pixel_weights(emulator, spectra, start[:, 0])
        y = torch.where(weight > 0, spectra.flux - emulator.flux_pca.mean, 0.0)
        return PixelSums(emulator.basis, weight, y, self.columns(start), self.nuisance.sigma)

    @property
    def nuisance(self) -> Nuisance:
        """Nuisances that are integrated out; an unweighted sum of squares has none."""
        return self.metric.nuisance if self.metric.weighted else Nuisance.none()

    def columns(self, start: Float[Tensor, "star label"]) -> Float[Tensor, "star pix nuisance"]:
        """Nuisance columns of stars at their start labels."""
        model = without_gaps(self.emulator, self.emulator.flux(start))
        return self.nuisance.columns(self.emulator.wave, model)
