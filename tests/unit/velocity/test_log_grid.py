import math

import pytest
import torch

from torchfit.exceptions import ConfigError
from torchfit.names import SPEED_OF_LIGHT
from torchfit.velocity.log_grid import LogGrid, flatten

GRID = LogGrid(4000.0, 5000.0, 60.0)
WAVE = torch.arange(3980.0, 5030.0, 0.7, dtype=torch.float64)[None]
ONE = torch.ones(1, dtype=torch.bool)


def test_bins_are_even_in_velocity():
    ratio = GRID.edges[1:] / GRID.edges[:-1]
    expected = math.exp(60 / SPEED_OF_LIGHT)
    torch.testing.assert_close(ratio, torch.full_like(ratio, expected))
    assert GRID.edges[0] == 4000 and 5000 / expected < GRID.edges[-1] <= 5000
    assert len(GRID.wave) == len(GRID) == len(GRID.edges) - 1


def test_a_shift_of_bins_is_a_redshift():
    shift = torch.tensor([-3.0, 0.0, 5.5], dtype=torch.float64)
    torch.testing.assert_close(
        GRID.wave[8:9] / GRID.wave[3], 1 + GRID.redshift(torch.tensor([5.0]).double())
    )
    torch.testing.assert_close((1 + GRID.redshift(shift)).log(), shift * GRID.width)


def test_the_sum_of_the_weights_is_kept():
    ivar = torch.rand(WAVE.shape, dtype=torch.float64)
    edges = GRID.edges
    inside = (edges[0] + 1 < WAVE) & (edges[-1] - 1 > WAVE)
    ivar = torch.where(inside, ivar, 0.0)
    flux, weight = GRID.rebin(WAVE, torch.sin(WAVE / 3), ivar)
    torch.testing.assert_close(weight.sum(), ivar.sum())
    torch.testing.assert_close((weight * flux).sum(), (ivar * torch.sin(WAVE / 3)).sum())


def test_a_smooth_spectrum_stays_what_it_is():
    def spectrum(wave):
        return 2 + torch.sin(wave / 40)

    flux, _ = GRID.rebin(WAVE, spectrum(WAVE), torch.ones_like(WAVE))
    assert (flux[0] - spectrum(GRID.wave)).abs().max() < 0.01


def test_nothing_passes_over_a_gap_between_arms():
    wave = torch.cat([WAVE[:, WAVE[0] < 4300], WAVE[:, WAVE[0] > 4600]], dim=1)
    _, weight = GRID.rebin(wave, torch.ones_like(wave), torch.ones_like(wave))
    gap = (GRID.wave > 4302) & (GRID.wave < 4598)
    assert (weight[0, gap] == 0).all() and (weight[0, ~gap] > 0).float().mean() > 0.99


def test_bins_without_a_good_pixel_are_bad():
    ivar = ((WAVE < 4400) | (WAVE > 4500)).double()
    flux, weight = GRID.rebin(WAVE, torch.full_like(WAVE, 3.0), ivar)
    inner = (GRID.wave > 4402) & (GRID.wave < 4498)
    assert (weight[0, inner] == 0).all() and (flux[0, inner] == 0).all()
    torch.testing.assert_close(flux[weight > 0], torch.full_like(flux[weight > 0], 3.0))


@pytest.mark.parametrize(
    ("low", "high", "step"), [(5000.0, 4000.0, 60.0), (4000.0, 4000.1, 60.0), (1.0, 2.0, 0.0)]
)
def test_a_grid_without_a_bin_is_refused(low, high, step):
    with pytest.raises(ConfigError, match="no grid"):
        LogGrid(low, high, step)


def test_the_continuum_and_its_scale_go():
    slope = 1e-15 * (1 + torch.linspace(0, 1, 500, dtype=torch.float64))[None]
    depth, weight = flatten(slope, slope.square().reciprocal() * 400, 51, ONE)
    assert depth[0, 30:-30].abs().max() < 0.01
    torch.testing.assert_close(
        weight[0, 30:-30], torch.full((440,), 400.0).double(), rtol=0.02, atol=0
    )


def test_a_spike_is_left_out_and_bends_nothing():
    flux, ivar = torch.ones(1, 300, dtype=torch.float64), torch.full((1, 300), 1e4).double()
    flux[0, 100] = 1e6
    depth, weight = flatten(flux, ivar, 51, ONE)
    assert weight[0, 100] == 0 and (weight[0] > 0).sum() == 299
    assert depth.abs().max() < 1e-9


def test_noise_that_reaches_far_is_no_spike():
    flux, ivar = torch.ones(1, 300, dtype=torch.float64), torch.full((1, 300), 1.0).double()
    flux[0, 100] = 3.0
    assert (flatten(flux, ivar, 51, ONE)[1] > 0).all()


def test_without_errors_all_good_pixels_weigh_alike():
    flux = torch.linspace(1, 9, 300, dtype=torch.float64)[None]
    mask = (torch.arange(300) % 7 != 0).double()[None]
    _, weight = flatten(flux, mask, 51, ~ONE)
    assert len(weight[mask > 0].unique()) == 1 and (weight[mask == 0] == 0).all()


def test_a_pixel_without_a_positive_continuum_is_bad():
    flux = torch.ones(1, 300, dtype=torch.float64)
    flux[0, 200:] = -1
    depth, weight = flatten(flux, torch.ones_like(flux), 51, ONE)
    assert (weight[0, 230:] == 0).all() and (depth[0, 230:] == 0).all()
