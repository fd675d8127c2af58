import pandas as pd
import pytest

from torchfit.catalogue.merge import merge_parts
from torchfit.catalogue.parts import write_part
from torchfit.catalogue.schema import columns, conform
from torchfit.exceptions import CatalogueError
from torchfit.names import LABELS


@pytest.fixture
def parts(tmp_path, table):
    """Two parts, out of order, of the stars 0 to 6."""
    paths = [tmp_path / "0", tmp_path / "1"]
    write_part(paths[0], table[4:])
    write_part(paths[1], table[:4].sample(frac=1, random_state=0))
    return paths


def test_merge_sorts_and_keeps_every_value(parts, table):
    pd.testing.assert_frame_equal(
        merge_parts(parts, range(7), LABELS), conform(table, columns(LABELS))
    )


def test_order_of_the_parts_does_not_matter(parts):
    forth, back = (merge_parts(paths, range(7), LABELS) for paths in (parts, parts[::-1]))
    pd.testing.assert_frame_equal(forth, back)


def test_more_parts_than_are_read_together_are_one_table(tmp_path, table, monkeypatch):
    """Identifiers beyond 2^53 keep every digit."""
    monkeypatch.setattr("torchfit.catalogue.merge._AT_ONCE", 2)
    table = table.assign(obsid=pd.array([2**60 + n for n in range(6)] + [None], dtype="Int64"))
    paths = [tmp_path / str(star) for star in range(7)]
    for star in range(7):
        write_part(paths[6 - star], table[star : star + 1])
    merged = merge_parts(iter(paths), range(7), LABELS)
    pd.testing.assert_frame_equal(merged, conform(table, columns(LABELS)))
    assert merged["obsid"].tolist()[:6] == [2**60 + n for n in range(6)]


def test_a_part_with_other_columns_is_named(tmp_path, parts, table):
    write_part(tmp_path / "2", table[:1].assign(extra=1.0))
    with pytest.raises(CatalogueError, match="2 has other columns than"):
        merge_parts([*parts, tmp_path / "2"], range(7), LABELS)


def test_part_without_published_labels_keeps_the_types(tmp_path, parts, table):
    bare = table[:1].assign(star=7, obsid=None, teff_lit=None, name=None)
    write_part(tmp_path / "2", bare)
    merged = merge_parts([*parts, tmp_path / "2"], range(8), LABELS)
    assert merged.dtypes.equals(conform(table, columns(LABELS)).dtypes)


def test_missing_stars_are_named_and_counted(parts):
    with pytest.raises(CatalogueError, match=r"star 7, 8, 9, 10, 11, \.\.\. \(13 in all\) missing"):
        merge_parts(parts, range(20), LABELS)


def test_doubled_and_unexpected_stars_are_named(parts):
    with pytest.raises(CatalogueError, match=r"star 4, 5, 6 doubled; star 6 not expected"):
        merge_parts([*parts, parts[0]], range(6), LABELS)


def test_no_part_for_no_star_is_an_empty_table():
    merged = merge_parts([], [], LABELS[:3])
    assert len(merged) == 0
    assert list(merged.columns) == [column.name for column in columns(LABELS[:3])]
