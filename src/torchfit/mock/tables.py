"""The small tables of atoms, lines and bands that lie beside this file."""

import csv
from functools import cache
from importlib.resources import files


@cache
def read_table(name: str) -> dict[str, list[str]]:
    """Read a table of the package.

    Args:
        name: File name: ``elements.csv``, ``lines.csv``, ``molecules.csv`` or ``bands.csv``.

    Returns:
        The columns as text, by name.
    """
    text = files("torchfit.mock").joinpath(name).read_text(encoding="ascii")
    header, *rows = csv.reader(text.splitlines())
    return {
        name: list(column) for name, column in zip(header, zip(*rows, strict=True), strict=True)
    }


def numbers(name: str, column: str) -> list[float]:
    """A column of a table as numbers."""
    return [float(text) for text in read_table(name)[column]]
