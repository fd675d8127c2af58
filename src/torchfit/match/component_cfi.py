"""CFI among flux components: the correlation of what the components hold of two spectra."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchfit.match.weights import WeightShapes, pixel_weights
from torchfit.spectra import Spectra, slices

ROUNDS = 2
"""Rounds of filling bad pixels with what the components make of the good ones."""
AT_ONCE = 512
THIN = 4
"""Of so many neighbouring pixels one is read to find the shape of a star's weights."""
LEAST = 1e-30


class ShapeMatrices(NamedTuple):
    r"""What stars whose weights have one shape share, in single precision.

    Args:
        weight: Weights W; 0 in pixels that are not known.
        inverse: :math:`(B^T W B)^{-1}`.
        gram: Weighted Gram matrix of mean and components about their weighted means.
    """

    weight: Float[Tensor, " pix"]
    inverse: Float[Tensor, "comp comp"]
    gram: Float[Tensor, "row row"]


@dataclass(frozen=True)
class StarShapes:
    """The shapes of the weights of some stars.

    Args:
        numbers: Numbers of the shapes that occur, increasing.
        own: Their matrices.
        place: Which of them each star has.
    """

    numbers: Sequence[int]
    own: Sequence[ShapeMatrices]
    place: Int[Tensor, " star"]

    @property
    def weight(self) -> Float[Tensor, "star pix"]:
        """Weights of every star."""
        return torch.stack([each.weight for each in self.own]).index_select(0, self.place)

    def times(
        self, rows: Float[Tensor, "star column"], matrices: Sequence[Float[Tensor, "column other"]]
    ) -> Float[Tensor, "star other"]:
        """Row of every star times the matrix of its shape.

        Args:
            rows: One row per star.
            matrices: One matrix per shape that occurs.
        """
        result = rows.new_empty(len(rows), matrices[0].shape[1])
        for number, matrix in enumerate(matrices):
            star = (self.place == number).nonzero()[:, 0]
            result[star] = rows.index_select(0, star) @ matrix
        return result


class HeldSpectra(NamedTuple):
    r"""What the components hold of spectra, :math:`L \approx \mu + B l`.

    Args:
        rows: Rows :math:`h = [1, l]`.
        along: The same times the Gram matrix of each star's shape, h G.
        share: Share of the weighted variation that the components hold.
        shapes: Shapes of the weights.
    """

    rows: Float[Tensor, "star row"]
    along: Float[Tensor, "star row"]
    share: Float[Tensor, " star"]
    shapes: StarShapes


class ComponentCFI:
    r"""Weighted Pearson correlation over all known pixels, from a few hundred numbers per spectrum.

    With :math:`L \approx \mu + B l`, l by weighted least squares, and the Gram matrix G of the
    columns :math:`[\mu, B]` about their means, weighted as the star is,

    .. math:: \sum_p w_p (L_p-\bar L)(T_p-\bar T) = [1, l]\, G\, [1, t]^T.

    A star's weights are those of the nearest of a few shapes
    (:class:`torchfit.match.weights.WeightShapes`), so that G, and the length of the templates under
    it, are computed once for all stars of a shape. What the components do not hold of the star,
    noise above all, lowers all its correlations alike, as it does among pixels.

    Args:
        mean: Mean spectrum.
        basis: Components, of any lengths and angles; 0 in pixels that are not known.
        known: Known pixels.
        template: Normalised library spectra.
        scatter: Model scatter of the weights, see :func:`torchfit.match.weights.pixel_weights`;
            ``None`` weighs all good pixels alike.
    """

    def __init__(
        self,
        mean: Float[Tensor, " pix"],
        basis: Float[Tensor, "pix comp"],
        known: Bool[Tensor, " pix"],
        template: Spectra,
        scatter: float | None = None,
    ) -> None:
        self.mean, self.basis, self.known = mean.float(), basis.float(), known
        self.scatter, self.wave_shapes = scatter, WeightShapes.on(template.wave)
        self.thin_shapes = WeightShapes.on(template.wave[::THIN])
        self._columns = torch.cat([mean[:, None], basis], dim=1)
        self._matrices: dict[int, ShapeMatrices] = {}
        self._lengths: dict[int, Float[Tensor, " template"]] = {}
        pieces = [template[piece] for piece in slices(len(template), AT_ONCE)]
        self.template = torch.cat([self.hold(piece).rows for piece in pieces])

    def correlate(self, star: Spectra) -> Float[Tensor, "star template"]:
        """Correlation of every star with every template.

        Args:
            star: Normalised survey spectra on the same grid.

        Returns:
            Correlation in [-1, 1]; -1 for a star without a good pixel.
        """
        rows, along, share, shapes = self.hold(star)
        length2 = (along * rows).sum(dim=1).clamp_min(LEAST)
        usable = (star.good & self.known).any(dim=1)
        order = shapes.place.argsort(stable=True)
        cfi = (along * (share / length2).sqrt()[:, None])[order] @ self.template.mT
        sizes = shapes.place.bincount(minlength=len(shapes.own)).tolist()
        for number, piece in zip(shapes.numbers, cfi.split(sizes), strict=True):
            piece.div_(self._length(number))
        highest = torch.where(usable, 1.0, -1.0)[:, None]  # A mask would cost ten times as much.
        return torch.minimum(cfi.index_select(0, order.argsort()), highest).clamp_min_(-1)

    def hold(self, spectra: Spectra) -> HeldSpectra:
        """What the components hold of spectra.

        Args:
            spectra: Normalised spectra.

        Returns:
            Their coefficients, with the share of their variation that is in them.
        """
        good = spectra.good & self.known
        shapes = self._shapes_of(spectra)
        weight, inverses = shapes.weight, [each.inverse for each in shapes.own]
        share = good.float()  # Products are faster than masks.
        y = (spectra.flux.float() - self.mean).mul_(share)
        filled, model = y, torch.zeros_like(y)
        for _ in range(ROUNDS):
            model = shapes.times((filled * weight) @ self.basis, inverses) @ self.basis.mT
            filled = torch.lerp(model, y, share)
        held = shapes.times((filled * weight) @ self.basis, inverses)
        rows = torch.cat([torch.ones_like(y[:, :1]), held], dim=1)
        along = shapes.times(rows, [each.gram for each in shapes.own])
        counted = weight * share
        left = ((y - model).square_() * counted).sum(dim=1)
        left = left * weight.sum(dim=1) / counted.sum(dim=1).clamp_min(LEAST)
        length2 = (along * rows).sum(dim=1).clamp_min(0)
        return HeldSpectra(rows, along, length2 / (length2 + left).clamp_min(LEAST), shapes)

    def _shapes_of(self, spectra: Spectra) -> StarShapes:
        """Shapes of the weights of spectra, with their matrices."""
        if self.scatter is None:
            number = torch.zeros_like(spectra.has_ivar).long() + self.wave_shapes.flat
        else:
            wave, flux, ivar = (
                getattr(spectra, name)[..., ::THIN] for name in ("wave", "flux", "ivar")
            )
            thin = pixel_weights(Spectra(wave, flux, ivar, spectra.has_ivar), self.scatter)
            number = self.thin_shapes.nearest(thin.masked_fill_(~self.known[::THIN], 0.0))
        numbers, place = number.unique(return_inverse=True)
        own = [self._of_shape(each) for each in numbers.tolist()]
        return StarShapes(numbers.tolist(), own, place)

    def _of_shape(self, number: int) -> ShapeMatrices:
        """The matrices of a shape, computed at its first use."""
        if number not in self._matrices:
            weight = self.wave_shapes.weight(number).masked_fill(~self.known, 0.0)
            share = weight / weight.sum()
            columns = self._columns * weight.sqrt()[:, None]
            about_zero = columns.mT @ columns
            centre = share @ self._columns
            gram = about_zero - weight.sum() * centre[:, None] * centre
            inverse = torch.linalg.inv(about_zero[1:, 1:])
            self._matrices[number] = ShapeMatrices(weight.float(), inverse.float(), gram.float())
        return self._matrices[number]

    def _length(self, number: int) -> Float[Tensor, " template"]:
        """Lengths of the templates under a shape, computed at its first use."""
        if number not in self._lengths:
            gram = self._of_shape(number).gram
            length2 = ((self.template @ gram) * self.template).sum(dim=1)
            self._lengths[number] = length2.clamp_min(LEAST).sqrt()
        return self._lengths[number]
