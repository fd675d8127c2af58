import pytest
import torch

from torchfit.mock.extinction import extinction_curve, redden


def test_the_curve_meets_its_definition():
    """A(V) / E(B-V) is R_V, and A(B) is larger by one, to the accuracy of the fit."""
    blue, visual = extinction_curve(torch.tensor([4400.0, 5494.5], dtype=torch.float64)).tolist()
    assert visual == pytest.approx(3.1, abs=0.01)
    assert blue - visual == pytest.approx(1.0, abs=0.05)


def test_the_curve_falls_and_does_not_jump():
    curve = extinction_curve(torch.linspace(3600, 10400, 6801, dtype=torch.float64))
    assert (curve.diff() < 0).all()
    assert curve.diff().abs().max() < 0.01


def test_no_dust_no_change():
    flux, wave = torch.rand(2, 50) + 1, torch.linspace(4000, 9000, 50)
    reddened = redden(flux, wave, torch.tensor([0.0, 0.5]))
    torch.testing.assert_close(reddened[0], flux[0])
    ratio = reddened[1] / flux[1]
    assert (ratio < 1).all()
    assert (ratio.diff() > 0).all()
