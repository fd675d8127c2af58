"""Masked, weighted cross-correlation of spectra and templates by batched Fourier transforms."""

from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor

_ROUNDING = 1e-12
"""Variance over the mean square that is none."""
_LEAST = 0.5
"""Share of the pixels in common at the best shift that every shift must have."""
Blocks = Complex[Tensor, "freq block column"]


@dataclass(frozen=True)
class Correlation:
    r"""Weighted correlation of every spectrum with every template at every shift.

    Args:
        coefficient: Pearson's r in [-1, 1]; -1 where a pair has nothing in common.
        scatter: Weighted sum of squares of the spectrum about its mean over the pixels that count,
            :math:`S`; the best amplitude of the template leaves :math:`\chi^2 = S (1 - r^2)`.
        n_good: Number of pixels that count.
    """

    coefficient: Float[Tensor, "star template shift"]
    scatter: Float[Tensor, "star shift"]
    n_good: Float[Tensor, "star shift"]


class Correlator:
    r"""Correlates spectra with templates that share one mask.

    A shift s brings pixel p - s of a template to pixel p of a spectrum. With weights w of the
    spectrum and the mask m of the templates all sums over the pixels that both have, such as

    .. math::
        \sum_p w_p f_p\, m_{p-s} T_{p-s}, \quad \sum_p w_p\, m_{p-s} T_{p-s}^2, \quad
        \sum_p w_p f_p^2\, m_{p-s},

    are cross-correlations. Means, variances and covariance follow from six of them, as if every
    shift had been masked by itself.

    Only shifts of a few dozen pixels are wanted: the spectrum is cut into blocks, each transformed
    with as many pixels more of the template to both sides (overlap-save), and the products of all
    blocks are added before they are transformed back.

    Args:
        depth: Templates, flux less the continuum.
        good: Pixels that the templates have.
        max_shift: Largest shift in pixels, to both sides.

    References:
        Padfield 2012, IEEE Trans. Image Process. 21, 2706 (masked correlation by transforms);
        Zucker 2003, MNRAS 342, 1291 (its likelihood).
    """

    def __init__(self, depth: Float[Tensor, "template pix"], good: Tensor, max_shift: int) -> None:
        self.max_shift = max_shift
        self.length = 1 << (4 * max_shift - 1).bit_length()
        self.block = self.length - 2 * max_shift
        self.n_templates, self.n_pix = depth.shape
        mask = good.to(depth)
        rows = torch.cat([mask[None], depth * mask, depth.square() * mask])
        self._templates = self._of_templates(rows)

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return -(-self.n_pix // self.block)

    def correlate(
        self, depth: Float[Tensor, "star pix"], weight: Float[Tensor, "star pix"]
    ) -> Correlation:
        """Correlate spectra with all templates.

        Args:
            depth: Spectra, flux less the continuum, finite.
            weight: Weight of every pixel; 0 for one that has none.

        Returns:
            The correlation, by increasing shift.
        """
        n, weighted = self.n_templates, weight * depth
        good = (weight > 0).to(weight)
        of_good, of_weight, of_flux, of_square = (
            self._transform(row) for row in (good, weight, weighted, weighted * depth)
        )
        n_good = self._sums(of_good, 0, 1)[:, 0]
        total, mean_t, square_t = self._sums(of_weight, 0, 1 + 2 * n).split([1, n, n], dim=1)
        mean_f, product = self._sums(of_flux, 0, 1 + n).split([1, n], dim=1)
        square_f = self._sums(of_square, 0, 1)
        # Few pixels agree with anything: a shift that takes them out of sight is no candidate.
        enough = n_good > (_LEAST * n_good.amax(dim=1, keepdim=True)).clamp_min(1.5)
        total = torch.where(enough[:, None], total, torch.inf)
        variance_f = square_f - mean_f.square() / total
        variance_t = square_t - mean_t.square() / total
        covariance = product - mean_f * mean_t / total
        varies = (variance_f > _ROUNDING * square_f) & (variance_t > _ROUNDING * square_t)
        varies = varies & total.isfinite()
        norm = torch.where(varies, variance_f * variance_t, 1.0).sqrt()
        coefficient = torch.where(varies, covariance / norm, -1.0).clamp(-1, 1)
        return Correlation(coefficient, variance_f[:, 0], n_good)

    def _sums(self, spectra: Tensor, first: int, last: int) -> Float[Tensor, "star row shift"]:
        """Cross-correlations with some rows of the templates."""
        product = (spectra @ self._templates[:, :, first:last]).permute(1, 2, 0).contiguous()
        return torch.fft.irfft(product, self.length)[..., : 2 * self.max_shift + 1]

    def _transform(self, rows: Float[Tensor, "star pix"]) -> Complex[Tensor, "freq star block"]:
        """Blocks of spectra."""
        padded = torch.nn.functional.pad(rows, (0, self.n_blocks * self.block - self.n_pix))
        blocks = padded.reshape(len(rows), self.n_blocks, self.block)
        # At the end of the transform, so that its first element is the lowest shift.
        blocks = torch.nn.functional.pad(blocks, (2 * self.max_shift, 0))
        return torch.fft.rfft(blocks).permute(2, 0, 1).contiguous()

    def _of_templates(self, rows: Float[Tensor, "row pix"]) -> Blocks:
        """Blocks of templates, each with as many pixels more to both sides as it may shift."""
        missing = self.n_blocks * self.block - self.n_pix
        padded = torch.nn.functional.pad(rows, (self.max_shift, self.max_shift + missing))
        blocks = padded.unfold(1, self.length, self.block)
        return torch.fft.rfft(blocks).conj().resolve_conj().permute(2, 1, 0).contiguous()
