"""CFI among flux components: the correlation of what the components hold of two spectra."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchfit.spectra import Spectra, slices

ROUNDS = 2
"""Rounds of filling bad pixels with what the components make of the good ones."""
AT_ONCE = 512


@dataclass(frozen=True)
class ComponentCFI:
    r"""Pearson correlation over all known pixels, from a few hundred numbers per spectrum.

    With :math:`L \approx \mu + B l` and columns taken from their mean over the pixels,
    :math:`\sum_p (L-\bar L)(T-\bar T) = [1, l]\, R R^T\, [1, t]^T` for the Cholesky factor R of the
    columns' Gram matrix: the rows :math:`h = [1, l] R`, brought to unit length, have the CFI as
    their product. What the components do not hold of the star, noise above all, lowers all its
    correlations alike, as it does among pixels.

    Args:
        mean: Mean spectrum.
        basis: Components; 0 in pixels that are not known.
        known: Known pixels.
        inverse: Least-squares coefficients of a spectrum without gaps, :math:`B (B^T B)^{-1}`.
        root: R.
        template: Unit rows of the templates.
    """

    mean: Float[Tensor, " pix"]
    basis: Float[Tensor, "pix comp"]
    known: Bool[Tensor, " pix"]
    inverse: Float[Tensor, "pix comp"]
    root: Float[Tensor, "row row"]
    template: Float[Tensor, "template row"]

    @classmethod
    def of(
        cls,
        mean: Float[Tensor, " pix"],
        basis: Float[Tensor, "pix comp"],
        known: Bool[Tensor, " pix"],
        template: Spectra,
    ) -> "ComponentCFI":
        """Prepare a library.

        Args:
            mean: Mean spectrum.
            basis: Components, of any lengths and angles; 0 in pixels that are not known.
            known: Known pixels.
            template: Normalised library spectra.

        Returns:
            The prepared matching, in single precision.
        """
        columns = torch.cat([mean[:, None], basis], dim=1)[known]
        columns = columns - columns.mean(dim=0)
        gram = columns.mT @ columns
        gram.diagonal().add_(1e-10 * gram.diagonal().mean())
        inverse = basis @ torch.linalg.inv(basis.mT @ basis)
        empty = cls(
            mean.float(), basis.float(), known, inverse.float(),
            torch.linalg.cholesky(gram).float(), mean.new_zeros(0, len(gram)).float(),
        )  # fmt: skip
        rows = [empty.rows(template[piece])[0] for piece in slices(len(template), AT_ONCE)]
        return cls(empty.mean, empty.basis, known, empty.inverse, empty.root, torch.cat(rows))

    def correlate(self, star: Spectra) -> Float[Tensor, "star template"]:
        """Correlation of every star with every template.

        Args:
            star: Normalised survey spectra on the same grid.

        Returns:
            Correlation in [-1, 1]; -1 for a star without a good pixel.
        """
        rows, held = self.rows(star)
        usable = (star.good & self.known).any(dim=1)
        cfi = (rows @ self.template.mT).mul_(held[:, None]).clamp_(-1, 1)
        return cfi.masked_fill_(~usable[:, None], -1.0)

    def rows(self, spectra: Spectra) -> tuple[Float[Tensor, "star row"], Float[Tensor, " star"]]:
        """Unit rows of spectra, and the share of their variation that the components hold.

        Args:
            spectra: Normalised spectra.

        Returns:
            Rows h, and the square root of the share.
        """
        good = spectra.good & self.known
        y = (spectra.flux.float() - self.mean).masked_fill_(~good, 0.0)
        filled, model = y, torch.zeros_like(y)
        for _ in range(ROUNDS):
            model = (filled @ self.inverse) @ self.basis.mT
            filled = torch.where(good, y, model)
        coefficients = filled @ self.inverse
        rows = torch.cat([torch.ones_like(y[:, :1]), coefficients], dim=1) @ self.root
        length2 = rows.square().sum(dim=1)
        left = (y - model).masked_fill_(~good, 0.0).square().sum(dim=1)
        left = left * self.known.sum() / good.sum(dim=1, dtype=torch.int32).clamp_min(1)
        unit = rows / length2.clamp_min(1e-30).sqrt()[:, None]
        return unit, (length2 / (length2 + left).clamp_min(1e-30)).sqrt()
