"""Which kind of table a file is, by its first bytes, and by its ending where they do not tell."""

import re
from pathlib import Path

from torchfit.exceptions import DataError
from torchfit.files.text_lines import encoding_of

_BINARY = {b"PAR1": "parquet", b"ARROW1": "feather", b"SIMPLE  =": "fits", b"XTENSION=": "fits"}
_NO_TABLE = {
    b"PK": "a zip archive or a spreadsheet: unpack it, or save it as CSV",
    b"\xd0\xcf\x11\xe0": "a spreadsheet: save it as CSV",
    b"\x89HDF": "HDF5: save the table as FITS or Parquet",
    b"%PDF": "a PDF",
    b"\x93NUMPY": "a numpy array: save it as FITS or Parquet",
}
_ENDINGS = {
    "parquet": "parquet", "pq": "parquet", "feather": "feather", "arrow": "feather",
    "fits": "fits", "fit": "fits", "vot": "votable", "votable": "votable", "xml": "votable",
    "ecsv": "ecsv",
}  # fmt: skip
"""Kinds that the first bytes must show, by the ending of the name."""
_CONTROL = re.compile(r"[\x00-\x06\x0e-\x1a]")
_MOST_CONTROL = 0.02
"""Largest share of control characters in a text, which damage can bring into it."""
_IPAC_TYPES = re.compile(r"\|\s*(i|int|l|long|f|float|d|double|r|real|c|char|date)\s*\|")
KINDS = "parquet, feather, fits, votable, ecsv, and text (csv, tsv, txt, dat, mrt, ipac)"


def table_kind(path: Path, head: bytes) -> str:
    """Tell the kind of a table.

    Args:
        path: The file.
        head: Its first bytes, unpacked.

    Returns:
        ``parquet``, ``feather``, ``fits``, ``votable``, ``text``, or a format of
        ``astropy.io.ascii``.

    Raises:
        DataError: If it is empty, or no table.
    """
    if not head:
        raise DataError("cannot be read as a table: the file is empty")
    for magic, kind in _BINARY.items():
        if head.startswith(magic):
            return kind
    for magic, what in _NO_TABLE.items():
        if head.startswith(magic):
            raise DataError(f"unknown kind of table: it is {what}")
    if head[257:262] == b"ustar":
        raise DataError("unknown kind of table: it is a tar archive, unpack it")
    kind = _text_kind(head.decode(encoding_of(head), "replace"))
    endings = path.name.lower().split(".")[1:]
    claimed = next((_ENDINGS[end] for end in endings[::-1] if end in _ENDINGS), kind)
    if claimed != kind:
        raise DataError(f"cannot be read as a table: it holds no {claimed}")
    return kind


def _text_kind(text: str) -> str:
    start = text.lstrip("\ufeff \t\r\n")
    if start[:1] == "<":
        if "<VOTABLE" in text or ":VOTABLE" in text:
            return "votable"
        raise DataError("cannot be read as a table: it is a web page or XML, not a VOTable")
    if len(_CONTROL.findall(text)) > len(text) * _MOST_CONTROL:
        raise DataError(f"unknown kind of table; known are {KINDS}")
    if start.startswith("# %ECSV"):
        return "ecsv"
    if "Byte-by-byte Description of file" in text:
        return "mrt" if start.startswith("Title:") else "cds"
    lines = [line for line in start.splitlines() if not line.startswith("\\")]
    is_ipac = len(lines) > 1 and lines[0].startswith("|") and _IPAC_TYPES.match(lines[1])
    return "ipac" if is_ipac else "text"
