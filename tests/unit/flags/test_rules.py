import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torchfit.flags.bits import ResultFlag
from torchfit.flags.rules import Flagging, combine

LOWER, UPPER = torch.tensor([-2.0, 0.0]).double(), torch.tensor([2.0, 1.0]).double()


def on_edge(*labels, edge=1e-6):
    return bool(Flagging(edge=edge).on_edge(torch.tensor([labels]).double(), LOWER, UPPER))


@pytest.mark.parametrize("labels", [(-2.0, 0.5), (2.0, 0.5), (0.0, 0.0), (0.0, 1.0), (3.0, 0.5)])
def test_a_label_on_or_beyond_the_edge_counts(labels):
    assert on_edge(*labels)


@pytest.mark.parametrize("labels", [(0.0, 0.5), (-1.999, 0.001), (1.999, 0.999)])
def test_a_label_inside_does_not(labels):
    assert not on_edge(*labels)


def test_the_edge_is_a_share_of_the_width():
    assert on_edge(-1.9, 0.5, edge=0.05)
    assert not on_edge(-1.7, 0.5, edge=0.05)
    assert on_edge(0.0, 0.04, edge=0.05)
    assert not on_edge(0.0, 0.06, edge=0.05)


def test_stars_are_judged_one_by_one():
    unit = torch.tensor([[0.0, 0.5], [2.0, 0.5], [0.0, 1.0]]).double()
    assert Flagging().on_edge(unit, LOWER, UPPER).tolist() == [False, True, True]


@given(st.lists(st.sets(st.sampled_from(list(ResultFlag))), min_size=1, max_size=20))
def test_a_bit_is_set_exactly_where_its_rule_says_so(stars):
    rules = {flag: torch.tensor([flag in star for star in stars]) for flag in ResultFlag}
    combined = combine(rules)
    assert [ResultFlag(value) for value in combined.tolist()] == [
        ResultFlag(sum(int(flag) for flag in star)) for star in stars
    ]


def test_no_rule_that_applies_is_zero():
    nothing = torch.zeros(3, dtype=torch.bool)
    assert combine({ResultFlag.EDGE: nothing, ResultFlag.NO_ERRORS: nothing}).tolist() == [0, 0, 0]
