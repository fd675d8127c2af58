import os
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from tests.data.lamost import make as lamost
from tests.data.mastar import make as mastar
from tests.unit.files.models import made_models

from torchfit.exceptions import DataError
from torchfit.files.model_writers import WRITERS
from torchfit.surveys.lamost import read_lamost
from torchfit.surveys.mastar import MastarReader
from torchfit.surveys.mastar_visits import MastarRecipe

specutils = pytest.importorskip("specutils", reason="specutils is not installed")
pytest.importorskip("torchfit.surveys.specutils_loaders")
registers = pytest.importorskip("specutils.io.registers")

BESIDE = Path(__file__).parents[3].parent / "shared" / "data"
ROOT = Path(os.environ.get("TORCHFIT_TEST_DATA", BESIDE)) / "lamost"


def formats_of(path):
    found = registers.identify_spectrum_format(str(path))
    return [found] if isinstance(found, str) else found


@pytest.mark.parametrize("layout", ["table", "image", "first"])
@pytest.mark.parametrize("name", ["x.fits", "x.fits.gz"])
def test_lamost_is_known_by_its_content(tmp_path, layout, name):
    path = lamost.make(tmp_path / name, layout)
    found = specutils.Spectrum.read(str(path))
    expected = read_lamost(path, "x")
    np.testing.assert_array_equal(found.spectral_axis.to_value(u.AA), expected.wave)
    np.testing.assert_array_equal(found.flux.value, expected.flux)
    np.testing.assert_array_equal(found.uncertainty.array, expected.ivar)
    np.testing.assert_array_equal(found.mask, expected.ivar == 0)
    assert found.redshift.value == pytest.approx(4.19e-5)
    assert found.meta["subclass"] == "G5"
    assert "LAMOST LRS" in formats_of(path)


def test_a_galaxy_of_lamost_opens_too(tmp_path):
    path = lamost.make(tmp_path / "x.fits", header={"CLASS": "GALAXY", "Z": 0.1})
    found = specutils.Spectrum.read(path)
    assert (found.meta["class"], found.redshift.value) == ("GALAXY", pytest.approx(0.1))


def test_an_open_file(tmp_path):
    path = lamost.make(tmp_path / "x.fits")
    with path.open("rb") as file:
        found = specutils.Spectrum.read(file, format="LAMOST LRS")
    assert found.flux.shape == (1400,)


@pytest.mark.skipif(not ROOT.is_dir(), reason="no real LAMOST files: set TORCHFIT_TEST_DATA")
@pytest.mark.parametrize("release", ["dr1", "dr7", "dr10"])
def test_real_lamost_files(release):
    path = sorted((ROOT / release).glob("*.gz"))[0]
    found = specutils.Spectrum.read(str(path))
    assert 3690 < found.spectral_axis[0].to_value(u.AA) < 3710
    assert 0 < found.mask.sum() < found.flux.size / 2


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return mastar.make(tmp_path_factory.mktemp("mastar"))


@pytest.fixture(scope="module")
def path(library):
    return str(library / "mastar-goodspec-v3_1_1-v1_7_7.fits.gz")


def test_mastar_is_known_by_its_content(path):
    assert "MaStar" in formats_of(path)
    found = specutils.Spectrum.read(path)
    assert found.flux.shape == (24, 4563)
    assert found.flux.unit == u.Unit("1e-17 erg / (Angstrom cm2 s)")
    assert sorted(found.meta["mjd"]) == list(range(57000, 57024))


def test_one_visit_of_mastar(path, library):
    found = specutils.Spectrum.read(path, rows=[7])
    reader = MastarReader(str(library), recipe=MastarRecipe("all", 0.0, ()))
    (source,) = [s for s in reader.sources() if s.endswith(f":{found.meta['mjd']}")]
    expected = reader.read(source)
    np.testing.assert_array_equal(found.flux.value, expected.flux)
    np.testing.assert_array_equal(found.spectral_axis.to_value(u.AA), expected.wave)
    np.testing.assert_array_equal(found.mask, expected.ivar == 0)


def test_no_such_visit_of_mastar(path):
    with pytest.raises(DataError, match="rows must lie within 0 and 23"):
        specutils.Spectrum.read(path, rows=[24])


def test_other_files_are_not_taken_for_ours(library, tmp_path):
    (tmp_path / "x.fits").write_bytes(b"SIMPLE  = no")
    for other in (library / "mastarall-v3_1_1-v1_7_7.fits", tmp_path / "x.fits"):
        assert not {"LAMOST LRS", "MaStar"} & set(formats_of(other))


@pytest.mark.parametrize("format", WRITERS)
def test_model_spectra(tmp_path, format):
    path = tmp_path / f"part-000000.{format}"
    expected = made_models(4)
    WRITERS[format](path, expected, {})
    assert "torchfit models" in formats_of(path)
    found = specutils.Spectrum.read(path)
    np.testing.assert_array_equal(found.spectral_axis.to_value(u.AA), expected.wave)
    np.testing.assert_array_equal(found.flux.value, expected.flux)
    np.testing.assert_array_equal(found.uncertainty.array, expected.ivar)
    np.testing.assert_array_equal(found.mask, expected.mask > 0)
    np.testing.assert_array_equal(found.meta["model"], expected.model)
    one = specutils.Spectrum.read(path, format="torchfit models", stars=[6])
    assert one.meta["star"].tolist() == [6]


def test_other_tables_are_no_model_spectra(tmp_path):
    assert "torchfit models" not in formats_of(lamost.make(tmp_path / "x.fits"))
