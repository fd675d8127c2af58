"""Tables brought to a schema: its columns, in its order and of its types."""

from collections.abc import Sequence

import pandas as pd
from pandas.api.types import pandas_dtype

from torchfit.catalogue.schema import Column
from torchfit.exceptions import CatalogueError
from torchfit.files.table_pieces import Table, with_computed


def with_missing(table: Table, schema: Sequence[Column]) -> Table:
    """Return ``table`` with the columns of the schema that it lacks, all of them missing.

    Args:
        table: A table.
        schema: The columns wanted; none of those that it lacks is of a type without a null.

    Returns:
        A new table.
    """
    absent = [column for column in schema if column.name not in table]

    def missing(piece: pd.DataFrame, rows: slice) -> dict[str, pd.Series]:
        """The columns that are not there, for some rows."""
        return {column.name: _missing(piece.index, column) for column in absent}

    return with_computed(table, [schema[0].name], missing) if absent else table


def _missing(index: pd.Index, column: Column) -> pd.Series:
    return pd.Series(None, index, pandas_dtype(column.dtype))


def conform_all(table: Table, schema: Sequence[Column]) -> Table:
    """Return a table, on disk or in memory, with the columns of the schema; see :func:`conform`."""
    if isinstance(table, pd.DataFrame):
        return conform(table, schema)
    demand_columns(table, schema)
    others = {c.name: c for c in schema if table.dtype(c.name) != pandas_dtype(c.dtype)}

    def cast(piece: pd.DataFrame, rows: slice) -> dict[str, pd.Series]:
        """The columns of another type, for some rows."""
        return {name: _cast(piece[name], column) for name, column in others.items()}

    cast_table = table.computed(list(others), cast) if others else table
    return cast_table.select([column.name for column in schema])


def conform(table: pd.DataFrame, schema: Sequence[Column]) -> pd.DataFrame:
    """Return ``table`` with the columns of the schema, in its order and its types.

    Args:
        table: A table with every column of the schema, in any order; None and NaN are missing.
        schema: The columns.

    Returns:
        A new table with a fresh index.

    Raises:
        CatalogueError: If a column is missing, unknown, or does not fit its type.
    """
    demand_columns(table, schema)
    cast = {column.name: _cast(table[column.name], column) for column in schema}
    return pd.DataFrame(cast, copy=False)


def demand_columns(table: Table, schema: Sequence[Column]) -> None:
    """Demand that a table has the columns of the schema and no others.

    Raises:
        CatalogueError: If a column is missing or unknown.
    """
    differing = {column.name for column in schema} ^ set(map(str, table))
    if differing:
        raise CatalogueError(
            f"columns {sorted(differing)} are in the table or in the schema but not in both; "
            "declare a new column in torchfit.catalogue.schema"
        )


def _cast(values: pd.Series, column: Column) -> pd.Series:
    values = values.reset_index(drop=True)
    if column.dtype == "str":
        # The word "nan" or "None" is no name of a star.
        texts = values if values.dtype == "str" else values.astype(object)
        values = texts.where(values.notna(), "")
    try:
        return values.astype(pandas_dtype(column.dtype))
    except (TypeError, ValueError) as error:
        raise CatalogueError(
            f"column {column.name} cannot become {column.dtype}: {error}"
        ) from error
