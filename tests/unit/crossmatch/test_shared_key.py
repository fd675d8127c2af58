import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.crossmatch.shared_key import SharedKey
from torchfit.exceptions import ConfigError


def match(ours, theirs, **patterns):
    tables = pd.DataFrame({"a": ours}), pd.DataFrame({"b": theirs})
    return SharedKey("a", "b", **patterns).match(*tables).tolist()


def test_equal_identifiers_match():
    assert match(["x", "y", "z"], ["z", "x"]) == [1, -1, 0]


def test_an_empty_identifier_matches_nothing():
    assert match(["", None, "x"], ["", "x", None]) == [-1, -1, 1]


def test_integers_match_their_text():
    ours = pd.array([3428806540132843520, None, 12], "Int64")
    assert match(ours, ["12", "3428806540132843520"]) == [1, -1, 0]


def test_the_first_of_several_rows_counts():
    assert match(["x"], ["y", "x", "x"]) == [1]


def test_repeat_visits_share_a_row():
    assert match(["x", "x"], ["x"]) == [0, 0]


def test_a_column_that_we_have_not_matches_nothing():
    key = SharedKey("uid", "b")
    assert key.match(pd.DataFrame({"a": ["x"]}), pd.DataFrame({"b": ["x"]})).tolist() == [-1]


def test_empty_tables():
    assert match([], ["x"]) == []
    assert match(["x"], []) == [-1]
    assert match(["x"], ["", ""]) == [-1]


def test_identifiers_within_texts():
    ours = ["20150914/spec-57287-KP193637N444141V03_sp10-161.fits.gz", "other.fits"]
    theirs = ["20150914-KP193637N444141V03-10-161", "20150914-KP193637N444141V03-10-162"]
    found = match(
        ours,
        theirs,
        our_pattern=r"spec-\d{5}-(.+)_sp(\d{2})-(\d{3})\.fits",
        their_pattern=r"^\d{8}-(.+)-(\d{2})-(\d{3})$",
    )
    assert found == [0, -1]


@pytest.mark.parametrize("pattern", ["no group", "(", ""])
def test_a_pattern_needs_a_group(pattern):
    with pytest.raises(ConfigError, match="regular expression with a group"):
        SharedKey("a", "b", our_pattern=pattern)


words = st.lists(st.sampled_from(["", "a", "b", "c", "d"]), max_size=12)


@given(words, words)
def test_it_is_what_a_loop_would_find(ours, theirs):
    expected = [theirs.index(word) if word and word in theirs else -1 for word in ours]
    assert match(ours, theirs) == expected
