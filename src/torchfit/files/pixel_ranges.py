"""Pixels of a spectrum as text: ``12-14 700``, short where there are few."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool


def ranges_of(pixels: Bool[np.ndarray, "star pix"]) -> list[str]:
    """Write down which pixels are set.

    Args:
        pixels: Rows of pixels.

    Returns:
        For every row the ranges of their numbers from 0, ends included; empty for none.
    """
    texts = [""] * len(pixels)
    for row in np.flatnonzero(pixels.any(axis=1)):
        edges = np.flatnonzero(np.diff(pixels[row].astype(np.int8), prepend=0, append=0))
        pairs = zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True)
        texts[row] = " ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in pairs)
    return texts


def pixels_in(texts: Sequence[str], n_pix: int) -> Bool[np.ndarray, "star pix"]:
    """Read what :func:`ranges_of` has written.

    Args:
        texts: A text for every row.
        n_pix: Number of pixels of a row.

    Returns:
        The pixels that are set.

    Raises:
        ValueError: If a text is none of these, or has a number beyond the pixels.
    """
    pixels = np.zeros((len(texts), n_pix), dtype=bool)
    for row, text in enumerate(texts):
        for word in text.split():
            low, _, high = word.partition("-")
            first, last = int(low), int(high or low)
            if not 0 <= first <= last < n_pix:
                raise ValueError(f"pixels {word} of {n_pix}")
            pixels[row, first : last + 1] = True
    return pixels
