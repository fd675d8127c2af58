import pytest

from torchfit.exceptions import ConfigError
from torchfit.paper.size import Size


@pytest.mark.parametrize(
    ("change", "word"),
    [({"n_survey": 3}, "n_survey=3"), ({"t": [1]}, "t="), ({"n_group": []}, "n_group=")],
)
def test_what_shows_nothing_is_refused(change, word):
    with pytest.raises(ConfigError, match=word):
        Size(**change)


def test_all_spectra_may_be_taken():
    assert Size(n_library=None, n_survey=None).n_library is None
