import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.mock.population import HIGHEST, LIBRARY, LOWEST, SURVEY, MockStar
from torchfit.names import LABELS


@pytest.fixture(scope="module", params=[SURVEY, LIBRARY], ids=["survey", "library"])
def labels(request):
    drawn = [request.param.draw(0, number) for number in range(3000)]
    return np.array([[star.labels[name] for name in LABELS] for star in drawn])


def test_labels_stay_inside(labels):
    assert (labels >= LOWEST).all()
    assert (labels <= HIGHEST).all()


def test_every_class_is_there(labels):
    for low, high in ((3000, 3850), (3850, 5250), (5250, 6000), (6000, 7300), (7300, 10000)):
        assert ((labels[:, 0] > low) & (labels[:, 0] < high)).mean() > 0.02
    assert (labels[:, 0] > 10000).mean() > 0.01
    assert (labels[:, 1] < 3.5).mean() > 0.1


def test_alpha_falls_with_metallicity(labels):
    poor, rich = labels[:, 2] < -0.8, labels[:, 2] > -0.1
    assert np.median(labels[poor, 3]) - np.median(labels[rich, 3]) > 0.15


def test_dwarfs_lie_on_the_main_sequence():
    stars = [SURVEY.draw(1, number).labels for number in range(1500)]
    warm = [star for star in stars if 5500 < star["teff"] < 6500]
    assert np.median([star["logg"] for star in warm]) == pytest.approx(4.3, abs=0.15)


@given(st.integers(0, 2**32), st.integers(0, 10**8))
def test_a_star_is_the_same_whatever_else_is_drawn(seed, number):
    assert SURVEY.draw(seed, number) == SURVEY.draw(seed, number)
    assert SURVEY.draw(seed, number) != SURVEY.draw(seed + 1, number)


def test_the_real_designation():
    """FORMATS.md, appendix A: the example of a real header."""
    star = MockStar(0, {}, 66.432980, 32.625089, 0.0, 0.0, 1.0)
    assert star.designation == "LAMOST J042543.91+323730.3"
    assert MockStar(0, {}, 0.0, -0.5, 0.0, 0.0, 1.0).designation == "LAMOST J000000.00-003000.0"


@given(st.floats(0, 359.9999999), st.floats(-90, 90))
def test_designations_have_one_form(ra, dec):
    text = MockStar(0, {}, ra, dec, 0.0, 0.0, 1.0).designation
    assert len(text) == 26
    assert float(text[12:17]) < 60
    assert float(text[22:]) < 60
