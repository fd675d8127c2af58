"""What the MaStar spectra turn out to be where their data model leaves it open."""

import logging
from pathlib import Path

import numpy as np

from torchfit.files.fits_stream import TableLayout

logger = logging.getLogger(__name__)


class LayoutFindings:
    """Notes of one pass over the spectra, logged in one line at its end.

    Types and name of the table, whether all rows have one wavelength axis, and which mask bits
    occur could not be looked up; nothing depends on them but this line.

    Args:
        path: File of the spectra.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.layout: TableLayout | None = None
        self.wave: np.ndarray | None = None
        self.n_rows = self.n_other_axes = self.mask_bits = 0

    def note(self, layout: TableLayout, row: np.void) -> None:
        """Look at one row.

        Args:
            layout: Of its table.
            row: The row.
        """
        self.layout = layout
        self.n_rows += 1
        if self.wave is None:
            self.wave = row["WAVE"].copy()
        self.n_other_axes += not np.array_equal(row["WAVE"], self.wave)
        self.mask_bits |= int(np.bitwise_or.reduce(row["MASK"].astype(np.int64)))

    def log(self) -> None:
        """Write the line to the log."""
        if self.layout is None or self.wave is None:
            return
        types = ", ".join(f"{name} {self.layout.dtype[name].base}" for name in ("WAVE", "MASK"))
        bits = [str(bit) for bit in range(64) if self.mask_bits >> bit & 1]
        logger.info(
            "%s: table %s, %d pixels, %s; %d rows read, %d with another wavelength axis than the "
            "first; mask bits %s; %s",
            self.path, self.layout.extname or "without name", len(self.wave), types, self.n_rows,
            self.n_other_axes, " ".join(bits) or "none",
            "PREDISP is there" if "PREDISP" in self.layout.names else "no PREDISP",
        )  # fmt: skip
