"""Text of many makers as lines: encodings, byte-order marks, line ends, bytes that do not fit."""

import codecs
import io
from collections.abc import Callable, Iterator
from pathlib import Path

from torchfit.exceptions import DataError
from torchfit.files.packed import open_packed

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD = 4096
_LONGEST = 1 << 20


def encoding_of(head: bytes) -> str:
    """Encoding by the byte-order mark or, in UTF-16 without one, by the place of the zeros.

    Args:
        head: The first bytes of a text.

    Returns:
        A name that Python knows; UTF-8 if nothing says another.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    even, odd = head[::2], head[1::2]
    if odd.count(0) > len(odd) / 2 and even.count(0) < len(even) / 2:
        return "utf-16-le"
    if even.count(0) > len(even) / 2 and odd.count(0) < len(odd) / 2:
        return "utf-16-be"
    return "utf-8"


def read_lines(path: Path, encoding: str | None, note: Callable[[str], None]) -> Iterator[str]:
    r"""Read a text line by line, gzipped or not.

    Args:
        path: The file.
        encoding: What it is encoded in; ``None`` to find out. A line that is no UTF-8 is then
            taken for Windows-1252, which only texts outside ASCII can show.
        note: Called with what a reader of the table must know.

    Yields:
        The lines, each with its end as ``\n``.

    Raises:
        DataError: If a line is longer than a million characters.
        OSError: If the file cannot be read.
    """
    with open_packed(path, note) as stream:
        known = encoding or encoding_of(stream.peek(_HEAD)[:_HEAD])
        is_utf8 = known.replace("_", "-").lower() in ("utf-8", "utf-8-sig")
        text = io.TextIOWrapper(stream, known, "surrogateescape" if is_utf8 else "replace")
        odd = 0
        while line := text.readline(_LONGEST):
            if len(line) >= _LONGEST:
                raise DataError("a line has more than a million characters")
            if not line.isascii() and _is_odd(line):
                line, odd = _mended(line) if is_utf8 else line, odd + 1
            yield line
        if odd:
            taken = " and were taken for Windows-1252" if is_utf8 else ""
            note(f"{odd} lines are not {known}{taken}; encoding=NAME sets another")


def _is_odd(line: str) -> bool:
    return "\ufffd" in line or any("\udc80" <= character <= "\udcff" for character in line)


def _mended(line: str) -> str:
    return line.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
