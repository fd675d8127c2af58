"""Headers of FITS files, written card by card."""

from collections.abc import Mapping

UNIT = 2880
"""Headers and data fill blocks of this many bytes."""


def header(cards: Mapping[str, object]) -> bytes:
    """Write a header unit.

    Args:
        cards: Values by keyword.

    Returns:
        Cards of 80 characters and END, filled up with blanks.
    """
    lines = [f"{key:8}= {_value(value)}".ljust(80) for key, value in cards.items()]
    text = "".join([*lines, "END".ljust(80)])
    return text.ljust(-(-len(text) // UNIT) * UNIT).encode("ascii")


def table_header(extname: str, formats: Mapping[str, str], row: int, n_rows: int) -> bytes:
    """Write the header of a binary table.

    Args:
        extname: Name of the extension.
        formats: TFORM by column, in their order.
        row: Bytes of a row.
        n_rows: Number of rows.
    """
    sizes = {"BITPIX": 8, "NAXIS": 2, "NAXIS1": row, "NAXIS2": n_rows, "PCOUNT": 0, "GCOUNT": 1}
    cards: dict[str, object] = {"XTENSION": "BINTABLE", **sizes, "TFIELDS": len(formats)}
    for number, (name, tform) in enumerate(formats.items(), start=1):
        cards |= {f"TTYPE{number}": name, f"TFORM{number}": tform}
    return header(cards | {"EXTNAME": extname})


def _value(value: object) -> str:
    if isinstance(value, bool):
        return f"{'T' if value else 'F':>20}"
    return f"'{value:8}'" if isinstance(value, str) else f"{value!s:>20}"


EMPTY_UNIT = header({"SIMPLE": True, "BITPIX": 8, "NAXIS": 0, "EXTEND": True})
"""The primary unit of a file of tables."""
