import pytest
import torch

from torchfit.mock.atmosphere import Atmosphere
from torchfit.mock.continuum import continuum, core_depth, jump, planck


def test_planck_peaks_where_wien_says():
    wave = torch.linspace(3600, 10400, 6801, dtype=torch.float64)
    flux = planck(torch.tensor([4000.0, 6000.0], dtype=torch.float64), wave)
    assert wave[flux.argmax(dim=1)].tolist() == pytest.approx([7244.3, 4829.5], abs=2)


def test_planck_is_one_at_5500():
    assert float(planck(torch.tensor([7000.0]), torch.tensor([5500.0]))) == pytest.approx(1.0)


def test_cores_are_deep_in_the_blue_of_cool_stars():
    depth = core_depth(torch.tensor([4000.0, 30000.0]), torch.tensor([4000.0, 9000.0]))
    assert depth[0, 0] > 0.9
    assert depth[0, 0] > depth[0, 1] > depth[1, 1]
    assert (depth > 0.25).all()
    assert (depth < 1).all()


def star(teff, logg=4.0):
    return Atmosphere.of(torch.tensor([[teff, logg, 0.0, 0.0]], dtype=torch.float64))


def test_balmer_jump_is_largest_in_a_stars():
    height = {teff: float(jump(star(teff), 2, 17.4)) for teff in (5000.0, 9500.0, 30000.0)}
    assert height[9500.0] > 0.35
    assert height[5000.0] < 0.05
    assert height[30000.0] < height[9500.0]


def test_the_jump_is_in_the_flux():
    wave = torch.tensor([3620.0, 3900.0], dtype=torch.float64)
    with_jump = continuum(star(9500.0), wave)
    without = planck(star(9500.0).teff, wave)
    assert float(with_jump[0, 0] / with_jump[0, 1]) < 0.55 * float(without[0, 0] / without[0, 1])
