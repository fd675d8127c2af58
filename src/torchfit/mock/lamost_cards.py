"""The header of a mock LAMOST file: a real one with what belongs to the object exchanged."""

from datetime import date, timedelta
from functools import cache
from importlib.resources import files

from torchfit.mock.lamost import LamostObject

_CARD, _UNIT = 80, 2880
_JULIAN_DAY_ZERO = date(1858, 11, 17)
_DECIMALS = {"RA": 6, "DEC": 6, "RA_OBS": 6, "DEC_OBS": 6, "Z": 8, "Z_ERR": 8}
_ORIGIN = "torchfit mock"
Values = dict[str, str | int | float]


@cache
def template(name: str) -> tuple[str, ...]:
    """Cards of a real header of releases 7 and 10, as the pipeline writes them.

    Args:
        name: ``lamost_table`` and ``lamost_coadd``, the two units since release 9, or
            ``lamost_image``, the one unit before.
    """
    text = files("torchfit.mock").joinpath(f"{name}.txt").read_text(encoding="ascii")
    return tuple(line.ljust(_CARD) for line in text.splitlines())


def header(name: str, values: Values) -> bytes:
    """A header unit of a template with some values exchanged.

    Args:
        name: As of :func:`template`.
        values: New values by keyword; those of keywords that the template lacks are left out.

    Returns:
        Cards of 80 characters, END, filled with blanks to a multiple of 2880.
    """
    cards = [_exchange(card, values) for card in template(name)]
    text = "".join([*cards, "END".ljust(_CARD)])
    return text.ljust(-(-len(text) // _UNIT) * _UNIT).encode("ascii")


def object_values(made: LamostObject) -> Values:
    """Values of the primary header that tell of one object.

    Args:
        made: The object.
    """
    star = made.observation.star
    place: Values = {"RA": star.ra, "DEC": star.dec, "RA_OBS": star.ra, "DEC_OBS": star.dec}
    source: Values = dict.fromkeys(("AUTHOR", "TSOURCE", "TFROM", "TCOMMENT"), _ORIGIN)
    night: Values = {"LMJD": made.lmjd, "MJD": made.lmjd - 1, "PLANID": made.plan_id}
    night |= dict.fromkeys(("DATE-OBS", "DATE-BEG", "DATE-END"), f"{iso_date(made.lmjd)}T00:00:00")
    result: Values = {
        "NAXIS1": len(made.wave),
        "FILENAME": f"{made.file_stem}.fits",
        "OBSID": made.obsid,
        "NORM": int(made.is_normalised),
        "DESIG": star.designation,
        "OBJNAME": made.uid,
        "SPID": made.spectrograph,
        "FIBERID": made.fiber,
        "SUBCLASS": made.subclass,
        "Z": made.observation.z,
        "Z_ERR": made.observation.z_err,
    }
    quality: Values = {f"SNR{band.upper()}": value for band, value in made.snr.items()}
    return place | source | night | result | quality


def iso_date(mjd: int) -> str:
    """Date of a modified Julian day: ``2011-11-12``."""
    return (_JULIAN_DAY_ZERO + timedelta(days=mjd)).isoformat()


def _exchange(card: str, values: Values) -> str:
    key = card[:8].rstrip()
    if key not in values or card[8] != "=":
        return card
    comment = card.partition(" /")[2]
    return f"{key:8}= {_written(key, values[key]):20} /{comment}".ljust(_CARD)[:_CARD]


def _written(key: str, value: str | int | float) -> str:
    if isinstance(value, str):
        return f"'{value:8}'"
    text = f"{value:.{_DECIMALS.get(key, 2)}f}" if isinstance(value, float) else str(value)
    return f"{text:>20}"
