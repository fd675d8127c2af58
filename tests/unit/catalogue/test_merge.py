import numpy as np
import pandas as pd
import pytest

from torchfit.catalogue.conform import conform
from torchfit.catalogue.merge import merge_parts
from torchfit.catalogue.parts import read_part, write_part
from torchfit.catalogue.schema import columns
from torchfit.exceptions import CatalogueError
from torchfit.names import LABELS


@pytest.fixture
def parts(tmp_path, table):
    """Two parts, out of order, of the stars 0 to 6."""
    paths = [tmp_path / "0", tmp_path / "1"]
    write_part(paths[0], table[4:])
    write_part(paths[1], table[:4].sample(frac=1, random_state=0))
    return paths


@pytest.fixture
def merge(tmp_path):
    """Merge parts into a table in memory."""

    def merged(paths, stars, labels=LABELS):
        table = merge_parts(paths, stars, labels, tmp_path / "merged")
        assert len(list((tmp_path / "merged").rglob("*.*"))) == 1
        return table[list(table)]

    return merged


def test_merge_sorts_and_keeps_every_value(merge, parts, table):
    pd.testing.assert_frame_equal(merge(parts, range(7)), conform(table, columns(LABELS)))


def test_order_of_the_parts_does_not_matter(merge, parts):
    forth, back = (merge(paths, range(7)) for paths in (parts, parts[::-1]))
    pd.testing.assert_frame_equal(forth, back)


@pytest.mark.parametrize(("rows", "at_once"), [(1, 256), (2, 256), (2, 2), (3, 1), (7, 1)])
def test_any_size_of_the_pieces_gives_the_same_table(
    merge, parts, table, monkeypatch, rows, at_once
):
    """Of stars whose numbers have gaps."""
    monkeypatch.setattr("torchfit.catalogue.merge.ROWS", rows)
    monkeypatch.setattr("torchfit.catalogue.merge._AT_ONCE", at_once)
    for path in parts:
        write_part(path, read_part(path).eval("star = 3 * star + 1"))
    merged = merge(parts, np.arange(7)[::-1] * 3 + 1)
    pd.testing.assert_frame_equal(
        merged, conform(table.eval("star = 3 * star + 1"), columns(LABELS))
    )


def test_what_an_interrupted_run_has_left_is_removed(merge, parts, tmp_path, table):
    (tmp_path / "merged" / "buckets").mkdir(parents=True)
    (tmp_path / "merged" / "buckets" / "000000.arrow").write_text("half")
    assert len(merge(parts, range(7))) == 7


def test_more_parts_than_are_read_together_are_one_table(merge, tmp_path, table, monkeypatch):
    """Identifiers beyond 2^53 keep every digit."""
    monkeypatch.setattr("torchfit.catalogue.merge._AT_ONCE", 2)
    table = table.assign(obsid=pd.array([2**60 + n for n in range(6)] + [None], dtype="Int64"))
    paths = [tmp_path / str(star) for star in range(7)]
    for star in range(7):
        write_part(paths[6 - star], table[star : star + 1])
    merged = merge(iter(paths), range(7))
    pd.testing.assert_frame_equal(merged, conform(table, columns(LABELS)))
    assert merged["obsid"].tolist()[:6] == [2**60 + n for n in range(6)]


def test_a_part_with_other_columns_is_named(merge, tmp_path, parts, table):
    write_part(tmp_path / "2", table[:1].assign(extra=1.0))
    with pytest.raises(CatalogueError, match="2 has other columns than"):
        merge([*parts, tmp_path / "2"], range(7))


def test_part_without_published_labels_keeps_the_types(merge, tmp_path, parts, table):
    bare = table[:1].assign(star=7, obsid=None, teff_lit=None, name=None)
    write_part(tmp_path / "2", bare)
    merged = merge([*parts, tmp_path / "2"], range(8))
    assert merged.dtypes.equals(conform(table, columns(LABELS)).dtypes)


def test_missing_stars_are_named_and_counted(merge, parts):
    with pytest.raises(CatalogueError, match=r"star 7, 8, 9, 10, 11, \.\.\. \(13 in all\) missing"):
        merge(parts, range(20))


def test_doubled_and_unexpected_stars_are_named(merge, parts):
    with pytest.raises(CatalogueError, match=r"star 4, 5, 6 doubled; star 6 not expected"):
        merge([*parts, parts[0]], range(6))


def test_no_part_for_no_star_is_an_empty_table(merge):
    merged = merge([], [], LABELS[:3])
    assert len(merged) == 0
    assert list(merged.columns) == [column.name for column in columns(LABELS[:3])]
