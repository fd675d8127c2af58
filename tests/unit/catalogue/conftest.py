import numpy as np
import pandas as pd
import pytest

from torchfit.catalogue.conform import conform
from torchfit.catalogue.schema import catalogue_columns, columns
from torchfit.names import LABELS


def _catalogue(n_stars, labels=LABELS):
    """A catalogue in the types of its schema; see :func:`_table`."""
    return conform(_table(n_stars, labels, catalogue_columns), catalogue_columns(labels))


def _table(n_stars, labels=LABELS, schema=columns):
    """A result table with a different value in every cell, a null obsid, and odd names."""
    stars = np.arange(n_stars)
    cells = {}
    for place, column in enumerate(schema(labels)):
        cells[column.name] = _cells(column, stars, place)
    table = pd.DataFrame(cells)
    table.loc[table["star"] % 3 == 1, ["snr_u", "teff_lit", "v_rad"]] = np.nan
    return table


def _cells(column, stars, place):
    if column.name == "star":
        return stars
    if column.dtype == "str":
        return [f"{column.name} {star}" if star % 4 else "" for star in stars]
    if column.dtype == "Int64":
        return pd.array([None if star % 3 == 2 else 10**15 + star for star in stars], "Int64")
    if column.dtype == "bool":
        return stars % 2 == 0
    return (stars * 100 + place + 1.0 / 3.0 * (column.dtype != "int64")).astype(column.dtype)


@pytest.fixture
def make_table():
    return _table


@pytest.fixture
def table():
    return _table(7)


@pytest.fixture
def make_catalogue():
    return _catalogue


@pytest.fixture
def catalogue():
    return _catalogue(7)
