import numpy as np
import pytest

from torchfit.exceptions import ConfigError, SpectrumError
from torchfit.mock.instrument import lamost
from torchfit.mock.observe import LAMOST
from torchfit.mock.population import SURVEY
from torchfit.mock.survey import BLOCK, MockSurvey, number_of, signal_to_noise, sources
from torchfit.mock.visits import Visits


def survey(seed=0, at_rest=False):
    return MockSurvey(lamost(1800.0), SURVEY, LAMOST, Visits(0.1), seed, at_rest)


def test_an_observation_does_not_depend_on_what_came_before():
    direct = survey().observe(BLOCK + 5).exposure.flux
    for number in (3, 10 * BLOCK, BLOCK + 6):
        survey().observe(number)
    np.testing.assert_array_equal(survey().observe(BLOCK + 5).exposure.flux, direct)


def test_another_seed_is_another_survey():
    first, second = (survey(seed).observe(0) for seed in (0, 1))
    assert first.star.labels != second.star.labels


def test_a_repeat_is_the_same_star_on_another_night():
    first, again = (survey().observe(number) for number in (0, 18))
    assert (again.visit, again.star) == (1, first.star)
    assert (first.exposure.flux != again.exposure.flux).mean() > 0.99
    assert first.z != again.z
    assert abs(first.z - again.z) < 2e-4
    ratio = again.exposure.truth / first.exposure.truth
    assert 0.3 < np.median(ratio) < 3
    assert np.abs(np.diff(ratio / np.median(ratio))).max() < 5e-3


def test_rest_frame():
    moving, still = survey().observe(7), survey(at_rest=True).observe(7)
    assert abs(moving.star.z) > 2e-5
    wave = lamost(1800.0).wave
    shifted = np.interp(wave * (1 + moving.star.z), wave, moving.exposure.truth)
    at_rest = still.exposure.truth

    def difference(flux):
        inside = (wave > 4000) & (wave < 5600)
        return np.std((flux / at_rest / np.median(flux / at_rest))[inside])

    assert difference(shifted) < 0.6 * difference(moving.exposure.truth)


def test_sources_are_sorted_and_end():
    names = sources(1234)
    assert names == sorted(names)
    assert names[123] == "mock:00000123"
    assert [number_of(name, 1234) for name in names] == list(range(1234))


@pytest.mark.parametrize("n_stars", [0, -3, 10**9])
def test_impossible_numbers(n_stars):
    with pytest.raises(ConfigError, match="n_stars"):
        sources(n_stars)


@pytest.mark.parametrize("source", ["mock:00000010", "mock:", "mock:-1", "00000001", "mock:x"])
def test_no_such_spectrum(source):
    with pytest.raises(SpectrumError, match="no such"):
        number_of(source, 10)


def test_signal_to_noise_by_band():
    wave = np.linspace(3700, 9000, 5301)
    snr = signal_to_noise(wave, wave / 100, np.ones_like(wave))
    assert list(snr) == list("ugriz")
    assert snr["g"] == pytest.approx(47.5, abs=0.1)
