"""FITS files read whole into plain arrays; whatever is wrong with one becomes one clear error."""

import gzip
import io
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.io.fits.verify import VerifyError
from astropy.utils.exceptions import AstropyWarning

from torchfit.exceptions import SpectrumError

_GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def quiet_astropy() -> Iterator[None]:
    """Silence what astropy says about cards that break the standard but hold no harm."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        yield


@dataclass(frozen=True)
class FitsUnit:
    """One header-data unit in memory.

    Args:
        header: The cards; ask for them by :meth:`number`, :meth:`text`
            and :meth:`comment`, which do not raise for a missing or a broken one.
        image: The image as native float64, ``None`` for a table or an empty unit.
        columns: The numeric columns of a table as native float64 by upper-case name; the first
            axis is the row.
    """

    header: fits.Header
    image: np.ndarray | None = None
    columns: dict[str, np.ndarray] = field(default_factory=dict)

    def number(self, key: str) -> float:
        """Value of a card as a float, NaN when it is missing or no number."""
        try:
            return float(self._card(key))
        except (TypeError, ValueError):
            return float("nan")

    def text(self, key: str) -> str:
        """Value of a card as text without outer blanks, empty when it is missing."""
        value = self._card(key)
        return value.strip() if isinstance(value, str) else ""

    def comment(self, key: str) -> str:
        """Comment of a card without outer blanks, empty when there is none."""
        with quiet_astropy():
            return self.header.comments[key].strip() if key in self.header else ""

    def _card(self, key: str) -> Any:
        with quiet_astropy():
            try:
                return self.header.get(key)
            except VerifyError:
                return None


def read_fits(file: Path | bytes, source: str) -> list[FitsUnit]:
    """Read all units of a FITS file, gzipped or not.

    Nothing is memory-mapped: the arrays are copies in the byte order of this machine, and the
    file is closed on return.

    Args:
        file: Path of the file, or its bytes.
        source: What to call the file in an error.

    Returns:
        The header-data units in their order.

    Raises:
        SpectrumError: If the file is missing, unreadable, empty, damaged, cut short or not FITS.
    """
    raw = _gunzip(file if isinstance(file, bytes) else _read_bytes(file, source), source)
    try:
        with quiet_astropy(), fits.open(io.BytesIO(raw), memmap=False) as hdus:
            return [_unit(hdu.header, hdu.data) for hdu in hdus]
    # A damaged header can raise anything inside astropy; to a survey run it is one bad file.
    except Exception as error:
        raise SpectrumError(f"{source}: not a readable FITS file ({_one_line(error)})") from error


def _read_bytes(path: Path, source: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SpectrumError(f"{source}: no such file") from error
    except OSError as error:
        raise SpectrumError(f"{source}: cannot be read ({error.strerror})") from error


def _gunzip(raw: bytes, source: str) -> bytes:
    if not raw:
        raise SpectrumError(f"{source}: the file is empty")
    if not raw.startswith(_GZIP_MAGIC):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise SpectrumError(f"{source}: damaged gzip file ({_one_line(error)})") from error


def _unit(header: fits.Header, data: np.ndarray | None) -> FitsUnit:
    if data is None:
        return FitsUnit(header)
    if isinstance(data, fits.FITS_rec):
        return FitsUnit(header, columns=_numeric_columns(data))
    return FitsUnit(header, image=np.array(data, dtype=np.float64))


def _numeric_columns(table: fits.FITS_rec) -> dict[str, np.ndarray]:
    return {
        name.upper(): np.array(table[name], dtype=np.float64)
        for name in table.columns.names
        if table[name].dtype.kind in "fiu"
    }


def _one_line(error: BaseException) -> str:
    """First sentence of an error; what astropy advises after it is not for a bad file."""
    return " ".join(str(error).split()).partition(". ")[0] or type(error).__name__
