"""Observed spectra with what was fitted to them, as the files of a survey have them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64, UInt8

from torchfit.exceptions import DataError

PIXELS = {
    "flux": "normalised flux; without meaning where ivar is 0",
    "ivar": "inverse variance of flux, 0 in bad pixels; 1 in good ones of spectra without errors",
    "mask": "1 bad pixel, 2 outlier without weight in the fit, 4 unknown to the emulator",
    "model": "flux of the emulator at the labels; NaN where it is unknown",
    "continuum": "continuum found by the fit: flux is model times continuum, and noise",
}
"""Columns of arrays, with what they are."""
BAD, OUTLIER, UNKNOWN = 1, 2, 4
"""Bits of ``mask``."""


@dataclass(frozen=True)
class ModelSpectra:
    """Observed spectra of stars, at rest on one grid, with what was fitted to them.

    Args:
        wave: Vacuum rest wavelength in Angstrom.
        lsf_fwhm: Resolution of all, full width at half maximum in Angstrom, along the wavelengths.
        star: Running number of the star in the survey, as in its catalogue.
        source: Where its spectrum came from.
        flux: Normalised flux; without meaning where ``ivar`` is 0.
        ivar: Inverse variance of ``flux``, 0 in bad pixels.
        mask: Sum of 1 for a bad pixel, 2 for an outlier without weight in the fit, 4 for a pixel
            that is unknown to the emulator; 0 for a pixel that was fitted.
        model: Flux of the emulator at the labels of the star; NaN where it is unknown.
        continuum: Factor near 1 that the fit has found: flux is model times continuum, but for
            the residual velocity and noise.
    """

    wave: Float64[np.ndarray, " pix"]
    lsf_fwhm: Float64[np.ndarray, " pix"]
    star: Int64[np.ndarray, " star"]
    source: Sequence[str]
    flux: Float[np.ndarray, "star pix"]
    ivar: Float[np.ndarray, "star pix"]
    mask: UInt8[np.ndarray, "star pix"]
    model: Float[np.ndarray, "star pix"]
    continuum: Float[np.ndarray, "star pix"]

    def __len__(self) -> int:
        """Number of stars."""
        return len(self.star)

    def __getitem__(self, place: int | slice | np.ndarray) -> "ModelSpectra":
        """Some stars, by their places; one number gives one row."""
        rows = np.atleast_1d(np.arange(len(self))[place])
        arrays = {name: getattr(self, name)[rows] for name in ("star", *PIXELS)}
        return ModelSpectra(
            self.wave, self.lsf_fwhm, source=[self.source[row] for row in rows], **arrays
        )

    @classmethod
    def join(cls, parts: Sequence["ModelSpectra"]) -> "ModelSpectra":
        """Stars of several parts as one.

        Args:
            parts: At least one, of one grid.

        Raises:
            DataError: If they differ in wavelength.
        """
        if any(not np.array_equal(part.wave, parts[0].wave) for part in parts):
            raise DataError("model spectra of different grids: read their folders one by one")
        arrays = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("star", *PIXELS)
        }
        return cls(
            parts[0].wave,
            parts[0].lsf_fwhm,
            source=[s for part in parts for s in part.source],
            **arrays,
        )
