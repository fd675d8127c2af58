"""Tables that a user has, in the formats of the field, read some rows at a time."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from astropy.utils.exceptions import AstropyWarning

from torchfit.exceptions import DataError
from torchfit.files.astropy_table import open_ascii, open_votables
from torchfit.files.binary_tables import open_arrow, open_fits
from torchfit.files.opened_table import OpenedTable
from torchfit.files.packed import open_packed
from torchfit.files.table_kind import table_kind
from torchfit.files.text_table import open_texts

_SHOWN = 60
_HEAD = 16 << 10

Wanted = Mapping[str, Sequence[str]]
"""Names that a column may have in the file, by what it is called here."""


@dataclass(frozen=True)
class TableFile:
    """A table of which the columns are chosen.

    Args:
        path: The file.
        table: The table in it.
        places: Where the columns stand, by what they are called here.
        notes: What a reader must know; more of them may come while it is read.
    """

    path: Path
    table: OpenedTable
    places: Mapping[str, int]
    notes: list[str] = field(default_factory=list)

    @property
    def columns(self) -> dict[str, str]:
        """What the columns are called in the file."""
        return {here: self.table.names[place] for here, place in self.places.items()}

    def unit(self, here: str) -> str:
        """Unit of a column; empty if it has none, or is not there."""
        place = self.places.get(here)
        return "" if place is None else self.table.units[place]

    def pieces(self) -> Iterator[dict[str, pa.ChunkedArray]]:
        """Read the columns, some rows at a time.

        Yields:
            The columns by what they are called here.

        Raises:
            DataError: If the file is damaged.
        """
        places = sorted(set(self.places.values()))
        with one_clear_error(self.path):
            for piece in self.table.pieces(places):
                yield {here: piece[str(place)] for here, place in self.places.items()}
        self.notes.extend(self.table.notes)


@contextmanager
def one_clear_error(path: Path) -> Iterator[None]:
    """One line for whatever keeps a table from being read; a damaged one can raise anything."""
    try:
        with quiet_astropy():
            yield
    except DataError as error:
        note = str(error)
        raise DataError(note if str(path) in note else f"{path}: {note}") from error
    except Exception as error:
        raise DataError(f"{path} cannot be read as a table ({_one_line(error)})") from error


@contextmanager
def quiet_astropy() -> Iterator[None]:
    """Silence what astropy says about files that break a standard but hold no harm."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        yield


def open_tables(path: Path, encoding: str | None = None) -> Iterator[OpenedTable]:
    """Open the tables of a file, whatever its format; its first bytes tell which.

    Args:
        path: The file, or a folder of Parquet.
        encoding: What a text is encoded in; ``None`` to find out.

    Yields:
        The tables; the next is looked for only when it is asked for.

    Raises:
        DataError: If the file is missing, damaged, or of no such format.
    """
    if not path.exists():
        raise DataError(f"no such table: {path}")
    with one_clear_error(path):
        yield from _opened(path, _kind(path), encoding)


def find_columns(
    path: Path, wanted: Wanted, optional: Sequence[str] = (), encoding: str | None = None
) -> TableFile:
    """Find columns that may be called one thing or another, in the first table that has them.

    Args:
        path: The file.
        wanted: Names that a column may have in the file, by what it is called here. An exact name
            goes before one in other case.
        optional: Columns that need not be there.
        encoding: What a text is encoded in; ``None`` to find out.

    Returns:
        The table with the columns.

    Raises:
        DataError: If the file cannot be read, or no table in it has all columns that are not
            optional.
    """
    lacking: DataError | None = None
    for number, table in enumerate(open_tables(path, encoding), start=1):
        try:
            places = choose(path, table, wanted, optional)
        except DataError as error:
            lacking = lacking or error
            continue
        notes = [f"table {number} of the file is read"] if number > 1 else []
        return TableFile(path, table, places, notes)
    raise lacking or DataError(f"{path} holds no table")


def read_columns(
    path: Path, wanted: Wanted, optional: Sequence[str] = ()
) -> dict[str, pa.ChunkedArray]:
    """Read whole columns; see :func:`find_columns`.

    Returns:
        The columns that are there, as the file has them.

    Raises:
        DataError: If the file cannot be read, or lacks a column that is not optional.
    """
    found = find_columns(path, wanted, optional)
    pieces = list(found.pieces())
    return {here: joined([piece[here] for piece in pieces]) for here in found.places}


def joined(pieces: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Pieces of a column as one; without any, a column of texts without a row."""
    chunks = [chunk for piece in pieces for chunk in piece.chunks]
    return pa.chunked_array(chunks, None if chunks else pa.string())


def choose(
    path: Path, table: OpenedTable, wanted: Wanted, optional: Sequence[str] = ()
) -> dict[str, int]:
    """Choose the columns of a table.

    Args:
        path: File to name in an error.
        table: The table.
        wanted: As of :func:`find_columns`.
        optional: Columns that need not be there.

    Returns:
        Places of the columns that are there.

    Raises:
        DataError: If one is not there, or two may be meant.
    """
    found = {here: _place(path, accepted, table) for here, accepted in wanted.items()}
    lacking = [
        f"{here} (accepted: {', '.join(wanted[here])})"
        for here, place in found.items()
        if place is None and here not in optional
    ]
    if lacking:
        raise DataError(
            f"{path} has no column for {', '.join(lacking)}; it has: {_listed(table.names)}"
        )
    return {here: place for here, place in found.items() if place is not None}


def _place(path: Path, accepted: Sequence[str], table: OpenedTable) -> int | None:
    """Place of the first accepted name; one in other case only if it is the only one."""
    for names in (table.names, table.aliases):
        for name in accepted:
            alike = [n for n, each in enumerate(names) if each.lower() == name.lower()]
            few = [n for n in alike if names[n] == name] or alike
            if len(few) > 1:
                raise DataError(
                    f"{path} has {len(few)} columns that may be {name}: "
                    f"{', '.join(names[n] for n in few)}; leave one of them"
                )
            if few:
                return few[0]
    return None


def _kind(path: Path) -> str:
    if path.is_dir():
        return "parquet"
    if not path.is_file():
        raise DataError("it is no ordinary file")
    with open_packed(path, lambda _: None) as stream:
        return table_kind(path, stream.read(_HEAD))


def _opened(path: Path, kind: str, encoding: str | None) -> Iterator[OpenedTable]:
    if kind in ("parquet", "feather"):
        return open_arrow(path, kind)
    if kind == "fits":
        return open_fits(path)
    if kind == "votable":
        return open_votables(path)
    if kind == "text":
        return open_texts(path, encoding)
    return open_ascii(path, kind, encoding)


def _listed(names: Sequence[str]) -> str:
    more = f", ... ({len(names)} in all)" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
