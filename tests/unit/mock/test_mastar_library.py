import numpy as np
import pytest

from torchfit.exceptions import OutputError
from torchfit.mock.mastar import MockMastarReader
from torchfit.mock.mastar_library import visit_table, write_mock_mastar
from torchfit.surveys.mastar import MastarReader
from torchfit.surveys.mastar_visits import MastarRecipe


@pytest.fixture(scope="module")
def library():
    return MockMastarReader(25)


def test_files_read_back_are_the_library(library, tmp_path):
    write_mock_mastar(tmp_path, library)
    files = MastarReader(str(tmp_path), recipe=MastarRecipe(visits="all"))
    made = [library.read(source) for source in library.sources()]
    expected = {(spectrum.info.name, 57_000 + n): spectrum for n, spectrum in enumerate(made)}
    found = [spectrum for _, spectrum in files.spectra(files.sources())]
    assert len(found) == len(made)
    for spectrum in found:
        other = expected[spectrum.info.name, spectrum.info.mjd]
        np.testing.assert_allclose(spectrum.flux[other.good], other.flux[other.good], rtol=1e-6)
        np.testing.assert_array_equal(spectrum.good, other.good)
        np.testing.assert_allclose(spectrum.lsf_sigma, other.lsf_sigma, rtol=1e-6)
        for name, value in other.info.labels.items():
            assert spectrum.info.labels[name] == pytest.approx(value, rel=1e-6)


def test_every_visit_has_its_night(library):
    table = visit_table([library.read(source) for source in library.sources()])
    assert len(set(table.mjd.tolist())) == len(table) == 25
    assert len(set(table.mangaid.tolist())) == 21


def test_a_place_that_cannot_be_written(library, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_mock_mastar(tmp_path / "file", library)
