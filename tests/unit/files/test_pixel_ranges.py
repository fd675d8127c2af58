import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.files.pixel_ranges import pixels_in, ranges_of


@pytest.mark.parametrize(
    ("pixels", "text"),
    [("....", ""), ("#...", "0"), ("...#", "3"), ("####", "0-3"), ("##.#", "0-1 3")],
)
def test_ranges(pixels, text):
    row = np.array([[letter == "#" for letter in pixels]])
    assert ranges_of(row) == [text]


@given(st.lists(st.lists(st.booleans(), min_size=7, max_size=7), max_size=4))
def test_what_is_written_is_read_back(rows):
    pixels = np.array(rows, dtype=bool).reshape(-1, 7)
    np.testing.assert_array_equal(pixels_in(ranges_of(pixels), 7), pixels)


@pytest.mark.parametrize("text", ["4", "2-4", "3-2", "a", "-1"])
def test_what_are_no_pixels_is_an_error(text):
    with pytest.raises(ValueError):
        pixels_in([text], 4)
