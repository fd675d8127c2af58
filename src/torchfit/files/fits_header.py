"""FITS headers, a card looked at only when it is asked for.

A survey file has 150 cards of which twenty matter; parsing them all takes ten times longer than
all the rest of reading it.
"""

import math
import re

from torchfit.exceptions import DataError

UNIT = 2880
"""Headers and data fill blocks of this many bytes."""
_CARD = 80
_END = b"END".ljust(_CARD)
_STARTS = (b"SIMPLE  =", b"XTENSION=")
_VALUE = re.compile(r"= *(?:'((?:[^']|'')*)'|([^/]*))[^/]*(?:/(.*))?", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[ED][+-]?\d+)?", re.IGNORECASE)


def filled(size: int) -> int:
    """Bytes of whole blocks that hold ``size`` bytes."""
    return -(-size // UNIT) * UNIT


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
        end = raw.find(_END, start)
        while end >= 0 and (end - start) % _CARD:
            end = raw.find(_END, end + 1)
        if end < 0:
            raise DataError("no whole FITS file: a header does not end")
        text = raw[start:end].decode("latin-1")
        # From the last to the first, which so replaces those of the same name.
        places = range(len(text) - _CARD, -_CARD, -_CARD)
        cards = {text[place : place + 8]: text[place + 8 : place + _CARD] for place in places}
        return cls(cards, filled(end + _CARD - start))

    @property
    def data_size(self) -> int:
        """Number of bytes of the data, without what fills them up to whole blocks."""
        axes = self.shape
        n_values = self.whole("PCOUNT") + math.prod(axes) if axes else 0
        return abs(self.whole("BITPIX")) // 8 * max(1, self.whole("GCOUNT")) * n_values

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes, the slowest first; empty without data.

        Raises:
            DataError: If one is not there, or negative.
        """
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
        return int(value) if re.fullmatch(r"[+-]?\d+", value) else default

    def text(self, key: str) -> str:
        """Value of a card as text without outer blanks, empty when it is missing or no text."""
        text = self._parts(key)[0]
        return "" if text is None else text.replace("''", "'").strip()

    def comment(self, key: str) -> str:
        """Comment of a card without outer blanks, empty when there is none."""
        return self._parts(key)[2].strip()

    def __contains__(self, key: str) -> bool:
        """Whether there is such a card."""
        return key.ljust(8) in self._cards

    def _parts(self, key: str) -> tuple[str | None, str, str]:
        """Text, else the bare value, and the comment."""
        match = _VALUE.match(self._cards.get(key.ljust(8), ""))
        if match is None:
            return None, "", ""
        text, bare, comment = match.groups()
        return text, bare or "", comment or ""
