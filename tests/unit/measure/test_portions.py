import logging

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torchfit.exceptions import DeviceMemoryError
from torchfit.measure.portions import Portions

SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=12)
"""Stars of groups."""


def ends(sizes):
    return [0, *torch.tensor(sizes).cumsum(0).tolist()]


def within(room, seen=None):
    """A device that has room for so many stars."""

    def compute(stars):
        if seen is not None:
            seen.append(len(stars))
        if len(stars) > room:
            raise torch.OutOfMemoryError("out of memory\nmuch more of it")
        return list(stars)

    return compute


@given(SIZES, st.none() | st.integers(1, 30))
def test_every_star_is_computed_once_and_in_order(sizes, most):
    stars = range(sum(sizes))
    results = Portions(most).compute(within(1000), stars, ends(sizes))
    assert [star for result in results for star in result] == list(stars)
    assert set(ends(sizes)) >= {result[0] for result in results}, "cut within a group"
    if most is not None:
        assert all(len(result) <= max(most, *sizes) for result in results)


@given(SIZES, st.none() | st.integers(1, 30), st.integers(9, 40))
def test_what_does_not_fit_is_halved_and_nothing_is_lost(sizes, most, room):
    """The largest group has room, so some portion has."""
    stars = range(sum(sizes))
    results = Portions(most).compute(within(room), stars, ends(sizes))
    assert [star for result in results for star in result] == list(stars)


def test_it_stays_at_what_has_fitted(caplog):
    seen, portions = [], Portions()
    with caplog.at_level(logging.WARNING):
        portions.compute(within(3, seen), range(16), range(17))
        portions.compute(within(3, seen), range(4), range(5))
    assert seen == [16, 8, 4, *[2] * 8, 2, 2]
    assert "16 stars at once do not fit into the memory of the device: it goes on with 8" in (
        caplog.text
    )


@pytest.mark.parametrize(
    ("places", "what"), [(range(5), "one star does"), ([0, 4], "one group of 4 stars does")]
)
def test_what_cannot_be_parted_is_one_clear_line(places, what):
    with pytest.raises(DeviceMemoryError) as caught:
        Portions().compute(within(0), range(4), places)
    assert str(caught.value).startswith(f"{what} not fit into the memory of the device (out of")
    assert "\n" not in str(caught.value)


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    def fail(stars):
        raise RuntimeError("wrong")

    with pytest.raises(RuntimeError, match="wrong"):
        Portions().compute(fail, range(4), range(5))
