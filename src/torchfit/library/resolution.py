"""One resolution for all templates, whose fibres and nights had each its own."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.exceptions import DataError
from torchfit.names import FWHM_PER_SIGMA
from torchfit.preprocess.binning import binned
from torchfit.preprocess.resolution import SAME, broaden
from torchfit.spectra import Spectra, Spectrum
from torchfit.surveys.reader import SurveyReader

_BINS = 6
"""Bins in a standard deviation: their own width adds 0.2 % to it."""
_MOST_SHARPENING = 0.2
"""Share of the variance of the line-spread function that may be taken away: noise grows with it."""


def resolution_nodes(wave: Float[Tensor, " pix"]) -> Float[Tensor, " node"]:
    """Wavelengths at which resolutions are kept: a hundred intervals, as it changes slowly.

    Args:
        wave: The grid, Angstrom.
    """
    return torch.linspace(float(wave[0]), float(wave[-1]), 101, dtype=torch.float64)


def lsf_fwhm_of(
    spectra: Sequence[Spectrum], reader: SurveyReader, nodes: Float[Tensor, " node"]
) -> Float[Tensor, "star node"]:
    """Resolution of spectra as read: that of their own pixels, else the one the reader states.

    Args:
        spectra: Spectra of the reader.
        reader: Where they come from.
        nodes: Rest wavelengths in Angstrom.

    Returns:
        Full width at half maximum in Angstrom.

    Raises:
        DataError: If neither is known.
    """
    stated = reader.lsf_fwhm_at(nodes)
    rows = [_own_fwhm(spectrum, nodes) for spectrum in spectra]
    known = [stated if row is None else row for row in rows]
    if any(row is None for row in known):
        raise DataError(
            f"the library {reader.name} states no resolution (lsf_fwhm, resolving_power): give it "
            "as library.reader.resolution.lsf_fwhm=ANGSTROM, or as a column"
        )
    return torch.stack([row for row in known if row is not None])


def _own_fwhm(spectrum: Spectrum, nodes: Float[Tensor, " node"]) -> Float[Tensor, " node"] | None:
    """In the rest frame, where wavelengths and widths are smaller by 1 + z."""
    sigma = spectrum.lsf_sigma
    if sigma is None or not (known := np.isfinite(sigma) & (sigma > 0)).any():
        return None
    stretch = 1 + spectrum.info.z
    wave, width = spectrum.wave[known] / stretch, FWHM_PER_SIGMA * sigma[known] / stretch
    return torch.from_numpy(np.interp(nodes.numpy(), wave, width))


def coarsened(spectrum: Spectrum, reader: SurveyReader, fwhm: float) -> Spectrum:
    """Make a spectrum ready to be convolved: it says its resolution, in pixels not much finer.

    Args:
        spectrum: As read.
        reader: Where it comes from.
        fwhm: Least resolution it is to be convolved to, full width at half maximum in Angstrom.

    Returns:
        The spectrum in bins of a sixth of a standard deviation, if its pixels are finer.
    """
    if spectrum.lsf_sigma is None:
        stated = reader.lsf_fwhm_at(torch.from_numpy(spectrum.wave))
        sigma = None if stated is None else stated.numpy() / FWHM_PER_SIGMA
        spectrum = replace(spectrum, lsf_sigma=sigma)
    return binned(spectrum, fwhm / FWHM_PER_SIGMA / _BINS)


def to_one_resolution(
    spectra: Spectra, lsf_fwhm: Float[Tensor, "star node"], change: bool = True
) -> tuple[Spectra, Float[Tensor, " pix"]]:
    r"""Bring all templates to their median resolution.

    Each is convolved with the Gaussian of variance

    .. math:: \max(\sigma_\mathrm{med}^2 - \sigma_i^2, \; -0.2 \, \sigma_\mathrm{med}^2),

    and where this is negative its lines are made narrower to first order, so that what the
    emulator learns is the resolution that half of the templates have at least, and not that of the
    worst. Inverse variances stay as they are.

    Args:
        spectra: Preprocessed templates.
        lsf_fwhm: Their resolutions, full width at half maximum in Angstrom, at
            :func:`resolution_nodes`.
        change: Whether to change them; else only their median resolution is logged.

    Returns:
        The templates, and their resolution at every pixel of the grid.
    """
    n_pix, step = len(spectra.wave), float(spectra.wave[1] - spectra.wave[0])
    target = lsf_fwhm.median(dim=0).values
    missing = (target.square() - lsf_fwhm.square()).maximum(-_MOST_SHARPENING * target.square())
    if change and bool((missing.abs() > SAME * target.square()).any()):
        variance = _on_grid(missing, n_pix) / (FWHM_PER_SIGMA * step) ** 2
        spectra = replace(spectra, flux=broaden(spectra.flux, spectra.good, variance))
    return spectra, _on_grid(target[None], n_pix)[0]


def _on_grid(values: Float[Tensor, "star node"], n_pix: int) -> Float[Tensor, "star pix"]:
    """Straight lines between the nodes, exact where the nodes are equal."""
    place = torch.linspace(0, values.shape[1] - 1, n_pix, dtype=values.dtype)
    low = place.long().clamp_max(values.shape[1] - 2)
    return torch.lerp(values[:, low], values[:, low + 1], place - low)
