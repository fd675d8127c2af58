"""Files that may be packed, as a stream of what is in them; nothing is unpacked whole."""

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path

_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
_GZIP_WINDOW = 31
"""What zlib calls its window and the wrapping of gzip."""
_READ = 1 << 18


def open_packed(path: Path, note: Callable[[str], None]) -> io.BufferedReader:
    """Open a file for reading, unpacked if its first bytes say gzip, bzip2 or xz.

    Args:
        path: The file.
        note: Called with what a reader of the table must know.

    Returns:
        A stream; closing it closes the file.

    Raises:
        OSError: If the file is missing or cannot be read.
    """
    raw = path.open("rb")
    magic = raw.read(6)
    raw.seek(0)
    if magic.startswith(_GZIP):
        return io.BufferedReader(_GzipStream(raw, note), _READ)
    if magic.startswith(_BZIP2):
        return io.BufferedReader(bz2.BZ2File(raw))
    if magic.startswith(_XZ):
        return io.BufferedReader(lzma.LZMAFile(raw))
    return raw


def is_packed(path: Path) -> bool:
    """Whether the first bytes of a file say gzip, bzip2 or xz."""
    with path.open("rb") as raw:
        return raw.read(6).startswith((_GZIP, _BZIP2, _XZ))


class _GzipStream(io.RawIOBase):
    """Unpacks gzip; where the standard library refuses bytes after the end, they are noted."""

    def __init__(self, raw: io.BufferedReader, note: Callable[[str], None]) -> None:
        self._raw, self._note = raw, note
        self._unpacking = zlib.decompressobj(_GZIP_WINDOW)
        self._packed = b""
        self._ended = False

    def readable(self) -> bool:
        """As of any stream to read from."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Unpack the next bytes into a buffer, and count them."""
        piece = b""
        while not piece and not self._ended:
            self._packed = self._packed or self._raw.read(_READ)
            if not self._packed and not self._unpacking.eof:
                raise EOFError("the gzip stream ends too early")
            piece = self._unpack(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Close the packed stream too."""
        self._raw.close()
        super().close()

    def _unpack(self, size: int) -> bytes:
        if self._unpacking.eof:
            self._next_member()
            return b""
        piece = self._unpacking.decompress(self._packed, size)
        self._packed = self._unpacking.unconsumed_tail or self._unpacking.unused_data
        return piece

    def _next_member(self) -> None:
        """Go on with another gzip stream, or end; zeros fill up what tapes and disks hold."""
        rest = self._packed.lstrip(b"\0")
        if rest.startswith(_GZIP):
            self._packed, self._unpacking = rest, zlib.decompressobj(_GZIP_WINDOW)
            return
        self._ended = not self._packed or bool(rest)
        if rest:
            self._note("bytes after the end of its gzip stream were not read")
        self._packed = b""
