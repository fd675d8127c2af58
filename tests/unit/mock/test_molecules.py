import torch

from torchfit.mock.atmosphere import Atmosphere
from torchfit.mock.molecules import band_profiles, molecule_depth
from torchfit.mock.tables import read_table

NAMES = read_table("molecules.csv")["molecule"]


def depth(molecule, **labels):
    given = {"teff": 3400.0, "logg": 4.8, "fe_h": 0.0, "alpha_fe": 0.0, **labels}
    star = Atmosphere.of(torch.tensor([list(given.values())], dtype=torch.float64))
    return float(molecule_depth(star)[0, NAMES.index(molecule)])


def test_bands_belong_to_cool_stars():
    for molecule in NAMES:
        assert (
            depth(molecule, teff=3200.0)
            > depth(molecule, teff=4500.0)
            > depth(molecule, teff=8000.0)
        )


def test_titanium_oxide_needs_both_of_its_elements():
    assert depth("TiO", fe_h=-1.0) < depth("TiO") < depth("TiO", alpha_fe=0.3)


def test_hydrides_tell_dwarfs():
    for molecule in ("CaH", "MgH", "FeH"):
        assert depth(molecule, logg=4.8) > 1.3 * depth(molecule, logg=1.0)


def test_a_band_begins_at_its_head():
    wave = torch.linspace(6900, 7300, 4001, dtype=torch.float64)
    profile = band_profiles(wave)[NAMES.index("TiO")]
    before, after = profile[(wave - 7045).abs().argmin()], profile[(wave - 7062).abs().argmin()]
    assert after > 5 * before


def test_a_band_may_fade_to_the_violet():
    wave = torch.linspace(5000, 5300, 3001, dtype=torch.float64)
    profile = band_profiles(wave)[NAMES.index("MgH")]
    assert profile[(wave - 5205).abs().argmin()] > 5 * profile[(wave - 5225).abs().argmin()]
