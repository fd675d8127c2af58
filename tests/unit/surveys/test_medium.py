import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchfit.surveys.medium import air_to_vacuum, vacuum_to_air

VACUUM_TO_AIR = [
    (3800, 3798.92137),
    (4000, 3998.86927),
    (4861.3, 4859.94235),
    (5000, 4998.60552),
    (6562.8, 6560.98751),
    (8542.09, 8539.74372),
    (8700, 8697.61102),
]
AIR_TO_VACUUM = [
    (3933.663, 3934.77671),
    (4340.472, 4341.69232),
    (4861.333, 4862.69102),
    (5889.951, 5891.58340),
    (6562.801, 6564.61398),
    (7664.899, 7667.00891),
    (8542.091, 8544.43792),
]


@pytest.mark.parametrize(("vacuum", "air"), VACUUM_TO_AIR)
def test_vacuum_to_air_against_specutils(vacuum, air):
    assert vacuum_to_air(np.array([float(vacuum)])) == pytest.approx(air, abs=1e-5)


@pytest.mark.parametrize(("air", "vacuum"), AIR_TO_VACUUM)
def test_air_to_vacuum_against_specutils(air, vacuum):
    assert air_to_vacuum(np.array([air])) == pytest.approx(vacuum, abs=1e-5)


@given(st.floats(3000, 12000))
def test_there_and_back(wave):
    wave = np.array([wave])
    np.testing.assert_allclose(vacuum_to_air(air_to_vacuum(wave)), wave, atol=1e-5, rtol=0)


def test_vacuum_is_longer_by_83_km_per_s():
    wave = np.linspace(3500, 9000, 100)
    velocity = (air_to_vacuum(wave) / wave - 1) * 299792.458
    assert ((velocity > 82) & (velocity < 86)).all()
