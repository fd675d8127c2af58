import pytest
import torch

from torchfit.exceptions import ConfigError
from torchfit.match.matched_sets import PriorIntervals, matched_sets

LABELS = torch.tensor(
    [[5000.0, 4.0], [5100.0, 4.1], [5200.0, 2.0], [6500.0, 4.0], [9000.0, 4.0]],
    dtype=torch.float64,
)
START = torch.tensor([[5050.0, 4.0]], dtype=torch.float64)
WIDTHS = torch.tensor([[1000.0, 1.0]], dtype=torch.float64)


def cfi(*values):
    return torch.tensor([values], dtype=torch.float64)


def test_inside_come_first_by_correlation_then_the_closest_in_temperature():
    found = matched_sets(cfi(0.1, 0.2, 0.99, 0.98, 0.97), LABELS, START, WIDTHS, 5)
    assert found.tolist() == [[1, 0, 2, 3, 4]]


def test_only_t_are_taken():
    found = matched_sets(cfi(0.1, 0.2, 0.99, 0.98, 0.97), LABELS, START, WIDTHS, 2)
    assert found.tolist() == [[1, 0]]


def test_limits_of_the_intervals_are_inside():
    edge = torch.tensor([[6500.0, 5.0]], dtype=torch.float64)
    found = matched_sets(cfi(0.9, 0.8, 0.7, 0.1, 0.2), LABELS, edge, WIDTHS, 2)
    assert found[0, 0] == 3


def test_nothing_inside_starts_from_the_best_of_all():
    far = torch.tensor([[20000.0, 4.0]], dtype=torch.float64)
    found = matched_sets(cfi(0.1, 0.2, 0.3, 0.9, 0.8), LABELS, far, WIDTHS, 4)
    assert found.tolist() == [[3, 2, 1, 0]]


def test_a_small_library_gives_all_it_has():
    assert matched_sets(cfi(0.1, 0.2, 0.3, 0.9, 0.8), LABELS, START, WIDTHS, 99).shape == (1, 5)


def test_half_widths_are_wider_for_hot_stars():
    teff = torch.tensor([5000.0, 9999.0, 10000.0, 20000.0], dtype=torch.float64)
    names = ("teff", "logg", "fe_h", "alpha_fe")
    found = PriorIntervals().half_widths(teff, names, torch.zeros(3, 4))
    assert found[:, 0].tolist() == [1000.0, 1000.0, 5000.0, 5000.0]
    assert found[:, 1:].tolist() == [[1.0, 0.5, 0.2]] * 4


def test_half_widths_come_in_the_order_of_the_labels():
    prior = PriorIntervals(fe_h=0.7)
    found = prior.half_widths(torch.tensor([5000.0]), ("teff", "fe_h"), torch.zeros(3, 2))
    assert found.tolist() == [[1000.0, pytest.approx(0.7)]]


def test_the_half_width_of_any_other_label_is_its_spread_over_the_library():
    labels = torch.tensor([[5000.0, 0.0, 7.0], [5000.0, 30.0, 7.0], [5000.0, 60.0, 7.0]])
    prior = PriorIntervals(other=0.5)
    found = prior.half_widths(torch.tensor([5000.0]), ("teff", "vsini", "constant"), labels)
    assert found.tolist() == [[1000.0, 15.0, 0.5]]


@pytest.mark.parametrize("name", ["teff", "teff_hot", "logg", "fe_h", "alpha_fe", "other"])
def test_a_half_width_must_be_positive(name):
    with pytest.raises(ConfigError, match="positive"):
        PriorIntervals(**{name: 0.0})
