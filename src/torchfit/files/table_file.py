"""Tables that a user has, in the formats of the field, read column by column."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import astropy.table as at
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from torchfit.exceptions import DataError
from torchfit.files.text_table import Reader, open_text

_SHOWN = 60


@contextmanager
def quiet_astropy() -> Iterator[None]:
    """Silence what astropy says about files that break a standard but hold no harm."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        yield


def open_table(path: Path) -> Reader:
    """Open a table, whatever its format: Parquet (a file or a folder), FITS, CSV, VOTable, text.

    Args:
        path: The file; its ending names the format, and of a text the first line the separator.

    Returns:
        The names of its columns, and a function that reads those of given names.

    Raises:
        DataError: If the file is missing, damaged, or of no such format.
    """
    endings = "".join(path.suffixes[-2:]).lower().removesuffix(".gz")
    if not path.exists():
        raise DataError(f"no such table: {path}")
    try:
        with quiet_astropy():
            return _opener(path, endings.rpartition(".")[2])(path)
    except DataError:
        raise
    # A damaged file can raise anything inside a reader; to the user it is one bad table.
    except Exception as error:
        raise DataError(f"{path} cannot be read as a table ({_one_line(error)})") from error


def find_columns(
    path: Path, wanted: Mapping[str, Sequence[str]], optional: Sequence[str] = ()
) -> dict[str, str]:
    """Find columns that may be called one thing or another.

    Args:
        path: The table.
        wanted: Names that a column may have in the file, by what it is called here. An exact name
            goes before one in other case.
        optional: Columns that need not be there.

    Returns:
        What the columns that are there are called in the file.

    Raises:
        DataError: If the file cannot be read, or lacks a column that is not optional.
    """
    names, _ = open_table(path)
    found = {here: _choose(accepted, names) for here, accepted in wanted.items()}
    for here, name in found.items():
        if name is None and here not in optional:
            raise DataError(
                f"{path} has no column for {here} (accepted: {', '.join(wanted[here])}); it has: "
                f"{_listed(names)}"
            )
    return {here: name for here, name in found.items() if name is not None}


def read_columns(
    path: Path, wanted: Mapping[str, Sequence[str]], optional: Sequence[str] = ()
) -> dict[str, pd.Series]:
    """Read columns that may be called one thing or another; see :func:`find_columns`.

    Returns:
        The columns that are there, as the file has them.

    Raises:
        DataError: If the file cannot be read, or lacks a column that is not optional.
    """
    chosen = find_columns(path, wanted, optional)
    _, read = open_table(path)
    try:
        with quiet_astropy():
            columns = read(sorted(set(chosen.values())))
    except Exception as error:
        raise DataError(f"{path} cannot be read as a table ({_one_line(error)})") from error
    return {here: columns[name] for here, name in chosen.items()}


def as_numbers(values: pd.Series, missing: Sequence[float] = ()) -> np.ndarray:
    """Make floats of a column; text that is no number, and stand-ins for nothing, become NaN.

    Args:
        values: A column.
        missing: Values that mean nothing is known.

    Returns:
        Float64.
    """
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    for value in missing:
        numbers = np.where(np.isclose(numbers, value, rtol=1e-6, atol=0.0), np.nan, numbers)
    return numbers


def as_texts(values: pd.Series) -> np.ndarray:
    """Make text of a column without loss: whole numbers keep all their digits.

    Args:
        values: A column of text or of whole numbers.

    Returns:
        Strings without outer blanks; empty where there is nothing.
    """
    if pd.api.types.is_float_dtype(values):
        whole = values.where(np.isfinite(values)).round().astype("Int64")
        values = whole.where(values.notna())
    return values.astype("string").fillna("").str.strip().to_numpy(dtype=object)


def _opener(path: Path, ending: str) -> Callable[[Path], Reader]:
    if path.is_dir() or ending in ("parquet", "pq"):
        return _open_parquet
    openers: dict[str, Callable[[Path], Reader]] = {
        "fits": _open_fits,
        "fit": _open_fits,
        "vot": _open_astropy,
        "xml": _open_astropy,
        "ecsv": _open_astropy,
        "csv": open_text,
        "tsv": open_text,
        "txt": open_text,
        "dat": open_text,
    }
    if ending not in openers:
        raise DataError(f"{path}: unknown kind of table; known are parquet, {', '.join(openers)}")
    return openers[ending]


def _open_parquet(path: Path) -> Reader:
    # No partitioning for a file: that would make columns of folders named "match.t=50".
    table = ds.dataset(path, format="parquet", partitioning="hive" if path.is_dir() else None)

    def read(names: Sequence[str]) -> dict[str, pd.Series]:
        arrow = table.to_table(columns=list(names))
        return {name: arrow[name].to_pandas(types_mapper=_keep_integers) for name in names}

    return table.schema.names, read


def _keep_integers(kind: pa.DataType) -> pd.ArrowDtype | None:
    """Integers stay integers beside missing ones."""
    return pd.ArrowDtype(kind) if pa.types.is_integer(kind) else None


def _open_fits(path: Path) -> Reader:
    with fits.open(path, memmap=False) as hdus:
        place = next((n for n, hdu in enumerate(hdus) if isinstance(hdu, fits.BinTableHDU)), None)
        if place is None:
            raise DataError(f"{path} holds no binary table")
        names = hdus[place].columns.names

    def read(wanted: Sequence[str]) -> dict[str, pd.Series]:
        with fits.open(path) as hdus:
            data, columns = hdus[place].data, hdus[place].columns
            return {name: _fits_series(data[name], columns[name].null) for name in wanted}

    return names, read


def _fits_series(values: np.ndarray, null: int | None) -> pd.Series:
    """A column in the byte order of this machine; a matrix has no place in a table of stars."""
    values = np.asarray(values)
    if values.ndim > 1:
        raise DataError(f"a column holds {values.shape[1:]} values in every row")
    if values.dtype.kind not in "iuf":
        return pd.Series(values.astype(object) if values.dtype.kind in "SU" else values)
    native = pd.Series(values.astype(values.dtype.newbyteorder("=")))
    return native if null is None else native.astype("Int64").mask(values == null)


def _open_astropy(path: Path) -> Reader:
    kind = "ascii.ecsv" if path.suffix.lower() == ".ecsv" else "votable"
    table = at.Table.read(path, format=kind)
    return table.colnames, lambda names: {name: _astropy_series(table[name]) for name in names}


def _astropy_series(column: at.Column) -> pd.Series:
    mask = np.ma.getmaskarray(np.ma.asarray(column))
    values = np.asarray(column)
    if values.dtype.kind in "iu":
        return pd.Series(values.astype(np.int64)).astype("Int64").mask(mask)
    return pd.Series(values.astype(object) if values.dtype.kind in "OSU" else values).mask(mask)


def _choose(accepted: Sequence[str], names: Sequence[str]) -> str | None:
    """The first accepted name that the table has; one in other case only if it is the only one."""
    for name in accepted:
        if name in names:
            return name
        alike = [each for each in names if each.lower() == name.lower()]
        if len(alike) == 1:
            return alike[0]
    return None


def _listed(names: Sequence[str]) -> str:
    more = f", ... ({len(names)} in all)" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
