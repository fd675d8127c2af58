"""FITS headers, a card looked at only when it is asked for.

A survey file has 150 cards of which twenty matter; parsing them all takes ten times longer than
all the rest of reading it.
"""

import math
import re
from functools import cached_property

from torchfit.exceptions import DataError

UNIT = 2880
"""Headers and data fill blocks of this many bytes."""
_CARD = 80
_END = b"END"
_END_CARD = re.compile(rb"END(?: {77}| {0,76}[^A-Z0-9_ -])")
"""As astropy knows it: whatever fills it up may stand for the blanks of the standard."""
MAX_AXES = 999
"""Most axes of an array, and most columns of a table, that the standard allows."""
_MOST_BYTES = 1 << 62
"""No file has so many, nor can a place in one be told by a number of 64 bits."""
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_STARTS = (b"SIMPLE  =", b"XTENSION=")
_VALUE = re.compile(r"= *(?:'((?:[^']|'')*)'|([^/]*))[^/]*(?:/(.*))?", re.DOTALL)
_WHOLE = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[ED][+-]?\d+)?", re.IGNORECASE)


def filled(size: int) -> int:
    """Bytes of whole blocks that hold ``size`` bytes."""
    return -(-size // UNIT) * UNIT


def end_card(raw: bytes, start: int = 0) -> int:
    """Find the card that ends a header.

    Args:
        raw: Bytes of a file.
        start: Where the header starts.

    Returns:
        Where the card starts; -1 without one.
    """
    end = raw.find(_END, start)
    while end >= 0 and ((end - start) % _CARD or not _END_CARD.match(raw, end)):
        end = raw.find(_END, end + 1)
    return end


class FitsHeader:
    """The cards of one unit.

    Args:
        cards: What follows the keyword, by keyword filled up to eight characters.
        size: Number of bytes that the header fills, whole blocks.
    """

    def __init__(self, cards: dict[str, str], size: int = 0) -> None:
        self._cards = cards
        self.size = size

    @classmethod
    def parse(cls, raw: bytes, start: int = 0) -> "FitsHeader":
        """Take the cards from the bytes of a file.

        Args:
            raw: The bytes.
            start: Where the header starts.

        Returns:
            The header; of a doubled card the first.

        Raises:
            DataError: If there is no header, or it does not end.
        """
        if not raw.startswith(_STARTS, start):
            raise DataError("no FITS file: no header is there")
        end = end_card(raw, start)
        if end < 0:
            raise DataError("no whole FITS file: a header does not end")
        text = raw[start:end].decode("latin-1")
        # From the last to the first, which so replaces those of the same name.
        places = range(len(text) - _CARD, -_CARD, -_CARD)
        cards = {text[place : place + 8]: text[place + 8 : place + _CARD] for place in places}
        return cls(cards, filled(end + _CARD - start))

    @cached_property
    def data_size(self) -> int:
        """Number of bytes of the data, without what fills them up to whole blocks.

        Raises:
            DataError: If a count is missing or negative, or all are more than any file holds.
        """
        axes, n_heap = self.shape, self.whole("PCOUNT")
        if n_heap < 0:
            raise DataError("no sound FITS file: PCOUNT is negative")
        n_values = n_heap + math.prod(axes) if axes else 0
        size = abs(self.whole("BITPIX")) // 8 * max(1, self.whole("GCOUNT")) * n_values
        if size >= _MOST_BYTES:
            raise DataError("no sound FITS file: it says that it holds more than it can")
        return size

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes, the slowest first; empty without data.

        Raises:
            DataError: If one is not there, or negative, or there are more than the standard allows.
        """
        if not 0 <= self.whole("NAXIS") <= MAX_AXES:
            raise DataError(f"no sound FITS file: NAXIS must lie within 0 and {MAX_AXES}")
        axes = tuple(self.whole(f"NAXIS{axis}", -1) for axis in range(self.whole("NAXIS"), 0, -1))
        if any(axis < 0 for axis in axes):
            raise DataError("no sound FITS file: the lengths of the axes are missing")
        return axes

    def number(self, key: str) -> float:
        """Value of a card as a float, NaN when it is missing or no number."""
        text, bare, _ = self._parts(key)
        value = (bare if text is None else text).strip()
        if not _NUMBER.fullmatch(value):
            return math.nan
        return float(value.upper().replace("D", "E"))

    def whole(self, key: str, default: int = 0) -> int:
        """Value of a card as an integer, ``default`` when it is missing or none."""
        value = self._parts(key)[1].strip()
        return int(value) if _WHOLE.fullmatch(value) else default

    def text(self, key: str) -> str:
        """Value of a card as text without outer blanks, empty when it is missing or no text.

        Control characters, which the standard forbids, become blanks.
        """
        text = self._parts(key)[0]
        return "" if text is None else _NO_TEXT.sub(" ", text.replace("''", "'")).strip()

    def logical(self, key: str) -> bool | None:
        """Value of a card that holds T or F, ``None`` when it is missing or another."""
        return {"T": True, "F": False}.get(self._parts(key)[1].strip())

    def comment(self, key: str) -> str:
        """Comment of a card without outer blanks, empty when there is none."""
        return _NO_TEXT.sub(" ", self._parts(key)[2]).strip()

    def __contains__(self, key: str) -> bool:
        """Whether there is such a card."""
        return key.ljust(8) in self._cards

    def _parts(self, key: str) -> tuple[str | None, str, str]:
        """Text, else the bare value, and the comment."""
        card = self._cards.get(key.ljust(8), "")
        if card.startswith("=") and "'" not in card:
            bare, _, comment = card[1:].partition("/")  # Most cards: quicker than the expression.
            return None, bare.lstrip(" "), comment
        match = _VALUE.match(card)
        if match is None:
            return None, "", ""
        text, bare, comment = match.groups()
        return text, bare or "", comment or ""
