import math

import pytest

from torchfit.exceptions import ConfigError
from torchfit.names import SPEED_OF_LIGHT
from torchfit.velocity.redshifts import Redshifts, VelocityMeasurement

LABELS = (5700.0, 3.0, -0.5)
Z = 1e-3


@pytest.fixture(scope="module")
def stars(observed):
    return [observed(LABELS, 60.0, z=Z), observed(LABELS, -45.0, seed=1)]


def test_a_redshift_that_is_stated_is_kept(search, stars):
    settled, found = Redshifts(search).settle(stars)
    assert settled[0] is stars[0]
    assert math.isnan(found.v[0])
    info = settled[1].info
    assert info.z == float(found.v[1]) / SPEED_OF_LIGHT
    assert info.z_err == pytest.approx(float(found.error[1]) / SPEED_OF_LIGHT)
    assert info.z * SPEED_OF_LIGHT == pytest.approx(-45, abs=5 * float(found.error[1]))


def test_all_are_measured_where_that_is_asked_for(search, stars):
    settled, found = Redshifts(search, always=True).settle(stars)
    assert [star.info.z for star in settled] == found.z.tolist()
    assert settled[0].info.z * SPEED_OF_LIGHT == pytest.approx(60, abs=5 * float(found.error[0]))


def test_none_is_measured_without_a_search(stars):
    settled, found = Redshifts().settle(stars)
    assert settled == stars
    assert found.v.isnan().all()


def test_company_does_not_matter(search, observed):
    stars = [observed(LABELS, 10.0 * seed, seed=seed) for seed in range(40)]
    whole = Redshifts(search).settle(stars)[1]
    for seed in (0, 17, 39):
        alone = Redshifts(search).settle([stars[seed]])[1]
        assert float(alone.v) == pytest.approx(float(whole.v[seed]), abs=1e-9)


@pytest.mark.parametrize(("when", "measures"), [("never", 0), ("missing", 1), ("always", 2)])
def test_when_says_which_are_measured(emulator, stars, when, measures):
    redshifts = VelocityMeasurement(when=when, n_templates=5).redshifts(emulator)
    assert int(redshifts.settle(stars)[1].v.isfinite().sum()) == measures


@pytest.mark.parametrize(
    "settings",
    [
        {"when": "often"},
        {"max_velocity": 40.0},
        {"max_velocity": math.inf},
        {"step": 0.0},
        {"step": math.nan},
        {"window": 100.0},
        {"n_templates": 0},
        {"floor": -0.1},
        {"floor": 1.0},
    ],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ConfigError, match="velocity"):
        VelocityMeasurement(**settings)
