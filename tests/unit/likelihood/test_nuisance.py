import pytest
import torch
from tests.metrics import plain_nuisance

from torchfit.exceptions import ConfigError
from torchfit.likelihood.legendre import legendre
from torchfit.names import SPEED_OF_LIGHT

WAVE = torch.linspace(4000, 4400, 801, dtype=torch.float64)


def line(wave):
    return 1 - 0.5 * torch.exp(-0.5 * ((wave - 4200) / 4).square())


@pytest.mark.parametrize(
    ("nuisance", "n_columns"),
    [
        (plain_nuisance(), 0),
        (plain_nuisance(continuum_degree=0), 1),
        (plain_nuisance(continuum_degree=4), 5),
        (plain_nuisance(velocity_sigma=10.0), 1),
        (plain_nuisance(continuum_degree=2, velocity_sigma=10.0), 4),
    ],
)
def test_a_column_for_every_prior(nuisance, n_columns):
    columns = nuisance.columns(WAVE, line(WAVE)[None])
    assert columns.shape == (1, 801, n_columns)
    assert len(nuisance.sigma) == n_columns


def test_priors_have_the_velocity_last():
    nuisance = plain_nuisance(continuum_degree=1, continuum_sigma=0.2, velocity_sigma=30.0)
    assert nuisance.sigma == [0.2, 0.2, 30.0]


def test_the_continuum_multiplies_the_model(assert_close):
    columns = plain_nuisance(continuum_degree=3).columns(WAVE, line(WAVE)[None])
    assert_close(columns[0], line(WAVE)[:, None] * legendre(WAVE, 3))


@pytest.mark.parametrize("velocity", [-30.0, 5.0, 30.0])
def test_the_velocity_column_is_the_doppler_shift(velocity):
    """A receding star has its lines at longer wavelengths."""
    column = plain_nuisance(velocity_sigma=10.0).columns(WAVE, line(WAVE)[None])[0, :, 0]
    shifted = line(WAVE * (1 - velocity / SPEED_OF_LIGHT))
    change = shifted - line(WAVE)
    assert (change - velocity * column).abs().max() < 0.1 * change.abs().max()


def test_the_posterior_finds_continuum_and_velocity():
    nuisance = plain_nuisance(continuum_degree=1, continuum_sigma=1.0, velocity_sigma=100.0)
    model = line(WAVE)[None]
    truth = torch.tensor([0.03, -0.02, 12.0], dtype=torch.float64)
    flux = model + nuisance.columns(WAVE, model) @ truth
    found = nuisance.posterior_mean(WAVE, model, torch.full_like(model, 1e8), flux)
    torch.testing.assert_close(found[0], truth, rtol=1e-4, atol=1e-6)


def test_without_information_the_posterior_is_the_prior():
    nuisance = plain_nuisance(continuum_degree=1, velocity_sigma=100.0)
    model = line(WAVE)[None]
    found = nuisance.posterior_mean(WAVE, model, torch.zeros_like(model), model + 9)
    assert (found == 0).all()


@pytest.mark.parametrize(
    "setting", [{"continuum_degree": -1}, {"continuum_sigma": 0.0}, {"velocity_sigma": -3.0}]
)
def test_impossible_settings_are_refused(setting):
    with pytest.raises(ConfigError, match=next(iter(setting))):
        plain_nuisance(**setting)
