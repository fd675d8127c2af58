from dataclasses import replace

import pytest
import torch

from torchfit.likelihood.noise import NoiseShape


@pytest.fixture
def nodes():
    return torch.tensor([4000.0, 5000.0, 6250.0]).double().log10()


def test_flat_without_a_star(nodes):
    assert (NoiseShape.flat(nodes, 7).variance == 1).all()


def test_the_shape_is_found_whatever_the_level(nodes, observe, draw_labels):
    spectra = observe(draw_labels(12, 1), 0.01, masked=0.05)
    true = torch.linspace(-1, 1, 400).double().exp()
    level = torch.logspace(-2, 2, 12).double()[:, None]
    shape = NoiseShape.flat(nodes, 400)
    shape.add(
        replace(spectra, ivar=spectra.ivar / true / level), torch.full((12,), 5000.0).double()
    )
    found = shape.variance[1]
    torch.testing.assert_close(found / found.log().mean().exp(), true, rtol=0.02, atol=0)
    assert (shape.variance[0] == 1).all()


def test_stars_count_at_their_temperature(nodes, observe, draw_labels):
    spectra = observe(draw_labels(2, 1), 0.01)
    tilt = torch.linspace(-1, 1, 400).double().exp()
    ivar = torch.stack([spectra.ivar[0] / tilt, spectra.ivar[1] * tilt])
    shape = NoiseShape.flat(nodes, 400)
    shape.add(replace(spectra, ivar=ivar), torch.tensor([4000.0, 6250.0]).double())
    torch.testing.assert_close(shape.variance[0], tilt)
    torch.testing.assert_close(shape.variance[2], 1 / tilt)


def test_stars_without_errors_say_nothing(nodes, observe, draw_labels):
    spectra = observe(draw_labels(3, 1), 0.01, has_ivar=False)
    shape = NoiseShape.flat(nodes, 400)
    shape.add(spectra, torch.full((3,), 5000.0).double())
    assert (shape.variance == 1).all()


def test_all_at_once_is_one_by_one(nodes, observe, draw_labels):
    spectra, teff = observe(draw_labels(6, 1), 0.01, masked=0.1), torch.linspace(4000, 6000, 6)
    whole, single = NoiseShape.flat(nodes, 400), NoiseShape.flat(nodes, 400)
    whole.add(spectra, teff.double())
    for star in range(6):
        single.add(spectra[star : star + 1], teff[star : star + 1].double())
    torch.testing.assert_close(whole.variance, single.variance)
