import pytest

from torchfit.group.spectral_class import CLASS_LIMITS, spectral_class


@pytest.mark.parametrize(
    ("subclass", "expected"),
    [
        ("G5", "G"),
        ("F0", "F"),
        ("A2V", "A"),
        ("B6", "OB"),
        ("O", "OB"),
        ("OB", "OB"),
        ("K3III", "K"),
        ("KIIvw", "K"),
        ("M4", "M"),
        ("dM1", "M"),
        ("gM3", "M"),
        ("sdF8", "F"),
        ("sd:F0", "F"),
        ("esdK7", "K"),
        ("usdM2", "M"),
        (" G8 ", "G"),
    ],
)
def test_the_type_decides_where_there_is_one(subclass, expected):
    assert spectral_class(subclass, 20.0) == expected


@pytest.mark.parametrize("subclass", ["", "Non", "Carbon", "WD", "Galaxy", "Binary", "EM", "  "])
@pytest.mark.parametrize(
    ("teff", "expected"),
    [
        (3000.0, "M"),
        (3850.0, "K"),
        (5249.9, "K"),
        (5250.0, "G"),
        (6500.0, "F"),
        (9000.0, "A"),
        (10000.0, "OB"),
        (45000.0, "OB"),
        (float("inf"), "OB"),
        (float("nan"), "OB"),
    ],
)
def test_the_temperature_decides_otherwise(subclass, teff, expected):
    assert spectral_class(subclass, teff) == expected


def test_limits_rise():
    limits = [limit for _, limit in CLASS_LIMITS]
    assert limits == sorted(limits)
