import pytest

from torchfit.exceptions import ConfigError
from torchfit.surveys.label_pattern import LabelPattern

BOSZ = LabelPattern(
    r"am(?P<fe_h>[mp]\d\d)c.*t(?P<teff>\d+)g(?P<logg>\d\d)", {"fe_h": 0.1, "logg": 0.1}
)


@pytest.mark.parametrize(("sign", "value"), [("p", 0.5), ("m", -0.5)])
def test_letters_stand_for_signs_and_factors_for_points(sign, value):
    found = BOSZ.labels_of(f"am{sign}05cp00op00t5000g45v20.fits")
    assert found == {"fe_h": pytest.approx(value), "teff": 5000.0, "logg": pytest.approx(4.5)}


def test_words_stand_for_values_and_unknown_ones_for_none():
    pattern = LabelPattern("(?P<fe_h>[A-Z])(?P<teff>[0-9]+)", words={"fe_h": {"G": 0.0}})
    assert pattern.labels_of("G20000") == {"fe_h": 0.0, "teff": 20000.0}
    assert pattern.labels_of("Q20000") == {"teff": 20000.0}


def test_a_label_that_is_left_out_is_not_there_and_zero_has_no_sign():
    pattern = LabelPattern(r"t(?P<teff>\d+)(?P<fe_h>[+-]\d\.\d)?")
    assert pattern.labels_of("t5000") == {"teff": 5000.0}
    assert str(pattern.labels_of("t5000-0.0")["fe_h"]) == "0.0"


def test_other_names_and_no_expression():
    assert BOSZ.labels_of("README.txt") is None
    assert LabelPattern().labels_of("anything") == {}


def test_what_is_no_pattern_is_one_line():
    with pytest.raises(ConfigError, match="is no regular expression"):
        LabelPattern("t(?P<teff>")
    with pytest.raises(ConfigError, match="has no group"):
        LabelPattern(r"t\d+")
