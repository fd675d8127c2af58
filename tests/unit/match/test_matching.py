import pytest
import torch

from torchfit.exceptions import ConfigError
from torchfit.match.cfi import correlate
from torchfit.match.matched_sets import PriorIntervals, matched_sets
from torchfit.match.matching import Matching
from torchfit.match.start import start_labels


@pytest.fixture
def cfi(library, observe, draw_labels):
    return correlate(observe(draw_labels(4, 3), 0.01), library.spectra)


def test_it_passes_its_settings_on(library, cfi):
    matching = Matching(t=7, n_best=2, prior=PriorIntervals(teff=300.0))
    start = matching.start(cfi, library)
    assert torch.equal(start, start_labels(cfi, library.labels, 2))
    sets, widths = matching.sets(cfi, library, start)
    assert widths.tolist() == [[300.0, 1.0, 0.5]] * 4
    assert torch.equal(sets, matched_sets(cfi, library.labels, start, widths, 7))


@pytest.mark.parametrize("wrong", [{"t": 0}, {"n_best": 0}, {"scatter": 0.0}])
def test_a_number_below_one_is_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Matching(**wrong)
