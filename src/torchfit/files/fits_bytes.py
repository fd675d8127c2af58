"""The bytes of one small file, unpacked, with a bound on both: a survey of millions meets all."""

import stat
from pathlib import Path

from torchfit.exceptions import SpectrumError

try:
    # The same in all it takes and refuses, and twice as fast.
    from zlib_ng import zlib_ng as zlib
except ImportError:
    import zlib  # type: ignore[no-redef]

MAX_BYTES = 16 << 20
"""Most bytes of a file of one spectrum, packed or unpacked: a hundred times those of LAMOST."""
GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 31
"""What zlib calls its window and the wrapping of gzip."""
_MAX_MEMBERS = 256


def read_bytes(path: Path, source: str, limit: int = MAX_BYTES) -> bytes:
    """Read a regular file whole, and unpack it if it is gzipped.

    What follows the gzip stream is ignored, as the length of the content follows from the content.

    Args:
        path: The file.
        source: What to call it in an error.
        limit: Most bytes that it may have, before and after unpacking; no more are unpacked.

    Returns:
        The content.

    Raises:
        SpectrumError: If there is no such file, it is none but a folder or a pipe, cannot be read,
            is empty, damaged, cut short, or larger than the limit.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # Opening a pipe would wait for its other end.
            raise SpectrumError(f"{source}: cannot be read (not a regular file)")
        if status.st_size > limit:
            raise _too_large(source, limit)
        with path.open("rb") as file:
            raw = file.read(status.st_size + 1)
    except FileNotFoundError as error:
        raise SpectrumError(f"{source}: no such file") from error
    except OSError as error:
        raise SpectrumError(f"{source}: cannot be read ({error.strerror or error})") from error
    if len(raw) > status.st_size:
        raise SpectrumError(f"{source}: cannot be read (it is being written)")
    return unpack(raw, source, limit)


def unpack(raw: bytes, source: str, limit: int = MAX_BYTES) -> bytes:
    """Unpack bytes if they are gzipped.

    Args:
        raw: Bytes of a file.
        source: What to call it in an error.
        limit: Most bytes that are unpacked.

    Raises:
        SpectrumError: If there is no byte, the stream is damaged or cut short, or holds more.
    """
    if not raw:
        raise SpectrumError(f"{source}: the file is empty")
    if not raw.startswith(GZIP_MAGIC):
        return raw
    pieces: list[bytes] = []
    try:
        while raw.startswith(GZIP_MAGIC):
            unpacking = zlib.decompressobj(_GZIP)
            pieces.append(unpacking.decompress(raw, limit + 1))
            if sum(map(len, pieces)) > limit or len(pieces) > _MAX_MEMBERS:
                raise _too_large(source, limit)
            if not unpacking.eof:
                raise SpectrumError(f"{source}: damaged gzip file (it is cut short)")
            raw = unpacking.unused_data
    except zlib.error as error:  # type: ignore[misc]
        raise SpectrumError(f"{source}: damaged gzip file ({error})") from error
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _too_large(source: str, limit: int) -> SpectrumError:
    return SpectrumError(f"{source}: larger than {limit >> 20} MiB, not the file of one spectrum")
