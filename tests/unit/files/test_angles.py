import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.files.angles import Angles


def cells(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


def degrees(texts, **settings):
    angles = Angles("x", **settings)
    taken = angles.take(cells(texts))
    return angles.degrees(taken, angles.sexagesimal)


SPELLINGS = ["12 54 55.58", "12:54:55.58", "12h54m55.58s", " 12h 54m 55.58s "]


@pytest.mark.parametrize("text", SPELLINGS)
def test_sexagesimal_right_ascensions_are_hours(text):
    assert degrees([text], hours=True)[0] == pytest.approx(15 * (12 + 54 / 60 + 55.58 / 3600))


@pytest.mark.parametrize("text", ["-00 10 49.5", "−00:10:49.5", "-00d10m49.5s", "-0°10′49.5″"])
def test_sexagesimal_declinations_keep_the_sign_of_zero(text):
    assert degrees([text])[0] == pytest.approx(-(10 / 60 + 49.5 / 3600))


def test_sexagesimal_degrees_are_told_by_their_size_or_unit():
    np.testing.assert_allclose(degrees(["193 30 00", "12 00 00"], hours=True), [193.5, 12.0])
    np.testing.assert_allclose(degrees(["12 30 00"], hours=True, unit="d:m:s"), [12.5])


@pytest.mark.parametrize(("unit", "factor"), [("h", 15), ("hourangle", 15), ("deg", 1), ("", 1)])
def test_decimal_angles_are_in_their_unit(unit, factor):
    np.testing.assert_allclose(degrees(["1.5"], hours=True, unit=unit), [1.5 * factor])


@given(st.floats(0, 359.99), st.floats(-90, 90))
def test_sexagesimal_angles_are_those_of_astropy(ra, dec):
    from astropy.coordinates import Angle

    there = Angle(ra, "deg").to_string("hour", sep=":", precision=6)
    up = Angle(dec, "deg").to_string("deg", sep=" ", precision=6, alwayssign=True)
    assert degrees([there], hours=True)[0] == pytest.approx(ra, abs=1e-8)
    assert degrees([up])[0] == pytest.approx(dec, abs=1e-8)
