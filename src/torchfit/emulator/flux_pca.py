"""Principal components of the library's normalised flux, with masked pixels left out."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchfit.emulator.components import find_components, follow_components
from torchfit.emulator.projection import STARS_AT_ONCE, MaskedProjection
from torchfit.exceptions import DataError
from torchfit.spectra import Spectra, slices

AT_REST = 1e-5
"""Change of filled flux that is none."""
MOST_PAIRED = 80
"""Components whose products, of all pairs, are kept at once: 130 MB on a grid of 5000 pixels."""
BAND = 48
"""Rows of a symmetric product that are computed at once."""


@dataclass(frozen=True)
class FluxPCA:
    r"""A linear model of normalised flux, :math:`F \approx \mu + B f`.

    Args:
        mean: Mean spectrum :math:`\mu`; 0 where no template has a good pixel.
        basis: Orthonormal components :math:`B`; rows are 0 where no template has a good pixel.
        good: Pixels the model knows.
    """

    mean: Float[Tensor, " pix"]
    basis: Float[Tensor, "pix comp"]
    good: Bool[Tensor, " pix"]

    def reconstruct(self, coefficients: Float[Tensor, "*star comp"]) -> Float[Tensor, "*star pix"]:
        r"""Flux of given coefficients, :math:`\mu + B f`; 0 where the model knows nothing."""
        return self.mean + coefficients @ self.basis.mT

    def project(self, spectra: Spectra) -> Float[Tensor, "star comp"]:
        r"""Coefficients by least squares over the good pixels.

        Solves :math:`B^T W B f = B^T W (L - \mu)` with W = 1 in good pixels and 0 elsewhere.

        Args:
            spectra: Normalised spectra on the model's grid.

        Returns:
            Coefficients. A direction that the good pixels do not constrain gets nearly 0.
        """
        projection = MaskedProjection(self.basis)
        coefficients = spectra.flux.new_zeros(len(spectra), self.basis.shape[1])
        n_bad = torch.cat([(self.good & ~some.good).sum(dim=1) for some in _in_turn(spectra)])
        for piece in projection.pieces(n_bad):
            some = spectra[piece]
            residual = torch.where(some.good & self.good, some.flux - self.mean, 0.0)
            coefficients[piece] = projection.solve(residual, self.good & ~some.good)
        return coefficients

    def residual(self, spectra: Spectra) -> Float[Tensor, "star pix"]:
        """What the components cannot follow; 0 in bad pixels."""
        good = spectra.good & self.good
        return torch.where(good, spectra.flux - self.reconstruct(self.project(spectra)), 0.0)

    def excess_noise(
        self, spectra: Spectra, truncation: Float[Tensor, "star pix"]
    ) -> Float[Tensor, " star"]:
        r"""Noise variance of spectra that come without errors.

        What the components cannot follow, beyond what they could not follow in the library:
        :math:`\sum_p [r_p^2 n/(n-k) - t_p] / n`, not below a relative noise of 1e-3, with r the
        residual of the projection, t the truncation, n good pixels and k components.

        Args:
            spectra: Normalised spectra.
            truncation: Variance of the library's residuals for stars like these.

        Returns:
            One variance per star, from sums in double precision.
        """
        spectra = spectra.to(torch.float64)
        good = spectra.good & self.good
        n_good = good.sum(dim=1)
        freedom = (n_good - self.basis.shape[1]).clamp_min(1)
        left_out = (good * truncation).sum(dim=1) / n_good.clamp_min(1)
        square = self.residual(spectra).square().sum(dim=1)
        return (square / freedom - left_out).clamp_min(1e-6)


def gram(
    weight: Float[Tensor, "star pix"], basis: Float[Tensor, "pix comp"]
) -> Float[Tensor, "star comp comp"]:
    r"""Weighted Gram matrices :math:`B^T W_s B` of all stars.

    By one matrix product with the products of all pairs of components, while these are few enough
    to be kept; else star by star.

    Args:
        weight: Weight of every pixel of every star.
        basis: Components.

    Returns:
        One symmetric matrix per star.
    """
    n_comp = basis.shape[1]
    if n_comp > MOST_PAIRED:
        return torch.stack([_gram_of_one(own, basis) for own in weight])
    row, column = torch.tril_indices(n_comp, n_comp, device=basis.device)
    packed = weight @ (basis[:, row] * basis[:, column])
    full = packed.new_zeros(len(weight), n_comp, n_comp)
    full[:, row, column] = packed
    full[:, column, row] = packed
    return full


def _gram_of_one(
    weight: Float[Tensor, " pix"], basis: Float[Tensor, "pix comp"]
) -> Float[Tensor, "comp comp"]:
    """A weighted Gram matrix, of which one triangle is computed, a band of rows at a time."""
    n_comp, weighted = basis.shape[1], basis * weight[:, None]
    full = weighted.new_empty(n_comp, n_comp)
    for low in range(0, n_comp, BAND):
        band = slice(low, min(low + BAND, n_comp))
        full[band, : band.stop] = weighted[:, band].mT @ basis[:, : band.stop]
        full[:low, band] = full[band, :low].mT
    return full


def fit_flux_pca(
    spectra: Spectra, variance: float, max_comp: int | None = None, n_iterations: int = 10
) -> FluxPCA:
    """Find the components that hold a share of the library's variance.

    Pixels that no template has are left out. A pixel masked in some templates is filled with the
    model's own value and the components are found again, ``n_iterations`` times, or until no
    filled value changes by 1e-5. In a library of more than 500 stars the later rounds are steps of
    a subspace iteration (:func:`torchfit.emulator.components.follow_components`).

    Args:
        spectra: Normalised spectra of the library.
        variance: Share of the variance to keep, in (0, 1]; the paper keeps 0.95.
        max_comp: Most components to keep; ``None`` for no limit.
        n_iterations: Rounds of filling; no round is needed when nothing is masked.

    Returns:
        The flux PCA, with each component's largest element positive.

    Raises:
        DataError: If the library has no pixel in common.
    """
    known = spectra.good.any(dim=0)
    if not known.any():
        raise DataError("no pixel of the grid is good in any library spectrum; check preprocess")
    good, filled = spectra.good[:, known], spectra.flux[:, known]
    mean = (filled * good).sum(dim=0) / good.sum(dim=0)
    filled = torch.where(good, filled, mean)
    mean = filled.mean(dim=0)
    components = find_components(filled - mean, variance, max_comp)
    for _ in range(1, n_iterations):
        if _fill(filled, good, mean, components.basis) < AT_REST:
            break
        mean = filled.mean(dim=0)
        components = follow_components(filled - mean, components, variance, max_comp)
    return FluxPCA(_spread(mean, known), _spread(components.basis, known), known)


def _fill(
    filled: Float[Tensor, "template pix"],
    good: Bool[Tensor, "template pix"],
    mean: Float[Tensor, " pix"],
    basis: Float[Tensor, "pix comp"],
) -> float:
    """Give bad pixels the model's value, in place; return the largest change."""
    change, masked = 0.0, (~good.all(dim=1)).nonzero()[:, 0]
    for piece in masked.split(STARS_AT_ONCE) if len(masked) else ():
        before = filled[piece]
        model = mean + (before - mean) @ basis @ basis.mT
        filled[piece] = torch.where(good[piece], before, model)
        change = max(change, float((filled[piece] - before).abs().max()))
    return change


def _in_turn(spectra: Spectra) -> list[Spectra]:
    """The same spectra, a few at a time."""
    return [spectra[piece] for piece in slices(len(spectra), STARS_AT_ONCE)]


def _spread(values: Tensor, known: Bool[Tensor, " pix"]) -> Tensor:
    """Put values of the known pixels back on the full grid, 0 elsewhere."""
    full = values.new_zeros(len(known), *values.shape[1:])
    full[known] = values
    return full
