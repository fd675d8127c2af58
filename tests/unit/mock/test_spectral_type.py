import pytest

from torchfit.group.spectral_class import spectral_class
from torchfit.mock.spectral_type import spectral_type


@pytest.mark.parametrize(
    ("teff", "logg", "expected"),
    [
        (5600.0, 4.4, "G5"), (4900.0, 4.5, "K2"), (6100.0, 4.2, "F9"), (9500.0, 4.0, "A1V"),
        (8200.0, 3.5, "A6IV"), (8200.0, 2.9, "A6III"), (3700.0, 4.8, "dM1"), (3400.0, 0.8, "gM4"),
        (15000.0, 4.0, "B7"), (31000.0, 4.0, "O9"), (2600.0, 5.0, "dM9"),
    ],
)  # fmt: skip
def test_types(teff, logg, expected):
    assert spectral_type(teff, logg) == expected


@pytest.mark.parametrize("teff", [3100.0, 4500.0, 5500.0, 6500.0, 8500.0, 12000.0, 31000.0])
def test_grouping_reads_them(teff):
    assert spectral_class(spectral_type(teff, 4.0), 0.0) == spectral_class("", teff)
