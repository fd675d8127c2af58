import gzip
import io

import numpy as np
import pytest
from astropy.io import fits
from tests.data.lamost import make as files

from torchfit.exceptions import SpectrumError
from torchfit.files.fits_file import read_fits
from torchfit.mock.faults import LAYOUTS
from torchfit.mock.lamost import MockLamostReader
from torchfit.surveys.lamost import read_lamost
from torchfit.surveys.lamost_arrays import good_pixels, lamost_arrays
from torchfit.surveys.medium import vacuum_to_air

TABLE, IMAGE = "table", "image"


def spoilt(path, wave, layout, vacuum="T"):
    """A file with other wavelengths, and another VACUUM card or none."""
    files.make(path, layout, {"VACUUM": None})
    raw = path.read_bytes()
    old = files.wavelength(1400).astype(">f4").tobytes()
    assert raw.count(old) == 1
    raw = raw.replace(old, np.asarray(wave).astype(">f4").tobytes())
    if vacuum is not None:
        card = f"VACUUM  = {vacuum:>20}".ljust(80).encode()
        assert raw.count(b"NWORDER =") == 1
        place = raw.index(b"NWORDER =")
        raw = raw[:place] + card + raw[place + 80 :]
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("layout", [TABLE, IMAGE])
@pytest.mark.parametrize("padding", [0.0, np.nan, -1.0])
@pytest.mark.parametrize("end", [slice(-20, None), slice(0, 20)], ids=["red", "blue"])
def test_a_padded_grid_loses_only_its_padding(tmp_path, layout, padding, end):
    wave = files.wavelength(1400)
    wave[end] = padding
    spectrum = read_lamost(spoilt(tmp_path / "x.fits", wave, layout), "x")
    whole = read_lamost(files.make(tmp_path / "y.fits", layout), "y")
    kept = np.delete(np.arange(1400), end)
    np.testing.assert_array_equal(spectrum.wave, whole.wave[kept])
    np.testing.assert_array_equal(spectrum.flux, whole.flux[kept])


@pytest.mark.parametrize("layout", [TABLE, IMAGE])
def test_wavelengths_in_air_are_converted(tmp_path, layout):
    wave = vacuum_to_air(files.wavelength(1400))
    spectrum = read_lamost(spoilt(tmp_path / "x.fits", wave, layout, "F"), "x")
    np.testing.assert_allclose(spectrum.wave, files.wavelength(1400), atol=1e-3)


@pytest.mark.parametrize("layout", [TABLE, IMAGE])
def test_without_a_card_the_lines_tell(stars, layout):
    """Of stars whose lines do tell, which is most of them."""
    told = [star for star in stars if star.snr["g"] > 40 and star.subclass.startswith("G")]
    assert told
    for star in told:
        raw = LAYOUTS[layout](star).replace(b"VACUUM  =", b"NOVACUUM=", 1)
        wave = star.wave.astype(np.float64)
        air = vacuum_to_air(wave).astype(">f4").tobytes()
        in_air = raw.replace(star.wave.astype(">f4").tobytes(), air)
        assert in_air != raw
        np.testing.assert_allclose(read_lamost(in_air, "x").wave, wave, atol=2e-3)
        np.testing.assert_array_equal(read_lamost(raw, "x").wave, wave)


@pytest.mark.parametrize("layout", [TABLE, IMAGE])
@pytest.mark.parametrize("vacuum", ["T", None])
def test_wavelengths_in_vacuum_stay(tmp_path, layout, vacuum):
    path = spoilt(tmp_path / "x.fits", files.wavelength(1400), layout, vacuum)
    np.testing.assert_allclose(read_lamost(path, "x").wave, files.wavelength(1400), rtol=6e-8)


@pytest.mark.parametrize(
    "wave",
    [
        files.wavelength(1400)[::-1],
        np.full(1400, 5000.0),
        files.wavelength(1400) * 100,
        np.zeros(1400),
        np.full(1400, np.nan),
    ],
    ids=["decreasing", "constant", "metres", "zero", "NaN"],
)
def test_wavelengths_that_are_none(tmp_path, wave):
    with pytest.raises(SpectrumError, match="the wavelengths do not increase within 3000-10000"):
        read_lamost(spoilt(tmp_path / "x.fits", wave, TABLE), "x")


def test_too_many_pixels_are_another_kind_of_file(tmp_path):
    path = files.make(tmp_path / "x.fits", n_pix=20_001)
    with pytest.raises(SpectrumError, match="20001 pixels are no low-resolution spectrum"):
        read_lamost(path, "x")


def test_an_image_without_a_pixel():
    with pytest.raises(SpectrumError, match="neither layout"):
        lamost_arrays(read_fits(fits_of(np.zeros((5, 0), np.float32)), "x"), "x")


def fits_of(image):
    header = fits.PrimaryHDU(np.zeros((5, 7), np.float32)).header
    header["NAXIS1"] = image.shape[1]
    raw = header.tostring().encode()
    return raw + image.tobytes() + bytes(-image.nbytes % 2880)


def test_any_flag_is_bad_and_one_that_is_no_number():
    ones = np.ones(5)
    good = good_pixels(ones, ones, np.array([0, 1, -1, np.nan, np.inf]))
    assert good.tolist() == [True, False, False, False, False]


@pytest.fixture(scope="module")
def stars():
    reader = MockLamostReader(40)
    return [reader.lamost_object(source) for source in reader.sources()]


@pytest.fixture(scope="module")
def star(stars):
    return stars[0]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_spectrum(star, layout):
    spectrum = read_lamost(LAYOUTS[layout](star), "x")
    np.testing.assert_allclose(spectrum.wave, star.wave, rtol=1e-6)
    np.testing.assert_array_equal(spectrum.flux, star.flux)
    np.testing.assert_array_equal(spectrum.ivar, np.where(star.good, star.ivar, 0))
    assert spectrum.info.obsid == (None if layout == "release 1" else star.obsid)


@pytest.mark.parametrize("filling", [b"\0", b"\n"])
def test_nuls_after_the_end_of_a_header(star, filling):
    raw = LAYOUTS["image"](star)
    raw = raw.replace(b"END".ljust(80), b"END" + filling * 77, 1)
    assert read_lamost(raw, "x").info.obsid == star.obsid


@pytest.mark.parametrize("tail", [b"\0" * 2880, b"bytes of another program", b"XTENSIO"])
def test_bytes_after_the_last_unit(star, tail):
    for layout in LAYOUTS.values():
        raw = layout(star)
        np.testing.assert_array_equal(read_lamost(raw + tail, "x").flux, star.flux)
        packed = gzip.compress(raw) + tail
        np.testing.assert_array_equal(read_lamost(packed, "x").flux, star.flux)
    with fits.open(io.BytesIO(LAYOUTS["image"](star) + tail)) as units:
        np.testing.assert_array_equal(units[0].data[0], star.flux)


@pytest.mark.parametrize("arm", [slice(0, 2000), slice(2000, None)], ids=["blue", "red"])
def test_one_arm_alone(tmp_path, arm):
    ivar = np.zeros(3909)
    ivar[arm] = 0.04
    spectrum = read_lamost(files.make(tmp_path / "x.fits", ivar=ivar, n_pix=3909), "x")
    outside = np.delete(np.arange(3909), arm)
    assert spectrum.good[arm].mean() > 0.99
    assert not spectrum.good[outside].any()
