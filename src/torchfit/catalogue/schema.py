"""The columns of the result table: name, unit, type and meaning, declared once.

A new column is one line below; the parts, the merge and every written file follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from pandas.api.types import pandas_dtype

from torchfit.exceptions import CatalogueError
from torchfit.names import QUANTITIES


@dataclass(frozen=True)
class Column:
    """One column of the result table.

    Args:
        name: Column name, the same in every file format.
        unit: Unit in FITS spelling; empty when dimensionless.
        dtype: pandas type; ``Int64`` is an integer that may be missing, a missing number is NaN
            and a missing string is empty.
        text: One sentence in ASCII that says what it is.
    """

    name: str
    unit: str
    dtype: str
    text: str


_STAR = (
    Column("star", "", "int64", "Running number of the star in the survey"),
    Column("source", "", "str", "File, or archive:member, that the spectrum was read from"),
    Column("obsid", "", "Int64", "Identifier of the observation in the survey"),
    Column("name", "", "str", "Name of the star, shared by its repeat visits"),
    Column("ra", "deg", "float64", "Right ascension"),
    Column("dec", "deg", "float64", "Declination"),
    Column("subclass", "", "str", "Spectral type given by the survey"),
    Column("z", "", "float64", "Redshift removed from the spectrum before the fit"),
)

_SNR = tuple(
    Column(f"snr_{band}", "", "float32", f"Signal-to-noise ratio in the {band} band")
    for band in "ugriz"
)

_PER_LABEL = (
    ("{}", "{}"),
    ("e_{}", "{}: 1-sigma error from the Fisher matrix"),
    ("{}_start", "{}: start value from the matching"),
    ("{}_lit", "{}: published value carried by the survey file"),
)

_FIT = (
    Column("cfi", "", "float64", "Highest correlation of the spectrum with a library spectrum"),
    Column("chi2", "", "float64", "Chi-squared of the fit, residual covariance included"),
    Column("rchi2", "", "float64", "Chi-squared per degree of freedom"),
    Column("sse", "", "float64", "Unweighted sum of squared residuals over the good pixels"),
    Column("n_pix", "", "int64", "Number of good pixels"),
    Column("v_rad", "km/s", "float64", "Residual radial velocity found by the fit"),
    Column("group", "", "int64", "Number of the group the star was fitted in"),
    Column("spectral_class", "", "str", "Spectral class used for the grouping"),
    Column("iterations", "", "int64", "Number of iterations of the optimiser"),
    Column("evaluations", "", "int64", "Number of model evaluations"),
    Column("stop", "", "str", "Why the optimiser stopped"),
    Column("flags", "", "int64", "Quality flags, one bit each; 0 is good"),
    Column("in_library", "", "bool", "Whether this very star is in the training library"),
)


def difference_unit(unit: str) -> str:
    """Return the unit of a difference of two values: dex for dex(cm/s2), else ``unit``."""
    return unit.partition("(")[0]


def columns(labels: Sequence[str]) -> tuple[Column, ...]:
    """Return the schema of the result table in its order.

    Args:
        labels: Labels of the emulator, names from :data:`torchfit.names.QUANTITIES`.

    Returns:
        Every column; each label has a value, an error, a start value and a published value.

    Raises:
        CatalogueError: If a label is unknown.
    """
    unknown = [label for label in labels if label not in QUANTITIES]
    if unknown:
        raise CatalogueError(f"no such label: {unknown}; declare it in torchfit.names.QUANTITIES")
    per_label = tuple(
        _label_column(name, text, label) for name, text in _PER_LABEL for label in labels
    )
    return _STAR + _SNR + per_label + _FIT


def _label_column(name: str, text: str, label: str) -> Column:
    quantity = QUANTITIES[label]
    unit = difference_unit(quantity.unit) if name == "e_{}" else quantity.unit
    return Column(name.format(label), unit, "float64", text.format(quantity.text))


def conform(table: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Return ``table`` with the columns of the schema, in its order and its types.

    Args:
        table: A table with every column of the schema, in any order; None and NaN are missing.
        labels: Labels of the emulator.

    Returns:
        A new table with a fresh index.

    Raises:
        CatalogueError: If a column is missing, unknown, or does not fit its type.
    """
    schema = columns(labels)
    differing = {column.name for column in schema} ^ set(table.columns)
    if differing:
        raise CatalogueError(
            f"columns {sorted(differing)} are in the table or in the schema but not in both; "
            "declare a new column in torchfit.catalogue.schema"
        )
    return pd.DataFrame({column.name: _cast(table[column.name], column) for column in schema})


def _cast(values: pd.Series, column: Column) -> pd.Series:
    values = values.reset_index(drop=True)
    if column.dtype == "str":
        # The word "nan" or "None" is no name of a star.
        values = values.astype(object).where(values.notna(), "")
    try:
        return values.astype(pandas_dtype(column.dtype))
    except (TypeError, ValueError) as error:
        raise CatalogueError(
            f"column {column.name} cannot become {column.dtype}: {error}"
        ) from error
