"""A small MaStar in the real layout: repeat visits, missing labels, quality bits, bad pixels."""

from pathlib import Path

import numpy as np

from torchfit.mock.mastar_files import N_PIX, WAVE, MastarVisitTable, write_mastar

H_BETA = 4862.691
STARS = ("3-15080992", "60-3615860471750191104", "7-17948221", "4-1", "3-1508099", "27-5")
"""Two that a float cannot tell apart from their neighbours, and one that starts like another."""
BAD = slice(100, 150)
MASKED = slice(4500, 4510)


def visits(n_visits: int = 24) -> MastarVisitTable:
    """Visits of six stars; visit 5 has no labels, 6 no alpha, 7 no JI, 8 a bit, 9 little light."""
    visit = np.arange(n_visits)
    labels = np.stack(
        [4000.0 + 50 * visit, 1 + 0.1 * visit, -1 + 0.05 * visit, 0.01 * visit], axis=1
    )
    labels[5], labels[6, 3] = np.nan, np.nan
    logg_ji = labels[:, 1] + 0.5
    logg_ji[7] = np.nan
    s2n, mjdqual = 50.0 + visit, np.zeros(n_visits, dtype=int)
    mjdqual[8], mjdqual[10], s2n[9] = 1 << 8, 1 << 2, 20.0
    names = np.array(STARS)[visit % len(STARS)]
    return MastarVisitTable(names, 57000 + visit, labels, s2n, mjdqual, logg_ji)


def pixels(rows: np.ndarray) -> dict[str, np.ndarray]:
    """H beta on a continuum that numbers the visit."""
    line = 1 - 0.5 * np.exp(-0.5 * ((WAVE - H_BETA) / 5) ** 2)
    flux = (1.0 + rows[:, None]) * line
    ivar, mask = np.full((len(rows), N_PIX), 0.25), np.zeros((len(rows), N_PIX), dtype=int)
    ivar[:, BAD], mask[:, MASKED] = 0, 1 << 10
    return {"FLUX": flux, "IVAR": ivar, "MASK": mask}


def make(folder: Path, **settings: object) -> Path:
    """Write it."""
    write_mastar(folder, visits(), pixels, **settings)
    return folder
