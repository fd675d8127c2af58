import numpy as np
import pandas as pd

from torchfit.catalogue.binary_rows import NULL, binary_rows
from torchfit.catalogue.schema import Column

SCHEMA = [
    Column("star", "", "int64", "a number"),
    Column("obsid", "", "Int64", "one that may be missing"),
    Column("teff", "K", "float32", "a measurement"),
    Column("name", "", "str", "a text"),
    Column("good", "", "bool", "a truth"),
]
TABLE = pd.DataFrame(
    {
        "star": [1, 2, 3],
        "obsid": pd.array([2**60, None, 7], dtype="Int64"),
        "teff": np.array([5777, np.nan, -1], dtype=np.float32),
        "name": ["a", "", "bcd"],
        "good": [True, False, True],
    }
)


def made(first=()):
    pieces = binary_rows(
        TABLE,
        SCHEMA,
        lambda column: (column.name, "S3"),
        lambda values, column: values.to_numpy(dtype="S3"),
        first,
    )
    return list(pieces)


def test_cells_are_big_endian_and_keep_every_digit():
    ((_, rows),) = made()
    assert rows.dtype.itemsize == 8 + 8 + 4 + 3 + 1
    assert rows["obsid"].tolist() == [2**60, NULL, 7]
    assert rows["good"].tolist() == [b"T", b"F", b"T"]
    assert rows["name"].tolist() == [b"a", b"", b"bcd"]
    np.testing.assert_array_equal(rows["teff"], TABLE["teff"])
    assert rows[:1].tobytes()[:8] == (1).to_bytes(8, "big")


def test_pieces_are_all_rows_in_order(monkeypatch):
    monkeypatch.setattr("torchfit.catalogue.binary_rows._ROWS_AT_ONCE", 2)
    pieces = made()
    assert [len(piece) for piece, _ in pieces] == [2, 1]
    assert np.concatenate([rows["star"] for _, rows in pieces]).tolist() == [1, 2, 3]


def test_a_field_before_the_columns_is_left_empty():
    ((_, rows),) = made([("null", "u1", (1,))])
    assert rows.dtype.names[0] == "null"
    assert (rows["null"] == 0).all()
