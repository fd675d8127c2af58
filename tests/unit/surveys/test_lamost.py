import contextlib
import os
import zipfile
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.reader_contract import ReaderContract
from tests.data.lamost import make as files

from torchfit.exceptions import DataError, SpectrumError
from torchfit.files.fetch import LASPEC
from torchfit.surveys.lamost import LamostReader, LamostSampleReader, read_lamost

LAYOUTS = ["table", "image", "first"]


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "survey"
    files.make(root / "b" / "new.fits.gz", "table", {"Z": 2e-4})
    files.make(root / "a" / "old.fits", "image", {"Z": -3e-4})
    files.make(root / "first.fits.gz", "first", {"Z": 0.0})
    (root / "notes.txt").write_text("no spectrum")
    return root


class TestContract(ReaderContract):
    @pytest.fixture
    def reader(self, folder):
        return LamostReader(str(folder))


class TestSampleContract(ReaderContract):
    @pytest.fixture
    def reader(self, tmp_path, monkeypatch):
        path = tmp_path / LASPEC.filename
        with zipfile.ZipFile(path, "w") as wheel:
            for name in ("KIC8098300/DR6_low/spec-1.fits.gz", "lamost/spec-2.fits"):
                made = files.make(tmp_path / name, "image")
                wheel.write(made, f"laspec/data/{name}")
            wheel.writestr("laspec/data/lamost/med-3.fits", b"medium resolution")
            wheel.writestr("laspec/data/KIC8098300/DR6_low/spec-1.png", b"a picture")
            wheel.writestr("laspec-2021.605.2.dist-info/LICENSE", "MIT License")
        pinned = replace(LASPEC, sha256=sha256(path.read_bytes()).hexdigest())
        monkeypatch.setattr(LamostSampleReader, "wheel", pinned)
        return LamostSampleReader(str(tmp_path))

    def test_two_spectra(self, reader):
        assert len(reader.sources()) == 2
        assert reader.provenance()["licence"] == "MIT License"


def test_sources_are_the_files_below_the_folder(folder):
    assert LamostReader(str(folder)).sources() == ["a/old.fits", "b/new.fits.gz", "first.fits.gz"]


@pytest.mark.parametrize(("pattern", "count"), [("*.gz", 2), ("b/*", 1), ("a/old.fits", 1)])
def test_pattern(folder, pattern, count):
    assert len(LamostReader(str(folder), pattern).sources()) == count


def test_a_file_is_taken_once_whatever_leads_to_it(folder, tmp_path):
    outside = files.make(tmp_path / "outside" / "x.fits", "image")
    os.symlink(outside, folder / "link.fits")
    os.symlink(outside.parent, folder / "linked")
    os.symlink(folder / "first.fits.gz", folder / "inside.fits.gz")
    sources = LamostReader(str(folder)).sources()
    assert sources == ["a/old.fits", "b/new.fits.gz", "first.fits.gz", "linked/x.fits"]


def test_a_missing_folder(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        LamostReader(str(tmp_path / "none")).sources()


@pytest.mark.parametrize("pattern", [None, "*.fits"])
def test_an_empty_folder(tmp_path, pattern):
    with pytest.raises(DataError, match=r"no \.fits or \.fits\.gz file"):
        LamostReader(str(tmp_path), pattern).sources()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_layouts_give_one_spectrum(tmp_path, layout):
    spectrum = read_lamost(files.make(tmp_path / "x.fits", layout), "x.fits")
    expected = files.wavelength(1400)
    # The rows hold single precision; what is computed from the header agrees to its last digit.
    np.testing.assert_allclose(spectrum.wave, expected, rtol=6e-8)
    np.testing.assert_allclose(spectrum.flux, files.flux_of(1400, 4.19e-5), rtol=1e-6)
    bad = [*range(98, 103), 200, *range(1392, 1400)]
    np.testing.assert_array_equal(np.flatnonzero(spectrum.ivar == 0), bad)
    assert spectrum.ivar[300] == np.float32(0.04)
    assert spectrum.has_ivar


@pytest.mark.parametrize("n_pix", [3902, 3908, 3909])
def test_any_number_of_pixels(tmp_path, n_pix):
    spectrum = read_lamost(files.make(tmp_path / "x.fits.gz", n_pix=n_pix), "x")
    assert spectrum.wave.size == n_pix


def test_bytes_read_like_a_path(tmp_path):
    path = files.make(tmp_path / "x.fits.gz")
    np.testing.assert_array_equal(
        read_lamost(path.read_bytes(), "x").flux, read_lamost(path, "x").flux
    )


def test_a_flux_that_is_not_finite_is_bad(tmp_path):
    flux = files.flux_of(1400)
    flux[[10, 20]] = np.nan, np.inf
    spectrum = read_lamost(files.make(tmp_path / "x.fits", flux=flux), "x")
    assert (spectrum.ivar[[10, 20]] == 0).all()
    assert spectrum.good.sum() == 1400 - 6 - 8 - 2


@pytest.mark.parametrize("layout", LAYOUTS)
def test_bad_pixels_are_counted(tmp_path, layout):
    """Two flagged in ORMASK; five around a cosmic ray, one more, and eight of padding are bad."""
    info = read_lamost(files.make(tmp_path / "x.fits", layout), "x").info
    assert (info.sum_ormask, info.n_bad) == (2, 14)


def test_negative_flux_is_a_measurement(tmp_path):
    flux = files.flux_of(1400)
    flux[10] = -5
    assert read_lamost(files.make(tmp_path / "x.fits", flux=flux), "x").good[10]


BAD = {
    "galaxy": ({"header": {"CLASS": "GALAXY"}}, "not a star \\(CLASS is GALAXY\\)"),
    "unknown": ({"header": {"CLASS": "Unknown"}}, "not a star \\(CLASS is Unknown\\)"),
    "no class": ({"header": {"CLASS": None}}, "not a star \\(CLASS is missing\\)"),
    "redshift of no star": ({"header": {"Z": 0.01}}, "no usable redshift \\(Z of 2998 km/s"),
    "NaN flux": ({"flux": np.full(1400, np.nan)}, "flux is not finite in any pixel"),
    "masked": ({"ivar": np.zeros(1400)}, "every pixel is masked"),
    "zero flux": ({"flux": np.zeros(1400)}, "every pixel is masked"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("settings", "why"), BAD.values(), ids=BAD.keys())
def test_a_useless_spectrum_says_why(tmp_path, layout, settings, why):
    path = files.make(tmp_path / "x.fits.gz", layout, **settings)
    with pytest.raises(SpectrumError, match=f"^night/x.fits.gz: .*{why}"):
        read_lamost(path, "night/x.fits.gz")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("z", [None, -9999.0, "NaN"])
def test_a_missing_redshift_is_not_stated(tmp_path, layout, z):
    path = files.make(tmp_path / "x.fits.gz", layout, header={"Z": z}, flux=files.flux_of(1400))
    assert np.isnan(read_lamost(path, "x").info.z)


def test_no_wavelength_at_all(tmp_path):
    path = files.make(tmp_path / "x.fits", "first", {"COEFF0": None})
    with pytest.raises(SpectrumError, match="no wavelengths"):
        read_lamost(path, "x")


@pytest.mark.parametrize("cut", [0, 100, 3000, 15000, 20000])
def test_a_file_cut_short(tmp_path, cut):
    path = files.make(tmp_path / "x.fits")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(SpectrumError, match=r"^x: "):
        read_lamost(path, "x")


def test_a_gzip_cut_short(folder):
    path = folder / "b" / "new.fits.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SpectrumError, match=r"^b/new\.fits\.gz: damaged gzip"):
        LamostReader(str(folder)).read("b/new.fits.gz")


def test_other_fits_is_not_lamost(tmp_path):
    raw = files.to_bytes(files.CARDS)
    with pytest.raises(SpectrumError, match="neither layout"):
        read_lamost(raw, "x")


@pytest.mark.parametrize("lengths", [[1] * 6, [3, 2, 3, 3, 3, 3]], ids=["scalars", "unequal"])
def test_another_table_is_not_lamost(tmp_path, lengths):
    columns = [
        fits.Column(name, f"{n}E", array=np.ones((1, n)) if n > 1 else np.ones(1))
        for name, n in zip(files.TABLE_COLUMNS, lengths, strict=True)
    ]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "x.fits")
    with pytest.raises(SpectrumError, match="not one row of equally long arrays"):
        read_lamost(tmp_path / "x.fits", "x")


@pytest.fixture(scope="module", params=LAYOUTS)
def sound(request, tmp_path_factory):
    return files.make(tmp_path_factory.mktemp("lamost") / "x.fits", request.param).read_bytes()


@settings(max_examples=150, deadline=None)
@given(position=st.integers(0, 20000), value=st.binary(min_size=1, max_size=12))
def test_a_damaged_file_never_raises_anything_else(sound, position, value):
    raw = sound[:position] + value + sound[position + len(value) :]
    with contextlib.suppress(SpectrumError):
        assert read_lamost(raw, "x").good.any()
