"""Nuisances of a spectrum linear in small numbers: continuum, line width and velocity."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import ConfigError
from torchfit.likelihood.legendre import legendre, legendre_gram
from torchfit.names import SPEED_OF_LIGHT


@dataclass(frozen=True)
class Nuisance:
    r"""Small departures of an observed spectrum from its model M, marginalised analytically.

    .. math::
        L = M + \sum_j c_j\, P_j(\lambda)\, M + s\, \tfrac12 \frac{d^2 M}{d\lambda^2}
        - v\, \frac{\lambda}{c} \frac{dM}{d\lambda} + \dots

    with Legendre polynomials :math:`P_0 ... P_n`, a change s of the variance of the line-spread
    function (the first term of a Gaussian convolution; rotation acts alike), a velocity v, and
    Gaussian priors on all of them.

    Args:
        continuum_degree: Degree of the multiplicative polynomial; ``None`` for none.
        continuum_sigma: Prior standard deviation of each coefficient.
        broadening_sigma: Prior standard deviation of s in Angstrom^2; ``None`` for none.
        velocity_sigma: Prior standard deviation of the residual velocity in km/s; ``None`` for
            no velocity.

    Raises:
        ConfigError: If a width is not positive or the degree negative.

    References:
        Koleva et al. 2009, A&A 501, 1269 (ULySS), for the multiplicative polynomial.
    """

    continuum_degree: int | None = 10
    continuum_sigma: float = 0.05
    broadening_sigma: float | None = None
    velocity_sigma: float | None = 20.0

    def __post_init__(self) -> None:
        widths = (self.continuum_sigma, self.broadening_sigma, self.velocity_sigma)
        if any(width is not None and width <= 0 for width in widths):
            raise ConfigError(f"metric.nuisance: every sigma must be positive, got {self}")
        if self.continuum_degree is not None and self.continuum_degree < 0:
            raise ConfigError(
                f"metric.nuisance: continuum_degree={self.continuum_degree} must not be negative; "
                "null is no continuum"
            )

    @classmethod
    def none(cls) -> "Nuisance":
        """No nuisance at all."""
        return cls(continuum_degree=None, broadening_sigma=None, velocity_sigma=None)

    @property
    def sigma(self) -> list[float]:
        """Prior standard deviations, the velocity last."""
        n_continuum = 0 if self.continuum_degree is None else self.continuum_degree + 1
        others = [self.broadening_sigma, self.velocity_sigma]
        return [self.continuum_sigma] * n_continuum + [each for each in others if each is not None]

    def columns(
        self, wave: Float[Tensor, " pix"], model: Float[Tensor, "star pix"]
    ) -> Float[Tensor, "star pix nuisance"]:
        """Change of the spectrum per unit of each nuisance.

        Args:
            wave: Wavelength in Angstrom.
            model: Model spectrum of each star, near enough to the truth to take shapes from.

        Returns:
            One column per nuisance.
        """
        continuum = model[:, :, None] * self._polynomials(wave, model)
        return torch.cat([continuum, *(each[:, :, None] for each in self._bends(wave, model))], 2)

    def _polynomials(self, wave: Float[Tensor, " pix"], like: Tensor) -> Float[Tensor, "pix order"]:
        """What the continuum is made of."""
        if self.continuum_degree is None:
            return like.new_zeros(len(wave), 0)
        return legendre(wave, self.continuum_degree).to(like)

    def _continuum_gram(
        self, weight: Float[Tensor, "star pix"], wave: Float[Tensor, " pix"]
    ) -> Float[Tensor, "star order order"]:
        """Weighted sums of products of what the continuum is made of."""
        if self.continuum_degree is None:
            return weight.new_zeros(len(weight), 0, 0)
        return legendre_gram(weight, wave, self.continuum_degree)

    def _bends(
        self, wave: Float[Tensor, " pix"], model: Float[Tensor, "star pix"]
    ) -> list[Float[Tensor, "star pix"]]:
        """Change of the spectrum by the other nuisances, the velocity last."""
        if self.broadening_sigma is None and self.velocity_sigma is None:
            return []
        bends, wave = [], wave.to(model)
        slope = torch.gradient(model, spacing=(wave,), dim=1)[0]
        if self.broadening_sigma is not None:
            bends.append(torch.gradient(slope, spacing=(wave,), dim=1)[0] / 2)
        if self.velocity_sigma is not None:
            bends.append(slope * (-wave / SPEED_OF_LIGHT))
        return bends

    def posterior_mean(
        self,
        wave: Float[Tensor, " pix"],
        model: Float[Tensor, "star pix"],
        weight: Float[Tensor, "star pix"],
        flux: Float[Tensor, "star pix"],
    ) -> Float[Tensor, "star nuisance"]:
        r"""Most probable nuisances of spectra with known models.

        With the columns T of :meth:`columns` and W the weights, :math:`(T^T W T +
        \Lambda^{-1})^{-1} T^T W (L - M)`. The continuum's columns are the model times polynomials
        that all stars share, so its sums over the pixels are matrix products.

        Args:
            wave: Wavelength in Angstrom.
            model: Model spectra.
            weight: Inverse variance of every pixel, 0 for a bad one.
            flux: Observed spectra.

        Returns:
            Polynomial coefficients, then the velocity in km/s.
        """
        polynomials, bends = self._polynomials(wave, model), self._bends(wave, model)
        residual, of_model = flux - model, weight * model
        normal = self._continuum_gram(of_model * model, wave)
        right = (of_model * residual) @ polynomials
        for number, bend in enumerate(bends):
            weighted = weight * bend
            beside = [(weighted * other).sum(dim=1) for other in bends[: number + 1]]
            row = torch.cat([(weighted * model) @ polynomials, torch.stack(beside, dim=1)], dim=1)
            normal = torch.cat([normal, row[:, None, :-1]], dim=1)
            normal = torch.cat([normal, row[:, :, None]], dim=2)
            right = torch.cat([right, (weighted * residual).sum(dim=1)[:, None]], dim=1)
        prior = torch.tensor(self.sigma, dtype=torch.float64, device=model.device).pow(-2).diag()
        solved = torch.linalg.solve(normal.double() + prior, right.double()[:, :, None])
        return solved[:, :, 0].to(model.dtype)

    def continuum(
        self, wave: Float[Tensor, " pix"], nuisances: Float[Tensor, "star nuisance"]
    ) -> Float[Tensor, "star pix"]:
        """The factor of the continuum, 1 and the polynomials.

        Args:
            wave: Wavelength in Angstrom.
            nuisances: As :meth:`posterior_mean` gives them.
        """
        polynomials = self._polynomials(wave, nuisances)
        return 1 + nuisances[:, : polynomials.shape[1]] @ polynomials.mT
