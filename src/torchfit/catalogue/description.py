"""The schema in the words astropy writes into its own files, so that it reads ours as fully."""

from collections.abc import Mapping, Sequence

import astropy.table as at
from astropy.table.meta import get_yaml_from_table

from torchfit.catalogue.schema import Column


def astropy_yaml(schema: Sequence[Column], meta: Mapping[str, object]) -> list[str]:
    """Return the YAML header that astropy stores with a table.

    Args:
        schema: Columns of the table.
        meta: What becomes ``Table.meta``.

    Returns:
        Lines with name, unit, type and description of every column.
    """
    return get_yaml_from_table(at.Table([_empty(column) for column in schema], meta=dict(meta)))


def _empty(column: Column) -> at.Column:
    dtype = column.dtype.lower()
    return at.Column([], column.name, dtype, unit=column.unit or None, description=column.text)
