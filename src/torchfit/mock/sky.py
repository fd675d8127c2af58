"""The night sky: where it shines, and what is left of it after subtraction."""

import numpy as np

LINES = np.array(
    [
        (5578.9, 30.0), (5891.6, 4.0), (6302.0, 8.0), (6365.5, 3.0), (6500.5, 1.5), (6534.9, 2.0),
        (6555.4, 1.5), (6865.9, 4.0), (6925.2, 3.0), (6950.4, 3.0), (7246.4, 4.0), (7278.2, 7.0),
        (7318.2, 7.0), (7331.3, 4.0), (7342.8, 6.0), (7371.4, 4.0), (7717.1, 4.0), (7752.7, 8.0),
        (7796.2, 8.0), (7810.6, 3.0), (7823.4, 6.0), (7843.3, 4.0), (7915.9, 9.0), (7951.8, 3.0),
        (7966.8, 9.0), (7995.5, 8.0), (8027.9, 5.0), (8064.5, 3.0), (8290.6, 4.0), (8300.7, 5.0),
        (8346.9, 9.0), (8384.6, 4.0), (8401.5, 9.0), (8417.3, 4.0), (8432.4, 9.0), (8454.6, 5.0),
        (8467.7, 8.0), (8495.3, 5.0), (8507.2, 4.0), (8762.8, 7.0), (8769.9, 5.0), (8780.4, 7.0),
        (8793.0, 6.0), (8829.5, 12.0), (8852.3, 5.0), (8870.1, 6.0), (8888.3, 11.0), (8905.7, 6.0),
        (8922.1, 12.0), (8945.9, 9.0), (8960.6, 10.0), (8991.0, 9.0), (9003.9, 5.0), (9041.0, 6.0),
        (9051.9, 7.0), (9105.6, 4.0), (9154.0, 4.0), (9318.1, 6.0), (9340.3, 7.0), (9378.4, 12.0),
        (9421.9, 9.0), (9442.3, 10.0), (9461.6, 8.0), (9479.3, 9.0), (9505.1, 8.0), (9522.4, 7.0),
        (9556.9, 8.0), (9570.2, 7.0), (9610.0, 6.0), (9703.0, 6.0), (9722.7, 7.0), (9794.0, 9.0),
        (9875.0, 9.0), (9918.0, 8.0), (10013.0, 9.0), (10085.0, 9.0), (10128.0, 9.0),
        (10213.0, 8.0), (10290.0, 9.0),
    ]
)  # fmt: skip
"""Wavelength (vacuum Angstrom) and height over the sky continuum of [O I], Na I and OH lines;
approximate (Osterbrock et al. 1996, PASP 108, 277)."""


def sky_profiles(wave: np.ndarray, resolving_power: float) -> np.ndarray:
    """Profile of every line on the pixels: rows of height 1.

    Args:
        wave: Observed wavelength in Angstrom.
        resolving_power: Wavelength over full width at half maximum.
    """
    centre = LINES[:, :1]
    return np.exp(-0.5 * ((wave - centre) * (2.3548 * resolving_power) / centre) ** 2)


def sky_brightness(profiles: np.ndarray) -> np.ndarray:
    """Brightness of the sky over its continuum, 1 between the lines.

    Args:
        profiles: As from :func:`sky_profiles`.
    """
    return 1.0 + LINES[:, 1] @ profiles
