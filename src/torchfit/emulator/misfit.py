"""How the emulator of a synthetic grid misfits real stars, learned as part of its covariance."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from torchfit.emulator.emulator import Emulator
from torchfit.emulator.local_covariance import (
    LocalCovariance,
    LocalVariance,
    fit_local_covariance,
    fit_local_variance,
)
from torchfit.exceptions import ConfigError, DataError
from torchfit.library.library import Library
from torchfit.match.cfi import correlate
from torchfit.match.start import start_labels
from torchfit.preprocess.compose import Preprocessor
from torchfit.spectra import Spectra

_STARS_PER_COMP = 2
_SAME_RESOLUTION = 0.1


@dataclass(frozen=True)
class Misfit:
    r"""What theory does not know, from real stars of known labels.

    Grids share errors that no model of them shows: line lists, atmospheres, broadening. A real star
    i of labels :math:`x_i` has coefficients that differ from the emulator's by

    .. math:: a_i = s^{-1} \circ B^+ (F_i - F(x_i)), \quad
        \mathrm{cov}(a_i) = \Sigma + \Sigma_\mathrm{misfit} + N_a

    with the emulator's own covariance :math:`\Sigma` and the noise :math:`N_a`. Its second moment
    M about zero, robust and local in log Teff as :math:`\Sigma` is, gives

    .. math:: \Sigma' = \Sigma + [M - N_a - \Sigma]_+

    where the positive part is taken of the eigenvalues relative to :math:`\Sigma`, so that no
    direction becomes surer than it was. What the components cannot follow goes into the truncation
    variance in the same way, pixel by pixel, and the errors that start labels of real stars have
    among the models into the covariance of start labels. An error that all stars share has its
    square in M: labels are not corrected for it, but their errors know of it. So have the errors of
    the known labels themselves; errors that result are rather too large than too small.

    Args:
        stars: Reads and preprocesses a library of real stars, at the resolution of the grid.
        min_snr: Least median S/N of a star whose errors are known.

    Raises:
        ConfigError: If the S/N is negative.

    References:
        Czekala et al. 2015, ApJ 812, 128 (the covariance of a grid's misfit).
    """

    stars: Callable[..., Library]
    min_snr: float = 30.0

    def __post_init__(self) -> None:
        if self.min_snr < 0:
            raise ConfigError(f"misfit.min_snr={self.min_snr} must not be negative")

    def read(self, preprocessor: Preprocessor, label_names: tuple[str, ...]) -> Library:
        """Read the stars.

        Args:
            preprocessor: That of the grid.
            label_names: Labels of the grid.

        Returns:
            Stars of good S/N with all labels of the grid.

        Raises:
            DataError: If they have other labels, or another resolution.
        """
        stars = self.stars(preprocessor=preprocessor)
        if stars.label_names != label_names:
            raise DataError(
                f"the stars of misfit have the labels {', '.join(stars.label_names)}, the grid "
                f"{', '.join(label_names)}; set misfit.stars.cuts.label_names"
            )
        return stars.select(_snr(stars.spectra) >= self.min_snr)


def add_misfit(emulator: Emulator, stars: Library, n_best: int, bandwidth: float) -> Emulator:
    """Widen the covariances of an emulator by what real stars teach; see :class:`Misfit`.

    Args:
        emulator: The emulator of a grid.
        stars: Real stars with the labels of the grid, on its pixels.
        n_best: Number of templates averaged for start labels.
        bandwidth: Smoothing in dex of temperature.

    Returns:
        The emulator; its mean and its templates are unchanged.

    Raises:
        DataError: If there are too few stars for its components, or their resolution is another.
    """
    n_comp = len(emulator.comp_scale)
    if len(stars) < _STARS_PER_COMP * n_comp:
        raise DataError(
            f"misfit: {len(stars)} stars are too few for {n_comp} components; {_STARS_PER_COMP} "
            "for each are needed: take more stars, or lower emulator.max_comp"
        )
    _demand_same_resolution(emulator.library, stars)
    pca, scale, spectra = emulator.flux_pca, emulator.comp_scale, stars.spectra
    local = (len(emulator.residuals.nodes), bandwidth)
    teff, noise = stars.labels[:, 0], _noise(spectra)
    model = emulator.gp.mean(emulator.scaler.to_unit(stars.labels))
    offset = pca.project(spectra) / scale - model
    of_noise = (pca.basis * noise[:, None]).mT @ pca.basis / (scale[:, None] * scale)
    rest = fit_local_variance(teff, pca.residual(spectra), spectra.good & pca.good, *local)
    matched, start = _start_offset(emulator, stars, n_best)
    return replace(
        emulator,
        residuals=_widened(
            emulator.residuals, fit_local_covariance(teff, offset, *local), of_noise
        ),
        truncation=_widened_variance(emulator.truncation, rest, noise),
        start_error=_widened(
            emulator.start_error,
            fit_local_covariance(matched, start, *local),
            torch.zeros_like(emulator.start_error.matrices[0]),
        ),
    )


def _demand_same_resolution(grid: Library, stars: Library) -> None:
    ratio = stars.lsf_fwhm / grid.lsf_fwhm - 1
    if bool((ratio.abs() > _SAME_RESOLUTION).any()):
        raise DataError(
            f"misfit: the stars have a resolution of {float(stars.lsf_fwhm.median()):.2f} Angstrom "
            f"(FWHM), the grid {float(grid.lsf_fwhm.median()):.2f}; set library.resolution to that "
            "of the stars"
        )


def _snr(spectra: Spectra) -> Float[Tensor, " star"]:
    """Median S/N of the good pixels; infinite without errors."""
    ratio = torch.where(spectra.good, spectra.flux.abs() * spectra.ivar.sqrt(), torch.nan)
    return torch.where(spectra.has_ivar, ratio.nanmedian(dim=1).values, torch.inf)


def _noise(spectra: Spectra) -> Float[Tensor, " pix"]:
    """Mean noise variance of every pixel; 0 where no star has errors."""
    counted = spectra.good & spectra.has_ivar[:, None]
    variance = torch.where(counted, 1 / spectra.ivar, 0.0).sum(dim=0)
    return variance / counted.sum(dim=0).clamp_min(1)


def _start_offset(
    emulator: Emulator, stars: Library, n_best: int
) -> tuple[Float[Tensor, " star"], Float[Tensor, "star label"]]:
    """Start temperature of real stars among the models, and error of their unit start labels."""
    cfi = correlate(stars.spectra.to(torch.float32), emulator.library.spectra.to(torch.float32))
    start = start_labels(cfi, emulator.library.labels, n_best)
    return start[:, 0], emulator.scaler.to_unit(start) - emulator.scaler.to_unit(stars.labels)


def _widened(
    own: LocalCovariance, found: LocalCovariance, noise: Float[Tensor, "dim dim"]
) -> LocalCovariance:
    r""":math:`\Sigma + [M - N - \Sigma]_+` at every node of the emulator's covariance."""
    lower = torch.linalg.cholesky(own.matrices)
    excess = found.at(10.0**own.nodes) - noise
    white = torch.linalg.solve_triangular(lower, excess, upper=False)
    white = torch.linalg.solve_triangular(lower, white.mT, upper=False)
    value, vector = torch.linalg.eigh((white + white.mT) / 2)
    root = lower @ (vector * value.clamp_min(1.0).sqrt()[:, None, :])
    return replace(own, matrices=root @ root.mT)


def _widened_variance(
    own: LocalVariance, found: LocalVariance, noise: Float[Tensor, " pix"]
) -> LocalVariance:
    """The same for variances of pixels."""
    return replace(own, values=own.values.maximum(found.at(10.0**own.nodes) - noise))
