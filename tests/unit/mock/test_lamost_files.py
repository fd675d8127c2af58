import gzip
import re

import numpy as np
import pytest
from astropy.io import fits

from torchfit.exceptions import OutputError
from torchfit.mock.lamost import MockLamostReader
from torchfit.mock.lamost_files import (
    LAYOUTS,
    file_path,
    image_file,
    normalisation,
    table_file,
    write_lamost,
)
from torchfit.surveys.lamost import LamostReader, read_lamost

REAL_NAME = re.compile(r"^spec-(\d{5})-([A-Za-z0-9_+]+?)_sp(\d{2})-(\d{3})\.fits(\.gz)?$")
"""FORMATS.md 2.7."""


@pytest.fixture(scope="module")
def reader():
    return MockLamostReader(40)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_read_back_is_the_spectrum(reader, layout):
    for source in reader.sources()[:12]:
        expected = reader.read(source)
        found = read_lamost(LAYOUTS[layout](reader.lamost_object(source)), source)
        np.testing.assert_array_equal(found.wave, expected.wave)
        np.testing.assert_array_equal(found.flux, expected.flux)
        np.testing.assert_array_equal(found.ivar, expected.ivar)
        info, said = found.info, expected.info
        assert (info.obsid, info.name, info.subclass) == (said.obsid, said.name, said.subclass)
        assert (info.ra, info.dec) == pytest.approx((said.ra, said.dec), abs=1e-6)
        assert info.z == pytest.approx(said.z, abs=1e-8)
        assert info.snr == pytest.approx(said.snr, abs=0.006)


def test_the_table_is_laid_out_as_the_real_one(reader):
    made = reader.lamost_object(reader.sources()[1])
    raw = table_file(made)
    n_pix = len(made.wave)
    start = raw.index(b"XTENSION")
    assert start % 2880 == len(raw) % 2880 == 0
    assert len(raw) - start == 2880 + -(-24 * n_pix // 2880) * 2880
    data = np.frombuffer(raw, ">f4", 6 * n_pix, start + 2880).reshape(6, n_pix)
    np.testing.assert_array_equal(data[0], made.flux)
    np.testing.assert_array_equal(data[2], made.wave)
    np.testing.assert_array_equal(data[4], made.ormask)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_astropy_opens_it(reader, layout, tmp_path):
    made = reader.lamost_object(reader.sources()[0])
    path = tmp_path / "x.fits"
    path.write_bytes(LAYOUTS[layout](made))
    with fits.open(path) as units:
        if layout == "image":
            assert units[0].data.shape == (5, len(made.wave))
        else:
            assert units[0].data is None
            assert units["COADD"].columns.names[0] == "FLUX"
            assert units[1].data["FLUX"].shape == (1, len(made.wave))
        assert units[0].header["OBSID"] == made.obsid


def test_wavelengths_are_those_of_the_pipeline(reader):
    """FORMATS.md 2.4: the stored values come from single-precision coefficients."""
    made = reader.lamost_object(reader.sources()[0])
    start, step = (float(np.float32(value)) for value in (3.5682, 1e-4))
    expected = 10 ** (start + step * np.arange(len(made.wave)))
    np.testing.assert_array_equal(made.wave, expected.astype(np.float32))


def test_the_image_has_no_normalisation(reader):
    made = reader.lamost_object(reader.sources()[0])
    assert len(image_file(made)) < len(table_file(made))


def test_normalisation_is_one_outside_its_range(reader):
    for source in reader.sources():
        made = reader.lamost_object(source)
        values = normalisation(made)
        if made.is_normalised:
            outside = (made.wave < 3801) | (made.wave > 8900)
            assert (values[outside] == 1).all()
            assert np.median(values[~outside]) == pytest.approx(1.0, abs=0.05)
        else:
            assert (values == -9999).all()


def test_names_are_those_of_the_survey(reader):
    for source in reader.sources():
        made = reader.lamost_object(source)
        path = file_path(made)
        match = REAL_NAME.match(path.name)
        assert match
        assert (int(match[1]), match[2]) == (made.lmjd, path.parts[1])
        assert (int(match[3]), int(match[4])) == (made.spectrograph, made.fiber)
        assert re.fullmatch(r"20\d{6}", path.parts[0])


def test_a_tree_with_its_catalogue(reader, tmp_path):
    paths = write_lamost(tmp_path, reader)
    assert LamostReader(str(tmp_path)).sources() == sorted(paths)
    catalogue = str(tmp_path / "dr10_v2.0_LRS_catalogue.csv")
    joined = LamostReader(str(tmp_path), catalogue=catalogue)
    assert joined.sources() == sorted(paths)
    for source, path in zip(reader.sources()[:5], paths, strict=False):
        assert joined.read(path).info.uid == reader.read(source).info.uid


def test_the_same_survey_gives_the_same_bytes(reader, tmp_path):
    first, again = (write_lamost(tmp_path / name, reader) for name in "ab")
    assert first == again
    for path in first[:3]:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()
    assert gzip.decompress((tmp_path / "a" / first[0]).read_bytes()).startswith(b"SIMPLE")


def test_a_place_that_cannot_be_written(reader, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="written"):
        write_lamost(tmp_path / "file", reader)
