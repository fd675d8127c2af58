import numpy as np
import pytest
import torch

from torchfit.exceptions import ConfigError
from torchfit.group.grouping import Grouping
from torchfit.group.label_pca import fit_label_pca


def test_stars_without_a_type_are_classed_by_temperature():
    start = np.array([[5000.0, 4.0], [5500.0, 4.0], [9000.0, 4.0]])
    classes, group = Grouping(n_group=2).order(["G2", "Non", ""], start)
    assert classes == ["G", "G", "A"]
    assert group.tolist() == [1, 1, 0]


def test_one_type_is_needed_for_each_star():
    with pytest.raises(ValueError, match="zip"):
        Grouping().order(["G2"], np.ones((2, 3)))


def test_it_passes_its_settings_on(library):
    sets = torch.arange(24).reshape(2, 12)
    scale = torch.ones(2, 3, dtype=torch.float64)
    found = Grouping(variance=0.7, max_comp=3).label_pca(library.labels, sets, scale)
    expected = fit_label_pca(library.labels, sets, scale, 0.7, 3)
    assert torch.equal(found.scores, expected.scores)


@pytest.mark.parametrize(
    "wrong", [{"n_group": 0}, {"variance": 0.0}, {"variance": 1.1}, {"max_comp": 0}]
)
def test_a_number_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Grouping(**wrong)
