"""Strategies that several property tests share."""

from dataclasses import replace

import numpy as np
import torch
from hypothesis import strategies as st

from torchfit.spectra import Spectra

seeds = st.integers(0, 2**32 - 1)
"""Seeds of random numbers that Hypothesis need not shrink one by one."""

junk = st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -7.0, 1e30])
"""What may stand in a bad pixel of a file."""

finite_junk = st.sampled_from([0.0, -7.0, 2.5, 1e6, -1e12])
"""What may stand in a bad pixel of a batch, whose flux is finite everywhere."""


def mask(seed: int, shape: tuple[int, ...], share: float) -> np.ndarray:
    """Bad pixels at random.

    Args:
        seed: Seed.
        shape: Shape of the mask.
        share: Share of bad pixels.

    Returns:
        True where bad.
    """
    return np.random.default_rng(seed).random(shape) < share


def with_junk(spectra: Spectra, value: float) -> Spectra:
    """The same spectra with another flux in bad pixels.

    Args:
        spectra: Spectra.
        value: The flux.

    Returns:
        Spectra that every stage must treat alike.
    """
    return replace(spectra, flux=torch.where(spectra.good, spectra.flux, value))
