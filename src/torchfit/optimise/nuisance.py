"""Nuisances of a spectrum linear in small numbers: continuum, line width and velocity."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

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

    References:
        Koleva et al. 2009, A&A 501, 1269 (ULySS), for the multiplicative polynomial.
    """

    continuum_degree: int | None = None
    continuum_sigma: float = 0.1
    broadening_sigma: float | None = None
    velocity_sigma: float | None = None

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
        columns = []
        if self.continuum_degree is not None:
            columns.append(model[:, :, None] * legendre(wave, self.continuum_degree))
        slope = torch.gradient(model, spacing=(wave,), dim=1)[0]
        if self.broadening_sigma is not None:
            columns.append(torch.gradient(slope, spacing=(wave,), dim=1)[0][:, :, None] / 2)
        if self.velocity_sigma is not None:
            columns.append((-wave / SPEED_OF_LIGHT * slope)[:, :, None])
        if not columns:
            return model.new_zeros(*model.shape, 0)
        return torch.cat(columns, dim=2)

    def posterior_mean(
        self,
        wave: Float[Tensor, " pix"],
        model: Float[Tensor, "star pix"],
        weight: Float[Tensor, "star pix"],
        flux: Float[Tensor, "star pix"],
    ) -> Float[Tensor, "star nuisance"]:
        """Most probable nuisances of spectra with known models.

        Args:
            wave: Wavelength in Angstrom.
            model: Model spectra.
            weight: Inverse variance of every pixel, 0 where it has no say.
            flux: Observed spectra.

        Returns:
            Polynomial coefficients, then the velocity in km/s.
        """
        columns = self.columns(wave, model)
        weighted = weight[:, :, None] * columns
        prior = torch.tensor(self.sigma, dtype=model.dtype, device=model.device).pow(-2).diag()
        residual = torch.where(weight > 0, flux - model, 0.0)
        normal = weighted.mT @ columns + prior
        return torch.linalg.solve(normal, weighted.mT @ residual[:, :, None])[:, :, 0]


def legendre(wave: Float[Tensor, " pix"], degree: int) -> Float[Tensor, "pix order"]:
    r"""Legendre polynomials over the range of ``wave``.

    By Bonnet's recursion, :math:`(n+1)P_{n+1} = (2n+1)xP_n - nP_{n-1}`.

    Args:
        wave: Wavelengths.
        degree: Highest degree.

    Returns:
        :math:`P_0 ... P_{degree}` as columns.
    """
    x = 2 * (wave - wave[0]) / (wave[-1] - wave[0]) - 1
    terms = [torch.ones_like(x), x]
    for n in range(1, degree):
        terms.append(((2 * n + 1) * x * terms[n] - n * terms[n - 1]) / (n + 1))
    return torch.stack(terms[: degree + 1], dim=1)
