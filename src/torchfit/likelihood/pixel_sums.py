"""Sums over the pixels of spectra, made once; afterwards there are only components."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchfit.emulator.flux_pca import gram


class FormAtZero(NamedTuple):
    """A quadratic form :math:`c - 2 v^T f + f^T P f` of the coefficients of each star."""

    precision: Float[Tensor, "star comp comp"]
    linear: Float[Tensor, "star comp"]
    constant: Float[Tensor, " star"]


class PixelSums:
    r"""The sums over pixels that weigh residuals of a few stars.

    With basis B, weights W, residuals y from the mean spectrum and nuisance columns T of prior
    :math:`c \sim N(0, \Lambda)`: :math:`A = B^T W B`, :math:`C = B^T W T`,
    :math:`D = T^T W T + \Lambda^{-1}`.

    Args:
        basis: Components.
        weight: Weight of every pixel, 0 for a bad one.
        y: Flux minus mean spectrum, 0 where the weight is.
        columns: Nuisance columns; none for none.
        sigma: Prior standard deviation of each nuisance.
    """

    def __init__(
        self,
        basis: Float[Tensor, "pix comp"],
        weight: Float[Tensor, "star pix"],
        y: Float[Tensor, "star pix"],
        columns: Float[Tensor, "star pix nuisance"],
        sigma: list[float],
    ) -> None:
        self.basis, self.weight, self.y, self.columns = basis, weight, y, columns
        self.information = gram(weight, basis)
        self.prior = torch.tensor(sigma, dtype=y.dtype, device=y.device).pow(-2).diag()

    def drop(self, outlier: Bool[Tensor, "star pix"]) -> None:
        """Give some pixels no weight.

        Args:
            outlier: Pixels to drop; the fewer, the cheaper.
        """
        place = _places(outlier)
        taken = torch.where(outlier, self.weight, 0.0).gather(1, place)
        rows = self.basis[place]
        self.information = self.information - (rows * taken[:, :, None]).mT @ rows
        self.weight = torch.where(outlier, 0.0, self.weight)
        self.y = torch.where(outlier, 0.0, self.y)

    def plain(self) -> FormAtZero:
        """The form without nuisances."""
        pull = (self.weight * self.y) @ self.basis
        return FormAtZero(self.information, pull, (self.weight * self.y.square()).sum(dim=1))

    def form(self) -> FormAtZero:
        r"""The form with the nuisances integrated out.

        :math:`A' = A - C D^{-1} C^T`, :math:`b' = b - C D^{-1} e`, :math:`c' = c - e^T D^{-1} e`
        with :math:`b = B^T W y`, :math:`e = T^T W y`.
        """
        form = self.plain()
        if self.columns.shape[2] == 0:
            return form
        return marginalise_nuisances(form, *self._nuisance_terms(self.y))

    def residual(
        self, centre: Float[Tensor, "star comp"], factor: Float[Tensor, "star comp comp"]
    ) -> Float[Tensor, "star pix"]:
        r"""What is left of the spectra beside coefficients near some and nuisances.

        Args:
            centre: Prior mean of the coefficients.
            factor: Lower Cholesky factor L of their prior covariance.

        Returns:
            :math:`\sqrt{W}\,(y - B \hat f - T \hat c)` at the most probable coefficients and
            nuisances; 0 where the weight is.
        """
        information, pull, _ = self.form()
        from_centre = pull - (information @ centre[:, :, None])[:, :, 0]
        eye = torch.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device)
        inner = torch.linalg.cholesky(eye + factor.mT @ information @ factor)
        shift = factor @ torch.cholesky_solve(factor.mT @ from_centre[:, :, None], inner)
        left = self.y - (centre + shift[:, :, 0]) @ self.basis.mT
        left = torch.where(self.weight > 0, left, 0.0)
        if self.columns.shape[2]:
            root, _, own = self._nuisance_terms(left)
            left = left - (self.columns @ torch.cholesky_solve(own, root))[:, :, 0]
        return self.weight.sqrt() * left

    def _nuisance_terms(self, y: Float[Tensor, "star pix"]) -> tuple[Tensor, Tensor, Tensor]:
        """Cholesky factor of D, C, and :math:`T^T W y`."""
        weighted = self.weight[:, :, None] * self.columns
        factor = torch.linalg.cholesky(weighted.mT @ self.columns + self.prior)
        return factor, self.basis.mT @ weighted, weighted.mT @ y[:, :, None]


def _places(chosen: Bool[Tensor, "star pix"]) -> Tensor:
    """Places of the chosen pixels of each star, filled up with pixels that are not chosen."""
    most = int(chosen.sum(dim=1).max())
    return chosen.to(torch.uint8).topk(most, dim=1).indices


def marginalise_nuisances(
    form: FormAtZero,
    factor: Float[Tensor, "star nuisance nuisance"],
    cross: Float[Tensor, "star comp nuisance"],
    own: Float[Tensor, "star nuisance 1"],
) -> FormAtZero:
    r"""Integrate over nuisances: :math:`A' = A - C D^{-1} C^T` and so on.

    Args:
        form: A, b and c of each star.
        factor: Lower Cholesky factor of D.
        cross: C.
        own: e.

    Returns:
        :math:`A'`, :math:`b' = b - C D^{-1} e` and :math:`c' = c - e^T D^{-1} e`.
    """
    information, pull, constant = form
    half_cross = torch.linalg.solve_triangular(factor, cross.mT, upper=False)
    half_pull = torch.linalg.solve_triangular(factor, own, upper=False)
    return FormAtZero(
        information - half_cross.mT @ half_cross,
        pull - (half_cross.mT @ half_pull)[:, :, 0],
        constant - half_pull.square().sum(dim=(1, 2)),
    )


def marginalise_emulator(form: FormAtZero, factor: Float[Tensor, "star comp comp"]) -> FormAtZero:
    r"""Integrate over the emulator's own error, :math:`r \sim N(0, \Sigma)`.

    With :math:`\Sigma = L L^T`, :math:`S = L^T A L` and :math:`R = (I + S)^{-1}`:
    :math:`P = L^{-T} (I - R) L^{-1}`, :math:`v = L^{-T} R L^T b`,
    :math:`c' = c - b^T L R L^T b`. Nothing is divided by A, so a star with few good pixels is no
    special case.

    Args:
        form: A, b and c of each star.
        factor: Lower Cholesky factor L.

    Returns:
        P, v and c'.
    """
    information, pull, constant = form
    eye = torch.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device)
    inner = torch.linalg.cholesky(eye + factor.mT @ information @ factor)
    shrink = torch.cholesky_inverse(inner)
    white_pull = factor.mT @ pull[:, :, None]
    inverse = torch.linalg.solve_triangular(factor, eye.expand_as(factor), upper=False)
    precision = inverse.mT @ (eye - shrink) @ inverse
    linear = (inverse.mT @ (shrink @ white_pull))[:, :, 0]
    constant = constant - (white_pull.mT @ shrink @ white_pull)[:, 0, 0]
    return FormAtZero((precision + precision.mT) / 2, linear, constant)
