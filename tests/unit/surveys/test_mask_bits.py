import numpy as np
import pytest

from torchfit.exceptions import ConfigError, SpectrumError
from torchfit.surveys.mask_bits import has_bits, mask_of, names_in

BITS = {"NEAR": 0, "NODATA": 5, "FAR": 31}


def test_names_become_a_number_and_back():
    assert mask_of(["FAR", "NEAR", "NEAR"], BITS, "data.masked") == 2**31 + 1
    assert names_in(2**31 + 1, BITS) == "NEAR, FAR"
    assert names_in(2, BITS) == "2"


def test_an_unknown_name_is_one_line():
    with pytest.raises(ConfigError, match="no bit HERE; there are NEAR, NODATA, FAR"):
        mask_of(["HERE"], BITS, "data.masked")


@pytest.mark.parametrize("kind", ["i4", ">i8", "u4", "f8"])
def test_pixels_with_any_of_the_bits(kind):
    mask = np.array([0, 1, 2, 32, 33], dtype=kind)
    assert has_bits(mask, 33, "x").tolist() == [False, True, False, True, True]


@pytest.mark.parametrize("value", [0.5, np.nan, np.inf, 1e30])
def test_what_is_no_mask_is_refused(value):
    with pytest.raises(SpectrumError, match="x: its mask"):
        has_bits(np.array([0.0, value]), 1, "x")
