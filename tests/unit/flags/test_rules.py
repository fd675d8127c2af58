import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torchfit.flags.bits import ResultFlag
from torchfit.flags.rules import Flagging, combine

LOWER, UPPER = torch.tensor([-2.0, 0.0]).double(), torch.tensor([2.0, 1.0]).double()


def on_edge(*labels, edge=1.0, wanted=None, sigma=(0.2, 0.05)):
    unit, wanted, sigma = (torch.tensor([x]).double() for x in (labels, wanted or labels, sigma))
    return bool(Flagging(edge=edge).on_edge(unit, (wanted, sigma), LOWER, UPPER))


@pytest.mark.parametrize("labels", [(-2.0, 0.5), (2.0, 0.5), (0.0, 0.0), (0.0, 1.0), (3.0, 0.5)])
def test_a_label_on_or_beyond_the_edge_counts(labels):
    assert on_edge(*labels)


@pytest.mark.parametrize("labels", [(0.0, 0.5), (-1.999, 0.001), (1.999, 0.999)])
def test_a_label_inside_does_not(labels):
    assert not on_edge(*labels)


def test_a_label_that_no_template_varies_has_no_edge():
    labels, bound = torch.tensor([[0.0, 0.5]]).double(), torch.tensor([0.0]).double()
    lower, upper = (torch.cat([each[:1], bound]) for each in (LOWER, UPPER))
    found = Flagging().on_edge(labels, (labels, torch.full_like(labels, 1e-3)), lower, upper)
    assert found.tolist() == [False]


def test_a_star_whose_spectrum_asks_for_labels_beyond_is_held_back():
    inside = (0.0, 0.5)
    assert on_edge(*inside, wanted=(-2.3, 0.5))
    assert on_edge(*inside, wanted=(0.0, 1.06))
    assert not on_edge(*inside, wanted=(-2.1, 1.04))
    assert on_edge(*inside, wanted=(-2.1, 0.5), edge=0.0)
    assert not on_edge(*inside, wanted=(-2.3, 0.5), edge=2.0)


def test_a_label_of_which_the_spectrum_says_nothing_is_not_held_back():
    unknown = (torch.nan, 0.5)
    assert not on_edge(0.0, 0.5, wanted=unknown, sigma=unknown)


def test_stars_are_judged_one_by_one():
    unit = torch.tensor([[0.0, 0.5], [2.0, 0.5], [0.0, 0.5]]).double()
    wanted = torch.tensor([[0.0, 0.5], [2.0, 0.5], [5.0, 0.5]]).double()
    found = Flagging().on_edge(unit, (wanted, torch.full_like(unit, 0.1)), LOWER, UPPER)
    assert found.tolist() == [False, True, True]


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


def moved(*distance):
    start = torch.tensor([[5000.0, 4.0, -0.5]]).double()
    widths = torch.tensor([[1000.0, 1.0, 0.5]]).double()
    return bool(Flagging().has_moved(start + torch.tensor([distance]).double(), start, widths))


@pytest.mark.parametrize("distance", [(1001, 0, 0), (0, -1.01, 0), (0, 0, 0.51)])
def test_one_label_beyond_its_interval_has_moved(distance):
    assert moved(*distance)


def test_labels_within_their_intervals_have_not():
    assert not moved(-999, 0.99, 0.49)


def test_a_velocity_that_is_not_known_is_not_large():
    v_rad = torch.tensor([0.0, 61.0, -61.0, torch.nan])
    assert Flagging().is_moving(v_rad).tolist() == [False, True, True, False]


def masked(pattern, known=None, share=0.2):
    good = torch.tensor([[letter == "g" for letter in pattern]])
    known = torch.tensor([letter == "k" for letter in known or "k" * len(pattern)])
    return bool(Flagging(max_masked=share).is_masked(good, known))


def test_gaps_within_a_spectrum_count_and_its_ends_do_not():
    assert masked("gbbgggggg")
    assert not masked("gbggggggg")
    assert not masked("bbbbbgbggggggbbbbb")


def test_pixels_that_the_emulator_does_not_know_do_not_count():
    assert not masked("gbbbggggg", "kuuukkkkk")


def test_a_spectrum_without_a_good_pixel_has_no_gap():
    assert not masked("bbbb")


def test_a_match_is_poor_for_what_its_noise_allows_and_below_the_least():
    cfi, allowed = torch.tensor(
        [
            [0.49, 1.0], [0.51, 1.0], [0.49, 0.9], [0.26, 0.5], [0.24, 0.1], [torch.nan, 0.9],
            [-1.0, 0.0],
        ],
        dtype=torch.float64,
    ).unbind(dim=1)  # fmt: skip
    poor = [True, False, False, False, True, True, True]
    assert Flagging().is_poor(cfi, allowed).tolist() == poor
