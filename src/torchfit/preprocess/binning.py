"""Spectra of far more pixels than their resolution needs, brought to fewer."""

from dataclasses import replace

import numpy as np

from torchfit.spectra import Spectrum

_FINE_ENOUGH = 0.5
"""Pixels above this share of a bin are left as they are."""
_LEAST_COVERED = 1e-6
"""Share of a bin from which it has good pixels; below it is rounding."""


def binned(spectrum: Spectrum, width: float) -> Spectrum:
    r"""Average the good pixels of a spectrum in even bins, flux conserved.

    .. math:: \bar F_b = \sum_p s_{bp} F_p \Big/ \sum_p s_{bp}, \quad
        \bar w_b = n_b \sum_p s_{bp} \Big/ \sum_p s_{bp} / w_p

    with :math:`s_{bp}` the length that bin and good pixel share, and :math:`n_b` the number of good
    pixels in the bin. A bin without any is left out. The box that a bin is adds :math:`h^2/12` to
    the variance of the line-spread function.

    Args:
        spectrum: The spectrum.
        width: Width h of a bin in Angstrom.

    Returns:
        The binned spectrum; the same if its pixels are not finer than half a bin.
    """
    wave, good = spectrum.wave, spectrum.good
    if np.median(np.diff(wave)) > _FINE_ENOUGH * width:
        return spectrum
    ends = np.concatenate([[wave[0]], (wave[1:] + wave[:-1]) / 2, [wave[-1]]])
    edges = np.arange(wave[0], wave[-1] + width, width)

    def total(values: np.ndarray) -> np.ndarray:
        """Sum over the pixels of each bin, parts of pixels counted as such."""
        summed = np.concatenate([[0.0], np.cumsum(np.where(good, values, 0.0))])
        return np.diff(np.interp(edges, ends, summed))

    length = np.diff(ends)
    covered = total(length)
    kept = covered > _LEAST_COVERED * width

    def mean(values: np.ndarray) -> np.ndarray:
        """Mean in every bin that is kept, weighted by length."""
        return total(values * length)[kept] / covered[kept]

    ivar = np.ones(kept.sum())
    if spectrum.has_ivar:
        inverse = np.divide(1.0, spectrum.ivar, where=good, out=np.zeros_like(wave))
        ivar = total(np.ones_like(wave))[kept] / mean(inverse)
    sigma = spectrum.lsf_sigma
    if sigma is not None:
        sigma = np.sqrt(mean(sigma**2) + width**2 / 12)
    centre = (edges[:-1] + width / 2)[kept]
    return replace(spectrum, wave=centre, flux=mean(spectrum.flux), ivar=ivar, lsf_sigma=sigma)
