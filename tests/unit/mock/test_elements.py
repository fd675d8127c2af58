import torch

from torchfit.mock.atmosphere import Atmosphere
from torchfit.mock.elements import element_rows, log_populations
from torchfit.mock.tables import numbers

IRON, TITANIUM, HELIUM, CALCIUM = element_rows(["Fe", "Ti", "He", "Ca"])
PARTITION = torch.tensor([numbers("elements.csv", f"u{stage}") for stage in range(4)]).T


def shares(element, **labels):
    """Share of an element in its four stages."""
    given = {"teff": 5777.0, "logg": 4.44, "fe_h": 0.0, "alpha_fe": 0.0, **labels}
    star = Atmosphere.of(torch.tensor([list(given.values())], dtype=torch.float64))
    return 10 ** log_populations(star)[0, element] * PARTITION[element]


def test_stages_add_up_to_the_abundance():
    assert torch.isclose(shares(IRON).sum().log10(), torch.tensor(-4.5).double(), atol=1e-6)


def test_metals_scale_and_helium_does_not():
    for element, factor in ((IRON, 0.1), (TITANIUM, 0.1 * 10**0.3), (HELIUM, 1.0)):
        poor, solar = shares(element, fe_h=-1.0, alpha_fe=0.3).sum(), shares(element).sum()
        assert torch.isclose(poor / solar, torch.tensor(factor).double(), rtol=1e-6)


def test_the_sun_is_mostly_singly_ionised():
    assert shares(IRON).argmax() == 1
    assert shares(CALCIUM).argmax() == 1
    assert shares(HELIUM).argmax() == 0


def test_hotter_means_higher_stages():
    teff = (4000.0, 7000.0, 15000.0, 30000.0)
    mean = [
        shares(IRON, teff=t) @ torch.arange(4.0).double() / shares(IRON, teff=t).sum() for t in teff
    ]
    assert (torch.stack(mean).diff() > 0).all()


def test_lower_gravity_ionises():
    giant, dwarf = (shares(IRON, logg=logg) for logg in (1.0, 4.5))
    assert giant[0] < dwarf[0]
