from dataclasses import replace

import numpy as np
import pytest

from torchfit.mock.instrument import lamost, mastar
from torchfit.mock.observe import LAMOST, MASTAR, Telescope
from torchfit.mock.sky import LINES

CALM = replace(LAMOST, ripple=0.0, residual=0.0, cosmic_rays=0.0, dead_columns=0.0)


@pytest.fixture(scope="module")
def flux():
    wave = lamost(1800.0).wave
    return 1 + 0.2 * np.sin(wave / 50)


def telescope(conditions=LAMOST, **changes):
    return Telescope(lamost(1800.0), replace(conditions, **changes))


def far_from_sky(wave):
    return np.abs(wave[:, None] / LINES[:, 0] - 1).min(axis=1) > 2e-3


@pytest.mark.parametrize("snr", [5.0, 30.0, 200.0])
def test_noise_is_what_ivar_says(flux, snr):
    scope, wave = telescope(), lamost(1800.0).wave
    scaled = []
    for observation in range(20):
        made = scope.expose(flux, snr, 0, observation)
        good = (made.ivar > 0) & far_from_sky(wave)
        scaled.append(((made.flux - made.truth) * np.sqrt(made.ivar))[good])
    scaled = np.concatenate(scaled)
    assert scaled.std() == pytest.approx(1.0, abs=0.01)
    assert scaled.mean() == pytest.approx(0.0, abs=0.02)
    assert np.abs(scaled).max() < 6


def test_sky_lines_leave_more_than_noise(flux):
    made = [telescope().expose(flux, 20.0, 0, observation) for observation in range(60)]
    at_line = np.abs(lamost(1800.0).wave - 5578.9).argmin()
    scaled = [(m.flux - m.truth)[at_line] * m.ivar[at_line] ** 0.5 for m in made]
    assert np.std(scaled) > 2


@pytest.mark.parametrize("snr", [4.0, 20.0, 100.0])
def test_signal_to_noise_is_as_asked(flux, snr):
    made = telescope(CALM, snr_scatter=0.0).expose(flux, snr, 0, 0)
    wave = lamost(1800.0).wave
    red = (wave > 6100) & (wave < 6800)
    assert np.median(made.truth[red] * np.sqrt(made.ivar[red])) == pytest.approx(snr, rel=0.1)


def test_noise_rises_at_the_ends_and_between_the_arms(flux):
    made = telescope(CALM).expose(np.ones_like(flux), 50.0, 0, 0)
    wave, sigma = lamost(1800.0).wave, made.ivar**-0.5

    def near(centre):
        return np.median(sigma[np.abs(wave - centre) < 30])

    assert near(5875) > 1.8 * near(5500)
    assert near(3750) > 1.5 * near(6500)
    assert near(8980) > 1.5 * near(6500)


def test_faint_in_the_blue_as_lamost_is():
    """Noise over the continuum of a flat spectrum, in units of that at 6100-6800 Angstrom.

    The medians of 38 A stars of DR1, DR7 and DR8 are 2.4, 1.3, 1.1, 1.2 and 0.93.
    """
    wave, steep = lamost(1800.0).wave, lambda wave: (wave / 6400) ** -2
    made = telescope(CALM).expose(steep(wave), 38.0, 0, 0)
    relative = made.ivar**-0.5 / steep(wave)

    def near(centre, half=100):
        return np.median(relative[np.abs(wave - centre) < half])

    found = [near(c) / near(6450, 350) for c in (4000, 4500, 5000, 5500, 7100)]
    np.testing.assert_allclose(found, [2.4, 1.3, 1.1, 1.2, 0.93], rtol=0.25)


@pytest.mark.parametrize("conditions", [LAMOST, MASTAR])
def test_arms_meet_without_a_gap(conditions):
    wave = np.linspace(3500, 10500, 701)
    covered = sum((arm.throughput(wave) > 0).astype(int) for arm in conditions.arms)
    assert (covered == 1).all()


def test_cosmic_rays_are_hit_and_masked_around(flux):
    made = telescope(cosmic_rays=8.0, dead_columns=0.0).expose(flux, 50.0, 3, 1)
    hits = np.flatnonzero(made.hit)
    assert len(hits) > 2
    for hit in hits:
        assert (made.ivar[max(hit - 2, 0) : hit + 3] == 0).all()
    assert (made.flux[hits] > 1.3 * made.truth[hits]).all()
    untouched = np.convolve(made.hit, np.ones(5), mode="same") == 0
    assert (made.ivar[untouched] > 0).all()


def test_dead_columns_are_masked(flux):
    made = telescope(CALM, dead_columns=20.0).expose(flux, 50.0, 0, 0)
    assert 0.02 < (made.ivar == 0).mean() < 0.3


def test_the_ripple_is_smooth_and_small(flux):
    made = telescope(CALM, ripple=0.03).expose(np.ones_like(flux), 50.0, 0, 5)
    level = made.truth / np.median(made.truth)
    assert 0.003 < level.std() < 0.15
    assert np.abs(np.diff(level)).max() < 1e-3


def test_an_observation_is_the_same_again_and_no_other(flux):
    first, again = (telescope().expose(flux, 30.0, 1, 2) for _ in range(2))
    np.testing.assert_array_equal(first.flux, again.flux)
    np.testing.assert_array_equal(first.ivar, again.ivar)
    for other in (telescope().expose(flux, 30.0, 1, 3), telescope().expose(flux, 30.0, 2, 2)):
        assert (first.flux != other.flux).mean() > 0.99


def test_velocities_of_faint_stars_are_worse(flux):
    def sigma(snr):
        return telescope(snr_scatter=0.0).expose(flux, snr, 0, 0).velocity_sigma

    assert sigma(5.0) > 2 * sigma(100.0)
    errors = [telescope().expose(flux, 20.0, 0, number).velocity_error for number in range(200)]
    assert np.std(errors) == pytest.approx(sigma(20.0), rel=0.2)


def test_mastar_is_calmer():
    flux = np.ones(4563)
    made = Telescope(mastar(1800.0), MASTAR).expose(flux, 100.0, 0, 0)
    assert (made.ivar > 0).mean() > 0.97
    assert made.velocity_error == 0
