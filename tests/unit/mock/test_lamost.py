import numpy as np
import pytest
from tests.contract.reader_contract import ReaderContract

from torchfit.exceptions import ConfigError
from torchfit.mock.lamost import MockLamostReader
from torchfit.surveys.plausible import MAX_REDSHIFT

N_STARS = 260


@pytest.fixture(scope="module")
def reader():
    return MockLamostReader(N_STARS, repeats=0.2)


@pytest.fixture(scope="module")
def spectra(reader):
    return [reader.read(source) for source in reader.sources()]


class TestContract(ReaderContract):
    """Its test of the wavelengths needs stars in which H beta is the deepest line."""

    @pytest.fixture
    def reader(self):
        return MockLamostReader(3, seed=SEED_OF_HYDROGEN, snr=300.0)


SEED_OF_HYDROGEN = 3


def test_a_longer_survey_begins_with_the_shorter(reader, spectra):
    longer = MockLamostReader(10 * N_STARS, repeats=0.2)
    for number in (0, 1, 100, N_STARS - 1):
        other = longer.read(reader.sources()[number])
        assert other.info == spectra[number].info
        np.testing.assert_array_equal(other.flux, spectra[number].flux)


def test_what_is_known_of_a_star(spectra):
    for spectrum in spectra:
        info = spectrum.info
        assert set(info.labels) == {"teff", "logg", "fe_h", "alpha_fe"}
        assert set(info.snr) == set("ugriz")
        assert abs(info.z) < MAX_REDSHIFT
        assert 0 < info.z_err < 1e-3
        assert info.name.startswith("LAMOST J")
    assert len({spectrum.info.obsid for spectrum in spectra}) == N_STARS


def test_repeats_share_what_belongs_to_the_star(spectra):
    visits = {}
    for spectrum in spectra:
        visits.setdefault(spectrum.info.uid, []).append(spectrum.info)
    again = [infos for infos in visits.values() if len(infos) > 1]
    assert sum(len(infos) - 1 for infos in again) == round(0.2 * N_STARS)
    for infos in again:
        assert len({info.name for info in infos}) == 1
        assert len({tuple(info.labels.values()) for info in infos}) == 1
        assert len({(info.ra, info.dec) for info in infos}) == 1
        assert len({info.mjd for info in infos}) == len(infos)


def test_some_repeats_have_similar_signal_to_noise(spectra):
    by_star = {}
    for spectrum in spectra:
        by_star.setdefault(spectrum.info.uid, []).append(spectrum.info.snr["g"])
    ratios = [max(snr) / min(snr) for snr in by_star.values() if len(snr) == 2]
    assert 0.2 < np.mean(np.array(ratios) < 1.2) < 1


def test_the_red_end_is_zero_and_bad(reader, spectra):
    for spectrum, source in zip(spectra[:20], reader.sources(), strict=False):
        made = reader.lamost_object(source)
        n_zero = int((made.flux == 0).sum())
        assert 13 <= n_zero <= 29
        assert (made.flux[-n_zero:] == 0).all()
        assert (spectrum.ivar[-n_zero:] == 0).all()


def test_lengths_vary(spectra):
    assert {len(spectrum.wave) for spectrum in spectra} == {3902, 3906, 3908, 3909}


def test_bad_pixels_are_few(spectra):
    bad = [1 - spectrum.good.mean() for spectrum in spectra]
    assert 0.003 < np.median(bad) < 0.02
    assert max(bad) < 0.1


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"repeats": 0.9}, "repeats"), ({"resolving_power": 90.0}, "resolving_power")],
)
def test_impossible_settings(settings, message):
    with pytest.raises(ConfigError, match=message):
        MockLamostReader(10, **settings)


def test_no_stars():
    with pytest.raises(ConfigError, match="n_stars"):
        MockLamostReader(0).sources()


def test_it_is_never_called_real(reader):
    assert "mock" in reader.name
    assert "no real stars" in reader.provenance()["mock"]


def test_resolution_is_an_option():
    assert MockLamostReader(1, resolving_power=1000.0).lsf_fwhm == pytest.approx(5.5)
