"""Model spectra of a measured survey, in a notebook."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from torchfit.files import model_reader
from torchfit.files.model_spectra import ModelSpectra


def read_models(path: str | Path, stars: Sequence[int] | np.ndarray | None = None) -> ModelSpectra:
    """Read what ``torchfit infer 'products=[models]'`` has written.

    Args:
        path: The folder ``models`` or ``models_fits``, or one part of it.
        stars: Running numbers (``star`` of the catalogue) of the wanted stars; all if not given,
            which takes 60 kB of memory a star.

    Returns:
        Wavelength, flux, ivar, mask, model and continuum, a row a star, in the catalogue's order.

    Raises:
        DataError: If there is no such folder or star, or a part is damaged.

    Examples:
        >>> import torchfit as tf
        >>> spectra = tf.read_models("outputs/infer/stelib/models", stars=[7])
        >>> residual = spectra.flux - spectra.model * spectra.continuum
        >>> residual.shape == (1, len(spectra.wave))
        True
    """
    return model_reader.read_models(Path(path).expanduser(), stars)
