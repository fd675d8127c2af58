"""The quality bits of a MaStar visit."""

from collections.abc import Sequence
from enum import IntFlag

from torchfit.exceptions import ConfigError


class MastarQuality(IntFlag):
    """Bits of ``MJDQUAL``.

    References:
        SDSS ``sdssMaskbits.par``, bit mask MASTAR_QUAL.
    """

    NODATA = 1 << 0
    SKYSUBBAD = 1 << 1
    HIGHSCAT = 1 << 2
    BADFLUX = 1 << 3
    LOWCOV = 1 << 4
    POORCAL = 1 << 5
    BADHELIORV = 1 << 6
    MANUAL = 1 << 7
    EMLINE = 1 << 8
    LOWSN = 1 << 9
    MULTIFIBER = 1 << 10
    BLOWTORCH = 1 << 11
    SEVEREBT = 1 << 12
    UPTURNRISK = 1 << 13
    UPTURNMANUAL = 1 << 14
    CRITICAL = 1 << 30


REJECTED = (
    "NODATA", "SKYSUBBAD", "BADFLUX", "LOWCOV", "POORCAL", "BADHELIORV", "MANUAL", "EMLINE",
    "LOWSN", "SEVEREBT", "UPTURNMANUAL", "CRITICAL",
)  # fmt: skip
"""Bits of a visit that is no template: those that Imig et al. 2022 reject, and missing data, bad
flux calibration, severe or visually confirmed artefacts at the red end, critical failure. HIGHSCAT,
MULTIFIBER, BLOWTORCH and UPTURNRISK are warnings that most of such visits outlive."""


def quality_mask(names: Sequence[str]) -> MastarQuality:
    """Join bits by name.

    Args:
        names: Names of :class:`MastarQuality`.

    Returns:
        The bits together; none for no name.

    Raises:
        ConfigError: If a name is unknown.
    """
    unknown = sorted(set(names) - set(MastarQuality.__members__))
    if unknown:
        known = ", ".join(MastarQuality.__members__)
        raise ConfigError(f"no such MJDQUAL bit: {', '.join(unknown)}; the bits are {known}")
    mask = MastarQuality(0)
    for name in names:
        mask |= MastarQuality[name]
    return mask
