import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.files.column_table import ColumnTable
from torchfit.files.table_pieces import pieces_of, rows_of, rows_where, with_computed


def made_frame(n_rows):
    """A column of every kind, with missing values where a kind has them."""
    row = np.arange(n_rows)
    return pd.DataFrame(
        {
            "int": row + 2**60,
            "null": pd.array([None if n % 3 == 1 else 2**60 + n for n in row], "Int64"),
            "float": np.where(row % 4 == 2, np.nan, row / 3).astype(np.float32),
            "bool": row % 2 == 0,
            "text": pd.Series([f"β {n}" if n % 5 else "" for n in row], dtype="str"),
        }
    )


@pytest.fixture(params=[0, 1, 4, 5, 11])
def frame(request):
    return made_frame(request.param)


@pytest.fixture(autouse=True)
def few_rows(monkeypatch):
    monkeypatch.setattr("torchfit.files.column_table.ROWS", 4)


@pytest.fixture
def table(tmp_path, frame):
    """The frame on disk, written in uneven pieces."""
    return ColumnTable.of(tmp_path, [frame[:3], frame[3:]])


def whole(table):
    return table if isinstance(table, pd.DataFrame) else table[list(table)]


def double(piece, rows):
    return {"twice": piece["float"] * 2, "row": np.arange(rows.start, rows.stop)}


def test_every_kind_of_column_is_read_back(table, frame):
    assert len(table) == len(frame)
    assert list(table) == list(frame)
    assert "text" in table and "other" not in table
    pd.testing.assert_frame_equal(whole(table), frame)
    for name in frame:
        pd.testing.assert_series_equal(table[name], frame[name])
        assert table.dtype(name) == frame[name].dtype


def test_pieces_are_all_rows_in_order_and_at_least_one(table, frame):
    pieces = list(table.pieces(["text", "int"]))
    assert [len(piece) for piece in pieces][:-1] == [4] * (len(pieces) - 1)
    assert list(pieces[0]) == ["text", "int"]
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), frame[["text", "int"]])


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.assign(new=np.arange(len(table)), text="x", null=table["int"]),
        lambda table: table.assign(new=table["text"]).assign(new=table["null"]),
        lambda table: with_computed(table, ["float"], double),
        lambda table: with_computed(table.assign(a=1.0), ["a", "float"], double),
        lambda table: rows_where(table, (table["int"] % 3 == 0).to_numpy()),
        lambda table: rows_where(table, np.zeros(len(table), dtype=bool)),
        lambda table: rows_of(table, np.arange(len(table))[::-2], ["text", "null"]),
    ],
)
def test_on_disk_and_in_memory_a_change_gives_the_same(table, frame, change):
    pd.testing.assert_frame_equal(whole(change(table)), whole(change(frame)))
    pd.testing.assert_frame_equal(whole(table), frame)


def test_columns_of_several_files_come_together(table, frame):
    more = table.assign(new=table["float"]).select(["new", "int"])
    pieces = pd.concat(pieces_of(more), ignore_index=True)
    pd.testing.assert_frame_equal(pieces, frame.assign(new=frame["float"])[["new", "int"]])


@given(st.lists(st.integers(0, 10), max_size=20))
def test_rows_come_in_the_order_asked_for(tmp_path_factory, rows):
    frame = made_frame(11)
    table = ColumnTable.of(tmp_path_factory.mktemp("t"), [frame])
    wanted = np.array(rows, dtype=int)
    pd.testing.assert_frame_equal(
        rows_of(table, wanted, list(frame)), rows_of(frame, wanted, list(frame))
    )


def test_pieces_of_other_columns_are_refused(tmp_path):
    with pytest.raises((KeyError, ValueError)):
        ColumnTable.of(tmp_path, [pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})])
