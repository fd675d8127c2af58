import pytest
import torch

from torchfit.uncertainty.added_noise import SNR_RANGE, add_noise, learn_noise
from torchfit.uncertainty.error_learning import ErrorLearning
from torchfit.uncertainty.error_model import inputs_of
from torchfit.uncertainty.fisher import LabelErrors, MeasuredLabels

NAMES = ("teff", "logg", "fe_h")


@pytest.mark.parametrize("has_ivar", [True, False])
def test_the_noise_is_what_the_errors_say(observe, draw_labels, has_ivar):
    spectra = observe(draw_labels(50, 80), 0.01, seed=80, masked=0.05, has_ivar=has_ivar)
    noisy = add_noise(spectra, 3)
    assert noisy.has_ivar.all()
    assert torch.equal(noisy.good, spectra.good)
    own = torch.where(spectra.good, 1 / spectra.ivar, 0.0) if has_ivar else 0.0
    added = torch.where(spectra.good, 1 / noisy.ivar - own, torch.nan)
    pull = (noisy.flux - spectra.flux)[spectra.good] / added[spectra.good].sqrt()
    assert abs(pull.mean()) < 0.03
    assert pull.std() == pytest.approx(1, abs=0.03)
    snr = added.nanmedian(dim=1).values.rsqrt()
    assert snr.min() >= SNR_RANGE[0]
    assert snr.max() <= SNR_RANGE[1]
    assert snr.max() > 10 * snr.min()
    assert torch.equal(noisy.flux[~spectra.good], spectra.flux[~spectra.good])


def test_the_same_seed_adds_the_same_noise(observe, draw_labels):
    spectra = observe(draw_labels(5, 80), 0.01)
    assert torch.equal(add_noise(spectra, 3).flux, add_noise(spectra, 3).flux)
    assert not torch.equal(add_noise(spectra, 3).flux, add_noise(spectra, 4).flux)


def test_the_factor_follows_the_level_of_the_noise(draw_labels):
    """Where it is high the start labels help, and labels move less than expected."""
    generator = torch.Generator().manual_seed(0)
    quiet = draw_labels(900, 5)
    model = torch.tensor([50.0, 0.1, 0.08], dtype=torch.float64).expand(900, 3)
    level = 10 ** (2 * torch.rand(900, 1, generator=generator).double() - 1)
    moved = level / (1 + 0.3 * level) * model
    noisy = quiet + moved * torch.randn(900, 3, generator=generator).double()
    measured = MeasuredLabels(noisy, LabelErrors(model, level * model))
    measured.labels[800:] = torch.nan
    found = learn_noise(ErrorLearning(n_learn=200), quiet, measured, torch.arange(900) % 5, NAMES)
    level = torch.tensor([0.2, 1.0, 5.0], dtype=torch.float64)
    middle = torch.tensor([[5600.0, 3.0, -0.5]], dtype=torch.float64).expand(3, 3)
    expected = (1 / (1 + 0.3 * level))[:, None].expand(3, 3)
    assert ((found.factor(inputs_of(middle, level)) / expected - 1).abs() < 0.25).all()
