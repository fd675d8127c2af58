"""The STELIB stellar library, version 3.2."""

import math
import re
import warnings
from pathlib import PurePosixPath

from astropy.coordinates import FK4, FK5, Angle, SkyCoord
from astropy.utils.exceptions import AstropyWarning

from torchfit.files.fetch import MANGADAP
from torchfit.files.fits_file import FitsUnit, read_fits
from torchfit.names import FE_H, LOGG, TEFF
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.linear import linear_air_spectrum
from torchfit.surveys.wheel_reader import WheelReader

_LABEL_CARDS = {TEFF: "TEFF", LOGG: "LOG_G", FE_H: "FE_H"}
_FRAMES = {"B1950.0": FK4(equinox="B1950"), "J2000.0": FK5(equinox="J2000")}


class StelibReader(WheelReader):
    """The 255 spectra of STELIB: 3200-9900 Angstrom in air, 3.1 Angstrom FWHM.

    The spectra are already at rest and dereddened; the header's ``RADVEL`` must not be applied.
    There are no errors: ``ivar`` is a mask. What was not observed is zero in the files: the ends
    of every spectrum and whole arms of many. 203 spectra have all three labels. Telluric
    absorption is still there, at the observed wavelengths shifted by ``-RADVEL``.

    Args:
        cache: Folder of downloaded archives; the default cache if ``None``.

    References:
        Le Borgne et al. 2003, A&A 402, 433.
    """

    name = "stelib"
    lsf_fwhm = 3.1
    wheel = MANGADAP
    prefix = "mangadap/data/spectral_templates/stelib/STELIB_"

    def parse(self, raw: bytes, source: str) -> Spectrum:
        """Make a spectrum of the bytes of one member.

        Raises:
            SpectrumError: If the file is damaged or has no good pixel.
        """
        unit = read_fits(raw, source)[0]
        ra, dec = sky_position(unit)
        info = StarInfo(
            source,
            name=star_name(source),
            ra=ra,
            dec=dec,
            subclass=unit.text("SPECTYPE"),
            labels=_labels(unit),
        )
        return linear_air_spectrum(unit, info)


def star_name(source: str) -> str:
    """Name of the star from the name of its file.

    The header spells one star in two ways (``HD53929`` and ``HD053929``) and some by their HR
    number; the files have the HD number in six digits, as MILES has. Two files of one star
    differ in a suffix for the telescope.

    Args:
        source: File name such as ``STELIB_v3.2_HD053929lp.fits``.
    """
    stem = PurePosixPath(source).name.removesuffix(".fits")
    return re.sub(r"(?<=\d)(lp|ss)$", "", stem.rpartition("_")[2])


def sky_position(unit: FitsUnit) -> tuple[float, float]:
    """Right ascension and declination (ICRS, degrees) of a STELIB header.

    The cards hold sexagesimal text, or radians with the same text in the comment. The text is
    used: the radians of southern stars near the equator are wrong, their minutes were added to
    negative degrees. ``EQUINOX`` is right: with it the right ascensions of 1900 increase with
    the HD number for every star.

    Args:
        unit: The unit with ``RA``, ``DEC`` and ``EQUINOX``.

    Returns:
        The position, both NaN if the cards give none. It is good to about an arcminute: the
        catalogue is old and proper motion is not applied.
    """
    ra, dec = _angle(unit, "RA", "hourangle"), _angle(unit, "DEC", "deg")
    frame = _FRAMES.get(unit.text("EQUINOX"))
    if frame is None or not math.isfinite(ra.deg) or not abs(dec.deg) <= 90:
        return math.nan, math.nan
    position = SkyCoord(ra, dec, frame=frame).icrs
    return float(position.ra.deg), float(position.dec.deg)


def _angle(unit: FitsUnit, key: str, sexagesimal_unit: str) -> Angle:
    """Angle from the text of a card or the end of its comment, NaN if neither is one."""
    text = unit.text(key) or " ".join(unit.comment(key).split()[-3:])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            return Angle(text, sexagesimal_unit)
    except ValueError:
        return Angle(math.nan, sexagesimal_unit)


def _labels(unit: FitsUnit) -> dict[str, float]:
    """The labels that are numbers; one that is not known is ``-`` in the header."""
    values = {label: unit.number(card) for label, card in _LABEL_CARDS.items()}
    return {label: value for label, value in values.items() if math.isfinite(value)}
