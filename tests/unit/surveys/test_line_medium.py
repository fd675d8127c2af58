import numpy as np
import pytest

from torchfit.mock.lamost import MockLamostReader
from torchfit.surveys.line_medium import lines_in_air
from torchfit.surveys.medium import vacuum_to_air


@pytest.fixture(scope="module")
def stars():
    reader = MockLamostReader(60, repeats=0.0)
    return [reader.read(source) for source in reader.sources()]


def in_air(spectrum, wave):
    return lines_in_air(wave, spectrum.flux, spectrum.ivar, spectrum.info.z)


def test_vacuum_is_never_taken_for_air(stars):
    assert not any(in_air(star, star.wave) for star in stars)


def test_air_is_known_by_most_stars(stars):
    bright = [star for star in stars if star.info.snr.get("g", 0) > 30]
    found = [in_air(star, vacuum_to_air(star.wave)) for star in bright]
    assert np.mean(found) > 0.5


@pytest.mark.parametrize("z", [np.nan, np.inf, -9999.0, 0.12])
def test_without_a_redshift_of_a_star_lines_say_nothing(stars, z):
    star = stars[0]
    assert not lines_in_air(vacuum_to_air(star.wave), star.flux, star.ivar, z)


def test_without_a_good_pixel_lines_say_nothing(stars):
    star = stars[0]
    nothing = np.zeros_like(star.ivar)
    assert not lines_in_air(star.wave, np.full_like(star.flux, np.nan), nothing, 0.0)
