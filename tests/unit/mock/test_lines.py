import numpy as np
import pytest
import torch
from tests.unit.mock.conftest import grid

from torchfit.mock.atmosphere import Atmosphere
from torchfit.mock.lines import LineList, curve_of_growth, doppler_velocity, minnaert
from torchfit.mock.tables import numbers, read_table
from torchfit.surveys.medium import vacuum_to_air


def test_the_list_is_ordered_and_inside_the_range():
    wave = np.array(numbers("lines.csv", "wave"))
    assert (np.diff(wave) >= 0).all()
    assert 3600 < wave[0] < wave[-1] < 10420
    assert len(wave) > 800


@pytest.mark.parametrize(
    ("element", "stage", "air"),
    [
        *[("Ca", "2", air) for air in (3933.66, 3968.47, 8498.02, 8542.09, 8662.14)],
        *[("Mg", "1", air) for air in (5167.32, 5172.68, 5183.60)],
        *[("Na", "1", air) for air in (5889.95, 5895.92)],
        ("K", "1", 7698.97), ("He", "1", 4471.5), ("He", "2", 4685.7), ("Fe", "1", 4383.54),
        ("Ti", "2", 4571.97), ("Si", "2", 6347.11), ("O", "1", 7771.94),
    ],
)  # fmt: skip
def test_well_known_lines_are_there(element, stage, air):
    table = read_table("lines.csv")
    rows = zip(table["element"], table["stage"], numbers("lines.csv", "wave"), strict=True)
    found = vacuum_to_air(np.array([wave for e, s, wave in rows if (e, s) == (element, stage)]))
    assert np.abs(found - air).min() < 0.02


def test_curve_of_growth_in_its_limits():
    small, large = torch.tensor([[1e-4]]).double(), torch.tensor([[1e4]]).double()
    none, some = torch.tensor([[1e-12]]).double(), torch.tensor([[0.1]]).double()
    core, wings = curve_of_growth(small, some)
    assert float(core) == pytest.approx(np.pi**0.5 * 1e-4, rel=1e-3)
    assert wings < 1e-3 * core
    core, wings = curve_of_growth(large, none)
    assert float(core) == pytest.approx(2 * np.log(1e4) ** 0.5, rel=0.02)
    core, wings = curve_of_growth(large, some)
    assert float(wings) == pytest.approx((np.pi**1.5 * 1e3) ** 0.5, rel=0.01)


def test_the_wings_keep_their_area():
    offset = torch.linspace(-3000, 3000, 600001, dtype=torch.float64)
    width, deepest = torch.tensor([0.3, 8.0]).double(), torch.tensor([0.8, 0.6]).double()
    area = torch.trapezoid(minnaert(offset, width, deepest, 0.5), offset, dim=1)
    torch.testing.assert_close(area, width, rtol=5e-3, atol=0)


def test_light_atoms_and_giants_have_broad_lines():
    star = Atmosphere.of(torch.tensor([[6000.0, 4.4, 0, 0], [6000.0, 1.0, 0, 0]]))
    velocity = doppler_velocity(star, torch.tensor([4.0, 56.0]))
    assert (velocity[:, 0] > velocity[:, 1]).all()
    assert (velocity[1] > velocity[0]).all()


def test_chunks_make_the_whole():
    wave = grid(5000.0, 5600.0)
    star = Atmosphere.of(torch.tensor([[5000.0, 4.0, 0.0, 0.0]], dtype=torch.float64))
    whole = LineList(wave).depth(star)
    parts = torch.cat([LineList(piece).depth(star) for piece in wave.split(131)], dim=1)
    torch.testing.assert_close(whole, parts, rtol=1e-9, atol=1e-12)
