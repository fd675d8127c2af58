"""Sums over the pixels of all exposures of a star."""

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.emulator.flux_pca import gram
from torchfit.likelihood.pixel_sums import FormAtZero, marginalise_nuisances


class JointSums:
    r"""The sums that weigh residuals of stars of equally many exposures.

    Exposure e of a star is :math:`y_e = B f + t + T c_e + n_e`: what the components leave out of
    the star, :math:`t \sim N(0, \tau)`, is the same in all its exposures; nuisances
    :math:`c_e \sim N(0, \Lambda)` and noise :math:`n_e \sim N(0, 1/w_e)` are not. Without t, two
    vectors of pixels and exposures have, pixel by pixel, by Sherman and Morrison the product

    .. math:: \langle u, v \rangle = \sum_e w_e u_e v_e
        - \kappa \left(\sum_e w_e u_e\right) \left(\sum_e w_e v_e\right), \quad
        \kappa = \frac{\tau}{1 + \tau W}, \quad W = \sum_e w_e,

    so that what all exposures have in common, as B f, weighs :math:`\omega = W / (1 + \tau W)`.

    Args:
        basis: Components.
        weight: Inverse variance w of the noise of every pixel, 0 for a bad one.
        truncation: Variance of what the components leave out.
        y: Flux minus mean spectrum, finite.
        columns: Nuisance columns T, the same for all exposures of a star; none for none.
        sigma: Prior standard deviation of each nuisance.
    """

    def __init__(
        self,
        basis: Float[Tensor, "pix comp"],
        weight: Float[Tensor, "star exposure pix"],
        truncation: Float[Tensor, "star pix"],
        y: Float[Tensor, "star exposure pix"],
        columns: Float[Tensor, "star pix nuisance"],
        sigma: list[float],
    ) -> None:
        self.basis, self.weight, self.columns = basis, weight, columns
        total = weight.sum(dim=1)
        self.share = 1 / (1 + truncation * total)
        self.common = total * self.share
        self.kappa = truncation * self.share
        self.mean = (weight * y).sum(dim=1) / torch.where(total > 0, total, 1.0)
        self.between = y - self.mean[:, None]
        self.prior = torch.tensor(sigma * weight.shape[1], dtype=y.dtype, device=y.device).pow(-2)

    def form(self) -> FormAtZero:
        """The form with nuisances and truncation integrated out.

        See :meth:`torchfit.likelihood.pixel_sums.PixelSums.form`.
        """
        form = self.plain()
        if self.columns.shape[2] == 0:
            return form
        return marginalise_nuisances(form, *self._nuisance_terms())

    def plain(self) -> FormAtZero:
        r"""The form without nuisances.

        :math:`\langle y, y \rangle = \sum_e w_e (y_e - \bar y)^2 + \omega \bar y^2` with the
        weighted mean :math:`\bar y`: no large numbers cancel.
        """
        pull = self.common * self.mean
        constant = (self.weight * self.between.square()).sum(dim=(1, 2))
        constant = constant + (pull * self.mean).sum(dim=1)
        return FormAtZero(gram(self.common, self.basis), pull @ self.basis, constant)

    def _nuisance_terms(self) -> tuple[Tensor, Tensor, Tensor]:
        r"""Cholesky factor of D, C, and e, of the nuisances of all exposures one after the other.

        :math:`D_{ee'} = \delta_{ee'} (T^T w_e T + \Lambda^{-1}) - T^T \kappa w_e w_{e'} T`.
        """
        columns = self.columns[:, None]
        weighted = self.weight[..., None] * columns
        beside = _flat(self.kappa[:, None, :, None].sqrt() * weighted)
        normal = self.prior.diag() - beside.mT @ beside
        n_nuisances = columns.shape[-1]
        for number, information in enumerate((weighted.mT @ columns).unbind(dim=1)):
            place = slice(number * n_nuisances, (number + 1) * n_nuisances)
            normal[:, place, place] += information
        cross = self.basis.mT @ _flat(self.share[:, None, :, None] * weighted)
        residual = self.between + (self.share * self.mean)[:, None]
        own = (weighted.mT @ residual[..., None]).flatten(1, 2)
        return torch.linalg.cholesky(normal), cross, own


def _flat(
    columns: Float[Tensor, "star exposure pix nuisance"],
) -> Float[Tensor, "star pix other"]:
    """Columns of all exposures side by side."""
    return columns.transpose(1, 2).flatten(2, 3)
