"""What a LAMOST low-resolution header says of the star, in all releases."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from torchfit.exceptions import SpectrumError
from torchfit.files.fits_file import FitsUnit
from torchfit.names import LABELS
from torchfit.spectra import StarInfo
from torchfit.surveys.plausible import (
    demand_stellar_redshift,
    name_by_position,
    night,
    sky_position,
)

_BANDS = "ugriz"
_SENTINEL = -900.0
_MAX_IDENTIFIER = 2**63
_MAX_SNR = 1e4


@dataclass(frozen=True)
class Known:
    """What header and catalogue say, the catalogue first: it was made last.

    Args:
        unit: The primary unit.
        row: The spectrum's row in a catalogue of the release, by column; what is missing there
            is left out.
    """

    unit: FitsUnit
    row: Mapping[str, object] = field(default_factory=dict)

    def number(self, key: str) -> float:
        """A number by the name of its card, NaN when it is missing."""
        value = self.row.get(key.lower())
        return float(value) if isinstance(value, int | float) else self.unit.number(key)

    def text(self, key: str) -> str:
        """A text by the name of its card, empty when it is missing."""
        return str(self.row.get(key.lower(), "")) or self.unit.text(key)

    def identifier(self, key: str, source: str) -> int | None:
        """A positive whole number by the name of its card, ``None`` when it is missing.

        Raises:
            SpectrumError: If it needs more than 64 bits.
        """
        value = self.row.get(key.lower())
        found = value if isinstance(value, int) else self.unit.header.whole(key)
        number = found or self.number(key)
        if number >= _MAX_IDENTIFIER:
            raise SpectrumError(f"{source}: {key} is no identifier ({number:g})")
        return int(number) if number > 0 else None


def star_info(known: Known, source: str) -> StarInfo:
    """Read what is known of the star.

    Args:
        known: Header and catalogue.
        source: Where the spectrum came from.

    Raises:
        SpectrumError: If the object is not classified as a star, has a redshift that no star has,
            or the file is of another spectrum than the row.
    """
    _demand_star(known, source)
    _demand_same(known, source)
    return replace(
        identity(known, source),
        subclass=known.text("SUBCLASS"),
        z=_redshift(known, source),
        snr=_signal_to_noise(known),
        labels=_labels(known),
        z_err=_redshift_error(known),
        gaia_source_id=known.text("GAIA_SOURCE_ID"),
    )


def identity(known: Known, source: str) -> StarInfo:
    """Which star it is, where it is, and when it was observed, at either resolution.

    Args:
        known: Header and catalogue.
        source: Where the spectrum came from.

    Raises:
        SpectrumError: If an identifier needs more than 64 bits.
    """
    ra, dec = sky_position(known.number("RA"), known.number("DEC"))
    ra_obs, dec_obs = sky_position(known.number("RA_OBS"), known.number("DEC_OBS"))
    return StarInfo(
        source,
        obsid=known.identifier("OBSID", source),
        name=known.text("DESIG") or known.text("UID") or name_by_position(ra, dec),
        ra=ra,
        dec=dec,
        ra_obs=ra_obs,
        dec_obs=dec_obs,
        mjd=night(known.number("LMJD")),
        uid=known.text("UID"),
    )


def _labels(known: Known) -> dict[str, float]:
    """The pipeline's labels, which only a catalogue has."""
    return {name: float(str(known.row[name])) for name in LABELS if name in known.row}


def _demand_same(known: Known, source: str) -> None:
    in_file, in_row = known.unit.number("OBSID"), known.row.get("obsid")
    if in_row is not None and math.isfinite(in_file) and in_file != in_row:
        raise SpectrumError(f"{source}: its obsid is {in_file:.0f}, that of its row {in_row}")


def _demand_star(known: Known, source: str) -> None:
    found = known.text("CLASS")
    if found.upper() != "STAR":
        raise SpectrumError(f"{source}: not a star (CLASS is {found or 'missing'})")


def _redshift(known: Known, source: str) -> float:
    z = known.number("Z")
    if not z > _SENTINEL:
        return math.nan
    return demand_stellar_redshift(z, source)


def _signal_to_noise(known: Known) -> dict[str, float]:
    values = {band: _band_snr(known, band) for band in _BANDS}
    return {band: value for band, value in values.items() if _SENTINEL < value <= _MAX_SNR}


def _band_snr(known: Known, band: str) -> float:
    """Signal-to-noise ratio of a band: ``SNRG``, or ``SN_G`` in the first release."""
    snr = known.number(f"SNR{band.upper()}")
    return known.number(f"SN_{band.upper()}") if math.isnan(snr) else snr


def _redshift_error(known: Known) -> float:
    error = known.number("Z_ERR")
    return error if 0 <= error <= 1 else math.nan
