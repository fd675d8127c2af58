import pytest
import torch

from torchfit.exceptions import ConfigError
from torchfit.library.sample import SampleSizes, stratified


@pytest.fixture
def unit(generator):
    """Two clumps of 300 and 100 stars, and a few far away."""
    clumps = torch.randn(400, 3, generator=generator).double()
    clumps[300:] += 20
    return torch.cat([clumps, 100 + torch.randn(4, 3, generator=generator).double()])


def test_it_is_as_dense_as_the_library(unit):
    chosen = stratified(unit, 101)
    assert len(chosen.unique()) == 101
    assert abs(int((chosen < 300).sum()) - 75) <= 2
    assert int((chosen >= 400).sum()) >= 1
    assert torch.equal(chosen, chosen.sort().values)


@pytest.mark.parametrize("n_stars", [None, 404, 1000])
def test_all_are_taken_when_there_are_no_more(unit, n_stars):
    assert torch.equal(stratified(unit, n_stars), torch.arange(404))


def test_the_order_of_stars_does_not_matter(unit, generator):
    order = torch.randperm(len(unit), generator=generator)
    one, other = stratified(unit, 50), order[stratified(unit[order], 50)]
    assert torch.equal(one, other.sort().values)


def test_stars_of_equal_labels_are_chosen_as_well():
    assert len(stratified(torch.zeros(20, 3), 7).unique()) == 7


@pytest.mark.parametrize("wrong", [{"learn": 3}, {"residuals": 0}, {"folds": 0}])
def test_a_number_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SampleSizes(**wrong)
