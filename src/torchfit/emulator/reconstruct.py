"""The continuum of a noisy spectrum: the running median of it without its noise."""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchfit.emulator.flux_pca import gram
from torchfit.preprocess.compose import Preprocessor
from torchfit.preprocess.continuum import running_mean, smooth_median

SCATTER = 0.03
"""Flux that the components leave out, one standard deviation; as in the weights of the matching."""
KNOWN_TO = 0.02
"""To what share the components know a continuum: noise of this size counts as much."""
STRIDE = 2
"""Every so many pixels are taken of a spectrum without noise, whose lines are wider than one."""


@dataclass(frozen=True)
class Reconstruction:
    r"""Spectra without their noise: the likeliest combination of flux components.

    .. math:: \hat F = \mu + B\,(B^T W B + 1)^{-1} B^T W (F - \mu), \quad
        W = 1 / (1/\mathrm{ivar} + s^2)

    with coefficients of unit variance beforehand (the Wiener filter), so that a spectrum of which
    nothing is known is the mean.

    Args:
        mean: Mean flux.
        basis: Flux per coefficient of unit variance.
        known: Pixels that the components know.

    References:
        Rybicki & Press 1992, ApJ 398, 169.
    """

    mean: Float[Tensor, " pix"]
    basis: Float[Tensor, "pix comp"]
    known: Bool[Tensor, " pix"]

    def __call__(
        self, flux: Float[Tensor, "star pix"], ivar: Float[Tensor, "star pix"]
    ) -> Float[Tensor, "star pix"]:
        """Reconstruct spectra.

        Args:
            flux: Normalised flux; what stands in a bad pixel has no weight.
            ivar: Its inverse variance; 0 marks a bad pixel.

        Returns:
            Flux in every pixel.
        """
        good = (ivar > 0) & self.known
        weight = torch.where(good, ivar / (1 + SCATTER**2 * ivar), 0.0)
        one = torch.eye(self.basis.shape[1], dtype=weight.dtype)
        projected = torch.where(good, weight * (flux - self.mean), 0.0) @ self.basis
        factor = torch.linalg.cholesky(gram(weight, self.basis) + one)
        coefficients = torch.cholesky_solve(projected[:, :, None], factor)[:, :, 0]
        return self.mean + coefficients @ self.basis.mT


@dataclass(frozen=True)
class SurveyPreprocessor(Preprocessor):
    r"""Preprocessing of a survey, whose noise does not bend the continuum.

    The median of a spectrum with lines lies above its mean, and noise draws it there: a noisy
    spectrum has another running median c than the same star in the library. It is taken once more
    of the spectrum without its noise, on its own continuum, :math:`c' = \mathrm{med}(c \hat F)`,
    which has the lines and none of the noise. Where noise is less than what the components know of
    a continuum, the first one counts:

    .. math:: \ln c \leftarrow \ln c + \frac{v}{v + k^2} \ln \frac{c'}{c}

    with the mean variance v of the normalised flux in the window. Spectra without errors keep c.

    Args:
        reconstruction: Gives spectra without their noise; ``None`` leaves every continuum as it is.
    """

    reconstruction: Reconstruction | None = None

    @classmethod
    def of(
        cls, preprocessor: Preprocessor, reconstruction: Reconstruction | None
    ) -> "SurveyPreprocessor":
        """The preprocessing of a library, for a survey.

        Args:
            preprocessor: The preprocessing of the library.
            reconstruction: Gives spectra without their noise.
        """
        settings = {each.name: getattr(preprocessor, each.name) for each in fields(Preprocessor)}
        return cls(**settings, reconstruction=reconstruction)

    def continuum(
        self,
        flux: Float[Tensor, "star pix"],
        ivar: Float[Tensor, "star pix"],
        has_ivar: Bool[Tensor, " star"],
    ) -> Float[Tensor, "star pix"]:
        """The continuum; see :meth:`Preprocessor.continuum`."""
        first = super().continuum(flux, ivar, has_ivar)
        good = (ivar > 0) & (first > 0)
        noisy = (has_ivar & good.any(dim=1)).nonzero()[:, 0]
        if self.reconstruction is None or not len(noisy):
            return first
        scale = torch.where(good, first, 1.0)[noisy]
        weight, good = ivar[noisy] * scale.square(), good[noisy]
        quiet = scale * self.reconstruction(flux[noisy] / scale, torch.where(good, weight, 0.0))
        second = self._median_of_lines(quiet, good)
        variance = running_mean(1 / weight, good, 2 * (self.median_window // 2) + 1)
        share = variance / (variance + KNOWN_TO**2)
        ratio = torch.where(good & (second > 0), second / scale, 1.0)
        return first.index_copy(0, noisy, first[noisy] * ratio**share)

    def _median_of_lines(
        self, flux: Float[Tensor, "star pix"], good: Bool[Tensor, "star pix"]
    ) -> Float[Tensor, "star pix"]:
        """The running median of spectra without noise, straight lines between some pixels."""
        median = smooth_median(flux, good, self.median_window, self.smoothing, STRIDE)
        pixel, last = torch.arange(flux.shape[1]), median.shape[1] - 1
        low = pixel // STRIDE
        share = (pixel - STRIDE * low).to(flux) / STRIDE
        return torch.lerp(median[:, low], median[:, (low + 1).clamp_max(last)], share)
