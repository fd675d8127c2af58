"""The MILES stellar library, version 9.1."""

import re
from dataclasses import dataclass
from functools import cached_property

from torchfit.exceptions import DataError
from torchfit.files.fetch import MANGADAP, read_member
from torchfit.files.fits_file import read_fits
from torchfit.names import FE_H, LOGG, TEFF
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.linear import linear_air_spectrum
from torchfit.surveys.wheel_reader import WheelReader

_FOLDER = "mangadap/data/spectral_templates/miles/"
_PARAMETERS = f"{_FOLDER}paramsMILES_v9.1.txt"
_HEADER_LINES = 3
_MISSING = "--"
_MISPRINTED_IDS = {"022.": "0221"}
"""HD044691A, which has a spectrum and no other row; star 22 has a row of its own."""
_LABEL_COLUMNS = {TEFF: slice(48, 56), LOGG: slice(56, 63), FE_H: slice(63, 72)}


@dataclass(frozen=True)
class MilesStar:
    """A row of the parameter table.

    Args:
        name: Name of the star.
        subclass: Spectral type, empty when not given.
        labels: The published labels: ``teff`` in K, ``logg`` and ``fe_h`` in dex.
    """

    name: str
    subclass: str
    labels: dict[str, float]


class MilesReader(WheelReader):
    """The 984 stars of MILES: 3540.5-7409.6 Angstrom in air, at rest, 2.5 Angstrom FWHM.

    There are no errors: ``ivar`` is a mask. 945 stars have all three labels. The one spectrum
    that the MaNGA pipeline leaves out (star 970, its red end is missing) is left out here too.

    Args:
        cache: Folder of downloaded archives; the default cache if ``None``.

    References:
        Sanchez-Blazquez et al. 2006, MNRAS 371, 703; Cenarro et al. 2007, MNRAS 374, 664;
        Falcon-Barroso et al. 2011, A&A 532, A95.
    """

    name = "miles"
    lsf_fwhm = 2.5
    wheel = MANGADAP
    prefix = f"{_FOLDER}MILES_"

    @cached_property
    def stars(self) -> dict[int, MilesStar]:
        """The parameter table by MILES number.

        Raises:
            DataError: If it is damaged.
        """
        text = read_member(self.archive, _PARAMETERS).decode("latin-1")
        try:
            return parse_parameters(text)
        except ValueError as error:
            raise DataError(
                f"{self.archive} is damaged at {_PARAMETERS} ({error}); remove it and retry"
            ) from error

    def parse(self, raw: bytes, source: str) -> Spectrum:
        """Make a spectrum of the bytes of one member.

        Raises:
            SpectrumError: If the file is damaged or has no good pixel.
        """
        star = self.stars.get(_number_in(source), MilesStar("", "", {}))
        info = StarInfo(source, name=star.name, subclass=star.subclass, labels=star.labels)
        return linear_air_spectrum(read_fits(raw, source)[0], info)


def _number_in(source: str) -> int:
    """MILES number in a file name such as ``MILES_res2.50_star_m0123V.fits``; -1 without one."""
    match = re.search(r"_m(\d{4})V\.fits$", source)
    return int(match[1]) if match else -1


def parse_parameters(text: str) -> dict[int, MilesStar]:
    """Parse ``paramsMILES_v9.1.txt``, a table in columns of fixed width.

    Names hold blanks, so the columns cannot be split at them. A value that is not known is
    ``--``, and its label is then absent.

    Args:
        text: The table with its three header lines.

    Returns:
        The stars by MILES number.

    Raises:
        ValueError: If a row has no number or a value is neither a number nor ``--``.
    """
    rows = (row for row in text.splitlines()[_HEADER_LINES:] if row.strip())
    return dict(_parse_row(row) for row in rows)


def _parse_row(row: str) -> tuple[int, MilesStar]:
    identifier = row[22:28].strip()
    number = int(_MISPRINTED_IDS.get(identifier, identifier))
    values = {label: row[columns].strip() for label, columns in _LABEL_COLUMNS.items()}
    labels = {label: float(value) for label, value in values.items() if value != _MISSING}
    return number, MilesStar(row[:22].strip(), row[35:48].strip(), labels)
