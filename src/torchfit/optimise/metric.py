"""From spectra to the objective: how residuals are weighed."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.emulator.flux_pca import gram
from torchfit.optimise.nuisance import Nuisance
from torchfit.optimise.objective import Objective, StartPrior
from torchfit.preprocess.resample import fill_bad
from torchfit.spectra import Spectra

STARS_AT_ONCE = 64


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
    """

    weighted: bool = True
    nuisance: Nuisance = field(default_factory=Nuisance)
    prior_strength: float = 1.0
    noise_floor: float = 0.0

    def objective(
        self, emulator: Emulator, spectra: Spectra, start: Float[Tensor, "star label"]
    ) -> Objective:
        """Fold spectra into the objective.

        Args:
            emulator: The emulator, at the resolution of the spectra.
            spectra: Normalised spectra on the emulator's grid, float64.
            start: Start labels, from which shapes of nuisances and the local covariance are taken.

        Returns:
            The objective of all stars.
        """
        pieces = [
            self._fold(emulator, spectra[piece], start[piece]) for piece in _pieces(len(spectra))
        ]
        precision, linear, constant = (torch.cat(parts) for parts in zip(*pieces, strict=True))
        prior, predictor = self._prior(emulator, start), emulator.gp.predictor
        centre = predictor.mean(prior.mean)
        return Objective.about(predictor, centre, (precision, linear, constant), prior)

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
        truncation = emulator.truncation.at(teff)
        noise = 1 / torch.where(good, spectra.ivar, 1.0)
        # Only a survey without errors pays for the estimate.
        if not bool(spectra.has_ivar.all()):
            estimated = emulator.flux_pca.excess_noise(spectra, truncation)[:, None]
            noise = torch.where(spectra.has_ivar[:, None], noise, estimated)
        extra = truncation + self.noise_floor**2
        return torch.where(good, 1 / (noise + extra), 0.0)

    def velocity(
        self, emulator: Emulator, spectra: Spectra, labels: Float[Tensor, "star label"]
    ) -> Float[Tensor, " star"]:
        r"""Residual velocity of stars at their solution, the mean of its posterior.

        :math:`v = (T^T W T + \Lambda^{-1})^{-1} T^T W (L - M)`, the last of the nuisances.

        Args:
            emulator: The emulator.
            spectra: Normalised spectra.
            labels: Labels at the solution.

        Returns:
            Velocity in km/s; NaN when the metric has no velocity or no weights.
        """
        if not self.weighted or self.nuisance.velocity_sigma is None:
            return torch.full_like(labels[:, 0], torch.nan)
        return torch.cat(
            [
                self._velocity(emulator, spectra[piece], labels[piece])
                for piece in _pieces(len(spectra))
            ]
        )

    def _velocity(
        self, emulator: Emulator, spectra: Spectra, labels: Float[Tensor, "star label"]
    ) -> Float[Tensor, " star"]:
        weight = self.pixel_weights(emulator, spectra, labels[:, 0])
        model = _without_gaps(emulator, emulator.flux(labels))
        nuisance = self.nuisance.posterior_mean(emulator.wave, model, weight, spectra.flux)
        return nuisance[:, -1]

    def _fold(
        self, emulator: Emulator, spectra: Spectra, start: Float[Tensor, "star label"]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Precision, linear term and constant of a few stars."""
        basis = emulator.basis
        weight = self.pixel_weights(emulator, spectra, start[:, 0])
        y = torch.where(weight > 0, spectra.flux - emulator.flux_pca.mean, 0.0)
        information, pull = gram(weight, basis), (weight * y) @ basis
        constant = (weight * y.square()).sum(dim=1)
        if not self.weighted:
            return information, pull, constant
        model = _without_gaps(emulator, emulator.flux(start))
        columns = self.nuisance.columns(emulator.wave, model)
        information, pull, constant = marginalise_columns(
            (information, pull, constant), (basis, weight, y), columns, self.nuisance.sigma
        )
        factor = torch.linalg.cholesky(emulator.residuals.at(start[:, 0]))
        return marginalise_emulator(information, pull, constant, factor)

    def _prior(self, emulator: Emulator, start: Float[Tensor, "star label"]) -> StartPrior:
        covariance = emulator.start_error.at(start[:, 0])
        precision = torch.linalg.inv(covariance) * (self.prior_strength if self.weighted else 0.0)
        return StartPrior(emulator.scaler.to_unit(start), precision)


def _without_gaps(
    emulator: Emulator, model: Float[Tensor, "star pix"]
) -> Float[Tensor, "star pix"]:
    """The model with a straight line over pixels the emulator does not know.

    It is 0 there; the jump to 0 would look like the steepest line of the spectrum to a velocity.
    """
    good = emulator.flux_pca.good.expand_as(model)
    return fill_bad(emulator.wave.expand_as(model), model, good)


def _pieces(n_stars: int) -> list[slice]:
    return [slice(low, low + STARS_AT_ONCE) for low in range(0, n_stars, STARS_AT_ONCE)]


def marginalise_columns(
    terms: tuple[Tensor, Tensor, Tensor],
    data: tuple[Tensor, Tensor, Tensor],
    columns: Float[Tensor, "star pix nuisance"],
    sigma: list[float],
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Integrate over linear nuisances with Gaussian priors.

    With :math:`C = B^T W T`, :math:`D = T^T W T + \Lambda^{-1}`, :math:`e = T^T W y`:
    :math:`A' = A - C D^{-1} C^T`, :math:`b' = b - C D^{-1} e`, :math:`c' = c - e^T D^{-1} e`.

    Args:
        terms: A = B^T W B, b = B^T W y and c = y^T W y of each star.
        data: Basis B, weights W, and residuals y from the mean spectrum.
        columns: Nuisance columns T of each star.
        sigma: Prior standard deviation of each nuisance.

    Returns:
        A', b', c'.
    """
    information, pull, constant = terms
    if columns.shape[2] == 0:
        return terms
    basis, weight, y = data
    weighted = weight[:, :, None] * columns
    cross = basis.mT @ weighted
    prior = torch.tensor(sigma, dtype=columns.dtype, device=columns.device).pow(-2).diag()
    factor = torch.linalg.cholesky(weighted.mT @ columns + prior)
    half_cross = torch.linalg.solve_triangular(factor, cross.mT, upper=False)
    half_pull = torch.linalg.solve_triangular(factor, (weighted.mT @ y[:, :, None]), upper=False)
    return (
        information - half_cross.mT @ half_cross,
        pull - (half_cross.mT @ half_pull)[:, :, 0],
        constant - half_pull.square().sum(dim=(1, 2)),
    )


def marginalise_emulator(
    information: Float[Tensor, "star comp comp"],
    pull: Float[Tensor, "star comp"],
    constant: Float[Tensor, " star"],
    factor: Float[Tensor, "star comp comp"],
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Integrate over the emulator's own error, :math:`r \sim N(0, \Sigma)`.

    With :math:`\Sigma = L L^T`, :math:`S = L^T A L` and :math:`R = (I + S)^{-1}`:
    :math:`P = L^{-T} (I - R) L^{-1}`, :math:`v = L^{-T} R L^T b`,
    :math:`c' = c - b^T L R L^T b`. Nothing is divided by A, so a star with few good pixels is no
    special case.

    Args:
        information: A of each star.
        pull: b of each star.
        constant: c of each star.
        factor: Lower Cholesky factor L.

    Returns:
        P, v and c'.
    """
    eye = torch.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device)
    inner = torch.linalg.cholesky(eye + factor.mT @ information @ factor)
    shrink = torch.cholesky_inverse(inner)
    white_pull = factor.mT @ pull[:, :, None]
    inverse = torch.linalg.solve_triangular(factor, eye.expand_as(factor), upper=False)
    precision = inverse.mT @ (eye - shrink) @ inverse
    linear = (inverse.mT @ (shrink @ white_pull))[:, :, 0]
    constant = constant - (white_pull.mT @ shrink @ white_pull)[:, 0, 0]
    return (precision + precision.mT) / 2, linear, constant
