"""The likelihood of stars of several exposures, which share labels and the emulator's error."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.likelihood.exact import STARS_AT_ONCE, ExactLikelihood
from torchfit.likelihood.joint_spectra import JointSpectra
from torchfit.likelihood.joint_sums import JointSums
from torchfit.likelihood.likelihood import Condensed
from torchfit.likelihood.metric import Metric
from torchfit.likelihood.pixel_sums import FormAtZero, marginalise_emulator
from torchfit.likelihood.start_models import StartModels
from torchfit.spectra import Spectra, slices

LEAST_NOISE = 1e-6
"""Least variance of the noise of a pixel, as a share of what the components leave out of it."""


@dataclass(frozen=True)
class JointLikelihood:
    r"""All exposures of a star are fitted together.

    .. math:: L_e = \mu + B (f(x) + r) + t + T c_e + n_e

    for exposure e, with the noise :math:`n_e` and the nuisances :math:`c_e` (continuum, velocity)
    of the exposure, and what belongs to the star and is the same in all its exposures: labels x,
    the emulator's error :math:`r \sim N(0, \Sigma)`, and what the components leave out,
    :math:`t \sim N(0, \tau)`. It takes part in the loss once, however many exposures there are:
    many poor exposures become no better than one good one. Of a single exposure it is the model of
    :class:`torchfit.likelihood.metric.Metric`.

    Outliers are looked for in each exposure, as if it were alone.

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

    @property
    def single(self) -> ExactLikelihood:
        """The likelihood of one exposure."""
        return ExactLikelihood(self.metric, self.emulator)

    def takes(self, spectra: Spectra, start: Float[Tensor, "star label"]) -> Bool[Tensor, " star"]:
        """Stars of several exposures."""
        return spectra.n_exposures > 1

    def condense(self, spectra: Spectra, start: Float[Tensor, "star label"]) -> Condensed:
        """See :class:`torchfit.likelihood.likelihood.Likelihood`.

        Args:
            spectra: Coadds with their exposures, every star of several.
            start: Start labels.

        Raises:
            TypeError: If there are no exposures.
        """
        if not isinstance(spectra, JointSpectra):
            raise TypeError("stars of one exposure have another likelihood")
        spectra, star = spectra.to(self.dtype), spectra.star
        near = StartModels.of(self.emulator, start)
        clipped, score = self._outliers(spectra.exposures, near, star)
        clean = spectra.exposures.without(clipped)
        at_zero = self._sum(clean, near, spectra.n_exposures)
        counted = (clean.good & self.emulator.flux_pca.good).sum(dim=1)
        n_pix = counted.new_zeros(len(spectra)).index_add(0, star, counted)
        any_clipped = (
            torch.zeros_like(spectra.flux).index_add(0, star, clipped.to(spectra.flux)) > 0
        )
        objective = self.single.objective(spectra, near, at_zero)
        return Condensed(objective, any_clipped, self._score(score, spectra), n_pix)

    def _outliers(
        self, exposures: Spectra, near: StartModels, star: Int[Tensor, " exposure"]
    ) -> tuple[Bool[Tensor, "exposure pix"], Float[Tensor, " exposure"]]:
        """Outliers and outlier score of each exposure."""
        if not self.metric.weighted:
            return self.single.nothing_clipped(exposures)
        found = []
        for piece in slices(len(exposures), STARS_AT_ONCE):
            here = near[star[piece]]
            covariance = self.emulator.residuals.at(here.labels[:, 0])
            found.append(self.single.clip(exposures[piece], here, covariance)[1:])
        clipped, score = zip(*found, strict=True)
        return torch.cat(clipped), torch.cat(score)

    def _sum(
        self, exposures: Spectra, near: StartModels, n_exposures: Int[Tensor, " star"]
    ) -> FormAtZero:
        """Quadratic forms; stars of equally many exposures are summed together."""
        first = n_exposures.cumsum(0) - n_exposures
        places, forms = [], []
        for n in n_exposures.unique().tolist():
            stars = (n_exposures == n).nonzero()[:, 0]
            for some in stars.split(max(STARS_AT_ONCE // n, 1)):
                rows = (first[some, None] + torch.arange(n, device=first.device)).flatten()
                forms.append(self._form(exposures[rows], near[some], n))
                places.append(some)
        back = torch.cat(places).argsort()
        return FormAtZero(*(torch.cat(parts)[back] for parts in zip(*forms, strict=True)))

    def _form(self, exposures: Spectra, near: StartModels, n: int) -> FormAtZero:
        """Quadratic forms of a few stars of n exposures each."""
        emulator, start = self.emulator, near.labels
        weight, truncation = self._weights(exposures, start[:, 0], n)
        y = torch.where(weight > 0, exposures.flux - emulator.flux_pca.mean, 0.0)
        sums = JointSums(
            emulator.basis,
            weight.unflatten(0, (-1, n)),
            truncation,
            y.unflatten(0, (-1, n)),
            self.single.columns(start),
            self.single.nuisance.sigma,
        )
        if not self.metric.weighted:
            return sums.form()
        covariance = emulator.residuals.at(start[:, 0])
        return marginalise_emulator(sums.form(), torch.linalg.cholesky(covariance))

    def _weights(
        self, exposures: Spectra, teff: Float[Tensor, " star"], n: int
    ) -> tuple[Float[Tensor, "exposure pix"], Float[Tensor, "star pix"]]:
        """Inverse variance of the noise of each exposure, and the truncation of each star."""
        good = exposures.good & self.emulator.flux_pca.good
        truncation = self.emulator.truncation.at(teff)
        if not self.metric.weighted:
            return good.to(exposures.flux), torch.zeros_like(truncation)
        repeated = truncation.repeat_interleave(n, dim=0)
        noise = self.metric.noise(self.emulator, exposures, repeated)
        variance = torch.maximum(noise + self.metric.noise_floor**2, LEAST_NOISE * repeated)
        return torch.where(good, 1 / variance, 0.0), truncation

    def _score(
        self, score: Float[Tensor, " exposure"], spectra: JointSpectra
    ) -> Float[Tensor, " star"]:
        """Root mean square of the scores of a star's exposures, each by its good pixels."""
        good = (spectra.exposures.good & self.emulator.flux_pca.good).sum(dim=1).to(score)
        total, square = (
            torch.zeros_like(spectra.flux[:, 0]).index_add(0, spectra.star, values)
            for values in (good, good * score.square())
        )
        return (square / total.clamp_min(1)).sqrt()
