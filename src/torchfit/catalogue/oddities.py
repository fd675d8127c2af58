"""What a reader of a catalogue must know before its numbers: what it lacks, and what is double."""

from collections.abc import Sequence

from torchfit.files.table_pieces import Table
from torchfit.flags.judgement import finite

_FEW = 30


def oddities(table: Table, labels: Sequence[str]) -> list[str]:
    """Say what is unusual of a catalogue.

    Args:
        table: The catalogue.
        labels: Labels of the emulator.

    Returns:
        Sentences; none for a catalogue with nothing unusual.
    """
    n_stars = len(table)
    without = n_stars - int(finite(table, labels).sum())
    no_error = not _any_finite(table, [f"e_{label}" for label in labels])
    no_ratio = not _any_finite(table, [f"snr_{band}" for band in "ugriz"])
    obsid = table["obsid"].dropna()
    double = int(obsid.duplicated(keep=False).sum())
    classes = sorted(table["spectral_class"].unique())
    said = {
        f"There are {n_stars} stars: relations over the survey say little.": n_stars < _FEW,
        f"{without} of {n_stars} stars have no labels: they have no flags of the survey "
        "and are in no sample.": without > 0,
        "No star has errors of its labels: none are shown, and none are made up.": no_error,
        "No star has a signal-to-noise ratio: flag_snr is missing everywhere.": no_ratio,
        f"All stars are of class {''.join(classes)}.": len(classes) == 1 and n_stars > 1,
        f"{double} rows share their obsid with another: every row is a star here, and two rows of "
        "one observation are no repeat.": double > 0,
    }
    return [sentence for sentence, holds in said.items() if holds]


def _any_finite(table: Table, names: Sequence[str]) -> bool:
    return any(finite(table, [name]).any() for name in names)
