"""What noise does to labels, learned from library spectra to which it is added."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchfit.spectra import Spectra
from torchfit.uncertainty.error_learning import ErrorLearning, KnownErrors
from torchfit.uncertainty.error_model import ErrorModel, inputs_of, level_of
from torchfit.uncertainty.fisher import MeasuredLabels

SNR_RANGE = (3.0, 100.0)
"""Signal-to-noise ratios per pixel, evenly spread in their logarithm."""


def add_noise(spectra: Spectra, seed: int) -> Spectra:
    """Spectra with white Gaussian noise, of each star at a level of its own.

    Args:
        spectra: Normalised spectra; those without flux errors are taken for noiseless.
        seed: Seed of levels and noise.

    Returns:
        Noisy spectra that know their errors.
    """
    generator = torch.Generator().manual_seed(seed)
    low, high = map(math.log, SNR_RANGE)
    share = torch.rand(len(spectra), 1, generator=generator, dtype=torch.float64)
    variance = (-2 * (low + (high - low) * share)).exp().to(spectra.flux)
    noise = torch.randn(spectra.flux.shape, generator=generator, dtype=torch.float64)
    flux = spectra.flux + variance.sqrt() * noise.to(spectra.flux)
    own = torch.where(spectra.has_ivar[:, None], 1 / spectra.ivar, 0.0)
    good = spectra.good
    return replace(
        spectra,
        flux=torch.where(good, flux, spectra.flux),
        ivar=torch.where(good, 1 / (own + variance), 0.0),
        has_ivar=torch.ones_like(spectra.has_ivar),
    )


def learn_noise(
    learning: ErrorLearning,
    quiet: Float[Tensor, "star label"],
    noisy: MeasuredLabels,
    fold: Int[Tensor, " star"],
    label_names: Sequence[str],
) -> ErrorModel:
    """Learn the factor of the noise's part of the errors from what noise has changed.

    The expected part is that of a fit without help from its start labels. They help where the
    matched templates are, and so the factor falls with the level of the noise.

    Args:
        learning: How to learn.
        quiet: Labels of stars as they are.
        noisy: The same stars measured with noise added; NaN where that was not done.
        fold: Fold of each star.
        label_names: Names of the labels.

    Returns:
        The model, of labels and level of the noise.
    """
    unknown = torch.full_like(quiet[:, 0], torch.nan)
    level = level_of(learning.plain, noisy.errors, unknown)
    known = KnownErrors(
        inputs_of(noisy.labels, level), (noisy.labels - quiet).abs(), noisy.errors.noise, fold
    )
    return learning.learn(known, label_names, "random")
