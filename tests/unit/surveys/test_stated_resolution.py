import numpy as np
import pytest

from torchfit.exceptions import ConfigError
from torchfit.surveys.stated_resolution import StatedResolution

WAVE = np.array([4000.0, 5000.0])


def test_a_width_is_the_same_everywhere_and_a_resolving_power_is_not():
    assert StatedResolution(lsf_fwhm=2.5).fwhm(WAVE).tolist() == [2.5, 2.5]
    assert StatedResolution(resolving_power=2000.0).fwhm(WAVE).tolist() == [2.0, 2.5]
    sigma = StatedResolution(resolving_power=2000.0).sigma(WAVE)
    np.testing.assert_allclose(sigma * 2 * np.sqrt(2 * np.log(2)), [2.0, 2.5])


def test_nothing_stated_is_nothing():
    assert StatedResolution().fwhm(WAVE) is None and StatedResolution().sigma(WAVE) is None


@pytest.mark.parametrize("key", ["lsf_fwhm", "resolving_power"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_it_must_be_a_positive_number(key, value):
    with pytest.raises(ConfigError, match=f"{key}=.* must be a positive number"):
        StatedResolution(**{key: value})


def test_one_of_both():
    with pytest.raises(ConfigError, match="state one of lsf_fwhm and resolving_power"):
        StatedResolution(2.5, 2000.0)


def test_a_resolving_power_is_no_width():
    """Widths of thousands of Angstrom, and a convolution with them has no end."""
    with pytest.raises(ConfigError, match="resolving_power"):
        StatedResolution(lsf_fwhm=1800.0)
