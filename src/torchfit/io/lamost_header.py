"""What a LAMOST low-resolution header says of the star, in all releases."""

import math

from torchfit.exceptions import SpectrumError
from torchfit.io.fits_file import FitsUnit
from torchfit.names import SPEED_OF_LIGHT
from torchfit.spectra import StarInfo

_BANDS = "ugriz"
_SENTINEL = -900.0
MAX_REDSHIFT = 0.004
"""Largest redshift of a star, 1200 km/s: beyond it lies the end of the pipeline's own search."""


def star_info(unit: FitsUnit, source: str) -> StarInfo:
    """Read what is known of the star.

    Args:
        unit: The primary unit.
        source: Where the spectrum came from.

    Raises:
        SpectrumError: If the object is not classified as a star, or has no usable redshift.
    """
    _demand_star(unit, source)
    ra, dec = unit.number("RA"), unit.number("DEC")
    return StarInfo(
        source,
        obsid=_obsid(unit),
        name=unit.text("DESIG") or unit.text("UID") or _name_by_position(ra, dec),
        ra=ra,
        dec=dec,
        subclass=unit.text("SUBCLASS"),
        z=_redshift(unit, source),
        snr=_signal_to_noise(unit),
    )


def _demand_star(unit: FitsUnit, source: str) -> None:
    found = unit.text("CLASS")
    if found.upper() != "STAR":
        raise SpectrumError(f"{source}: not a star (CLASS is {found or 'missing'})")


def _redshift(unit: FitsUnit, source: str) -> float:
    z = unit.number("Z")
    if not z > _SENTINEL:
        raise SpectrumError(f"{source}: no redshift (Z is missing or -9999)")
    if abs(z) > MAX_REDSHIFT:
        velocity = z * SPEED_OF_LIGHT
        raise SpectrumError(f"{source}: no usable redshift (Z of {velocity:.0f} km/s for a star)")
    return z


def _obsid(unit: FitsUnit) -> int | None:
    """Identifier of the observation; the files of the first release have none."""
    obsid = unit.number("OBSID")
    return int(obsid) if math.isfinite(obsid) else None


def _name_by_position(ra: float, dec: float) -> str:
    """Name from the position to about 0.4 arcsec, so that repeat visits share it."""
    return f"J{ra:.4f}{dec:+.4f}" if math.isfinite(ra) and math.isfinite(dec) else ""


def _signal_to_noise(unit: FitsUnit) -> dict[str, float]:
    values = {band: _band_snr(unit, band) for band in _BANDS}
    return {band: value for band, value in values.items() if value > _SENTINEL}


def _band_snr(unit: FitsUnit, band: str) -> float:
    """Signal-to-noise ratio of a band: ``SNRG``, or ``SN_G`` in the first release."""
    snr = unit.number(f"SNR{band.upper()}")
    return unit.number(f"SN_{band.upper()}") if math.isnan(snr) else snr
