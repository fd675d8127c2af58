import pytest

from torchfit.library.cuts import LabelBox
from torchfit.spectra import StarInfo

BOX = LabelBox(("teff", "logg"), {"teff": (4000.0, 7000.0)}, exclude=("HD 1",))


def star(name="HD 2", **labels):
    return StarInfo("file", name=name, labels=labels)


@pytest.mark.parametrize("teff", [4000.0, 5000.0, 7000.0])
def test_limits_are_inside(teff):
    assert BOX.keeps(star(teff=teff, logg=4.0))


@pytest.mark.parametrize("teff", [3999.9, 7000.1, float("nan"), float("inf")])
def test_what_lies_outside_or_is_not_a_number_goes(teff):
    assert not BOX.keeps(star(teff=teff, logg=4.0))


def test_a_label_without_limits_must_only_exist():
    assert BOX.keeps(star(teff=5000.0, logg=-99.0))
    assert not BOX.keeps(star(teff=5000.0))
    assert not BOX.keeps(star(teff=5000.0, logg=float("nan")))


def test_excluded_stars_go():
    assert not BOX.keeps(star("HD 1", teff=5000.0, logg=4.0))


def test_a_box_without_labels_keeps_all():
    assert LabelBox(()).keeps(star())


@pytest.mark.parametrize(
    ("errors", "kept"), [({"teff": 100.0}, True), ({"teff": 100.1}, False), ({}, False)]
)
def test_an_error_that_is_too_large_or_not_known_goes(errors, kept):
    box = LabelBox(("teff",), max_errors={"teff": 100.0})
    assert box.keeps(StarInfo("file", labels={"teff": 5000.0}, label_errors=errors)) is kept
