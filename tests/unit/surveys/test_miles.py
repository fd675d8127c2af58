import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contract.reader_contract import ReaderContract
from tests.data.miles import make as files

from torchfit.files.fetch import MANGADAP
from torchfit.surveys.miles import MilesReader, parse_parameters


@pytest.fixture
def reader(tmp_path, monkeypatch):
    path = files.make(tmp_path / MANGADAP.filename)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(MilesReader, "wheel", replace(MANGADAP, sha256=found))
    return MilesReader(str(tmp_path))


class TestContract(ReaderContract):
    @pytest.fixture
    def reader(self, reader):
        return reader


def by_number(reader, number):
    (source,) = [s for s in reader.sources() if s.endswith(f"_m{number:04d}V.fits")]
    return reader.read(source)


def test_the_omitted_star_is_no_source(reader):
    assert len(reader.sources()) == len(files.NUMBERS)
    assert not any("0970" in source for source in reader.sources())


def test_a_complete_star(reader):
    info = by_number(reader, 505).info
    assert info.name == "BD+012916"
    assert info.subclass == "KIIvw"
    assert info.labels == {"teff": 4238.0, "logg": 0.34, "fe_h": -1.49}
    assert info.z == 0
    assert info.obsid is None
    assert np.isnan(info.ra)


def test_missing_labels_are_absent(reader):
    assert by_number(reader, 777).info.labels == {"teff": 11200.0}


def test_the_misprinted_number_is_star_221(reader):
    assert by_number(reader, 221).info.name == "HD044691A"
    assert by_number(reader, 22).info.name == "HD001461"


def test_noise_at_the_end_is_bad_and_ivar_a_mask(reader):
    spectrum = by_number(reader, 272)
    assert not spectrum.has_ivar
    np.testing.assert_array_equal(np.flatnonzero(spectrum.ivar == 0), [0, 1])


def test_wavelengths(reader):
    wave = by_number(reader, 272).wave
    assert wave[0] == pytest.approx(3541.512, abs=1e-3)
    assert wave[-1] == pytest.approx(7409.6 + 2.0405, abs=1e-3)


def test_provenance(reader):
    assert reader.provenance()["licence"] == "BSD 3-Clause License"


def test_a_name_with_blanks_is_one_name():
    star = parse_parameters(files.PARAMETERS)[985]
    assert star.name == "NGC 7789 971(946) Cl"
    assert star.labels == {"teff": 4020.0, "logg": 1.32, "fe_h": -0.13}


def test_the_header_is_no_star():
    assert sorted(parse_parameters(files.PARAMETERS)) == sorted(files.NUMBERS)


def test_a_row_that_is_not_a_star_is_an_error():
    with pytest.raises(ValueError):
        parse_parameters("\n\n\nno such row")


values = st.none() | st.floats(-99, 99).map(lambda x: round(x, 2))


@given(st.integers(1, 9999), values, values)
def test_any_row_comes_back(number, logg, fe_h):
    cells = ["--" if value is None else f"{value:.2f}" for value in (logg, fe_h)]
    row = f"{'HD 1 A':22} {number:04d} {'':6} {'G2 V':13}{5777:7}{cells[0]:>7}{cells[1]:>9}"
    star = parse_parameters(f"\n\n\n{row}\n")[number]
    assert star.name == "HD 1 A"
    assert star.labels.get("logg") == logg
    assert star.labels.get("fe_h") == fe_h
