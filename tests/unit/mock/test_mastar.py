import numpy as np
import pytest
from tests.contract.reader_contract import ReaderContract

from torchfit.exceptions import ConfigError
from torchfit.mock.mastar import MockMastarReader
from torchfit.names import FWHM_PER_SIGMA

N_STARS = 200


@pytest.fixture(scope="module")
def spectra():
    reader = MockMastarReader(N_STARS)
    return [reader.read(source) for source in reader.sources()]


class TestContract(ReaderContract):
    """Its test of the wavelengths needs stars in which H beta is the deepest line."""

    @pytest.fixture
    def reader(self):
        return MockMastarReader(3, seed=SEED_OF_HYDROGEN)


SEED_OF_HYDROGEN = 1


def test_at_rest_on_the_grid_of_mastar(spectra):
    for spectrum in spectra:
        assert spectrum.info.z == 0
        assert len(spectrum.wave) == 4563
        assert spectrum.wave[0] == pytest.approx(3621.5960, abs=1e-4)
        assert spectrum.has_ivar


def test_signal_to_noise_is_high(spectra):
    snr = [spectrum.info.snr["r"] for spectrum in spectra]
    assert 70 < np.median(snr) < 150


def test_some_stars_have_several_visits(spectra):
    names = [spectrum.info.name for spectrum in spectra]
    assert len(set(names)) == N_STARS - round(0.2 * N_STARS)


def test_labels_are_exact_unless_asked_otherwise(spectra):
    noisy = MockMastarReader(N_STARS, label_error=1.0)
    exact, published = (
        np.array([list(info.labels.values()) for info in infos])
        for infos in (
            [spectrum.info for spectrum in spectra],
            [noisy.read(source).info for source in noisy.sources()],
        )
    )
    error = published - exact
    assert np.std(error[:, 0] / exact[:, 0]) == pytest.approx(0.012, rel=0.25)
    assert np.std(error[:, 1:], axis=0) == pytest.approx([0.1, 0.07, 0.05], rel=0.25)


def test_errors_of_labels_belong_to_the_star():
    reader = MockMastarReader(20, repeats=0.2, label_error=1.0)
    by_name = {}
    for source in reader.sources():
        info = reader.read(source).info
        assert by_name.setdefault(info.name, info.labels) == info.labels
    assert len(by_name) == 16


def test_every_spectrum_tells_its_own_resolution(spectra):
    widths = np.array([spectrum.lsf_sigma / spectrum.wave for spectrum in spectra])
    assert np.ptp(widths, axis=1).max() < 1e-12
    assert np.median(widths[:, 0]) == pytest.approx(1 / 1800 / FWHM_PER_SIGMA, rel=0.02)
    assert np.std(np.log(widths[:, 0])) == pytest.approx(0.05, rel=0.2)


@pytest.mark.parametrize(("power", "scatter"), [(1800.0, -0.1), (3400.0, 0.05), (520.0, 0.05)])
def test_an_impossible_scatter_of_resolutions(power, scatter):
    with pytest.raises(ConfigError, match=r"lsf_scatter|resolving_power"):
        MockMastarReader(3, resolving_power=power, lsf_scatter=scatter)


def test_it_is_never_called_real():
    reader = MockMastarReader(1)
    assert "mock" in reader.name
    assert "no real stars" in reader.provenance()["mock"]
