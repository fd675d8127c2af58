"""Names of files as text: what they may hold, and what is left of them without their ending."""

import re

_ENDING = re.compile(r"\.(?:fits|fit|fts)(?:\.gz|\.fz)?$", re.IGNORECASE)
_PACKED = "gz|bz2|xz|z|zip|zst|part|tmp"
_ANY_ENDING = re.compile(rf"(?:\.\w{{1,8}})?\.(?:{_PACKED})$|\.\w{{1,8}}$", re.IGNORECASE)
_NOT_SHOWN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def is_fits_name(name: str) -> bool:
    """Whether a name ends as those of FITS files do: ``.fits .fit .fts``, ``.gz`` or ``.fz``."""
    return _ENDING.search(name) is not None


def stem(path: str) -> str:
    """Name of a FITS file without its folder and its ending.

    Args:
        path: Path with forward slashes.
    """
    return _ENDING.sub("", path.rpartition("/")[2])


def ending(name: str) -> str:
    """Ending of a name in lower case, with that before it if it is one of packing: ``.tar.gz``."""
    match = _ANY_ENDING.search(name.lstrip("."))
    return match[0].lower() if match else ""


def printable(text: str) -> str:
    r"""Text that every format and terminal takes, from the name of a file.

    Bytes of a name that are not UTF-8 come from Python as lone surrogates, which no UTF-8 file
    takes; they and control characters are escaped as Python writes them: ``caf\udce9.fits``.

    Args:
        text: A name, or a text with one in it.

    Returns:
        The same text wherever it can be written.
    """
    return _NOT_SHOWN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
