import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from astropy.io import fits
from tests.contract.reader_contract import ReaderContract
from tests.data.mastarhc import make as files

from torchfit.exceptions import SpectrumError
from torchfit.files.fetch import MANGADAP
from torchfit.names import FWHM_PER_SIGMA
from torchfit.surveys.mastarhc import MastarHcReader


@pytest.fixture
def reader(tmp_path, monkeypatch):
    path = files.make(tmp_path / MANGADAP.filename)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(MastarHcReader, "wheel", replace(MANGADAP, sha256=found))
    return MastarHcReader(str(tmp_path))


class TestContract(ReaderContract):
    @pytest.fixture
    def reader(self, reader):
        return reader


def test_the_star_and_the_averages_by_name(reader):
    names = [reader.read(source).info.name for source in reader.sources()]
    assert names == ["mastar-8047-9101", "MaStarHC_00", "MaStarHC_42"]


def test_an_average_has_errors_and_keeps_noise_below_zero(reader):
    spectrum = reader.read(reader.sources()[1])
    assert spectrum.has_ivar
    np.testing.assert_array_equal(np.flatnonzero(spectrum.ivar == 0), [100])
    assert set(spectrum.info.snr) == set("ugriz")
    assert spectrum.info.snr["r"] == pytest.approx(100, rel=0.02)


def test_the_star_has_a_mask_and_no_errors(reader):
    spectrum = reader.read(reader.sources()[0])
    assert not spectrum.has_ivar
    assert spectrum.info.snr == {}
    assert spectrum.wave[0] == pytest.approx(3621.596, abs=1e-3)
    np.testing.assert_array_equal(np.flatnonzero(spectrum.ivar == 0), range(4553, 4563))


def test_resolution_is_that_of_the_file_and_of_the_averages(reader):
    star, average = (reader.read(source) for source in reader.sources()[:2])
    for spectrum, factor in ((star, 1.1), (average, 1.0)):
        fwhm = spectrum.wave / (factor * files.sres_of(spectrum.wave))
        np.testing.assert_allclose(FWHM_PER_SIGMA * spectrum.lsf_sigma, fwhm, rtol=1e-12)
    wave = torch.tensor([3000.0, 5500.0, 20000.0], dtype=torch.float64)
    inside = wave.numpy().clip(average.wave[0], average.wave[-1])
    expected = inside / files.sres_of(inside)
    np.testing.assert_allclose(reader.lsf_fwhm_at(wave).numpy(), expected, rtol=1e-6)


def changed(change):
    units = files.average()
    change(units)
    return files.content(units)


def no_axis(units):
    del units[0].header["CRVAL1"]


def axis_of_angstrom(units):
    units[0].header["CRVAL1"] = 3632.0


def shorter_ivar(units):
    units["IVAR"].data = units["IVAR"].data[:-1]


def no_resolution(units):
    del units["SRES"]


def no_flux(units):
    units[0] = fits.PrimaryHDU()


def all_masked(units):
    units["IVAR"].data[:] = 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (no_axis, "no axis of log10 Angstrom"),
        (axis_of_angstrom, "no axis of log10 Angstrom"),
        (shorter_ivar, r"rows of \(4537,\) and \(4538,\) pixels"),
        (no_resolution, "no resolution"),
        (no_flux, "no axis"),
        (all_masked, "no good pixel"),
    ],
)
def test_damage_is_one_bad_spectrum(reader, change, reason):
    with pytest.raises(SpectrumError, match=f"^here: .*{reason}"):
        reader.parse(changed(change), "here")


def test_bad_resolution_is_unknown(reader):
    def dead(units):
        units["SRES"].data[5] = 0

    sigma = reader.parse(changed(dead), "here").lsf_sigma
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(sigma)), [5])
