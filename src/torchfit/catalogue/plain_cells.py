"""Texts that no program takes for more than texts when it opens a CSV file."""

import pandas as pd

FORMULA = ("=", "+", "-", "@")
"""First characters that make a spreadsheet compute a cell."""
_CONTROL = r"[\x00-\x1f\x7f-\x9f]"
_QUOTE = "'"


def plain_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts a spreadsheet shows as they are.

    A text that begins as a formula does gets a quotation mark before it, as spreadsheets themselves
    write it, and control characters, which only a damaged header has, become blanks.

    Args:
        table: Any table; its columns of numbers stay as they are.

    Returns:
        A new table.

    References:
        OWASP, CSV injection.
    """
    texts = table.select_dtypes(include=["object", "string"]).columns
    return table.assign(**{str(name): _plain(table[name]) for name in texts})


def _plain(values: pd.Series) -> pd.Series:
    texts = values.astype("str").str.replace(_CONTROL, " ", regex=True)
    is_formula = texts.str.lstrip().str.startswith(FORMULA)
    return texts.mask(is_formula.fillna(False).astype(bool), _QUOTE + texts)
