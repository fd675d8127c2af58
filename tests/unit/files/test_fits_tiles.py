import io

import numpy as np
import pytest
from astropy.io import fits

from torchfit.exceptions import SpectrumError
from torchfit.files.fits_file import read_fits

IMAGE = np.random.default_rng(0).normal(100, 5, (5, 300)).astype(np.float32)


def tiled(kind="GZIP_1", was_primary=True, **cards):
    header = (fits.PrimaryHDU if was_primary else fits.ImageHDU)(IMAGE).header
    header["OBSID"] = 12
    buffer = io.BytesIO()
    unit = fits.CompImageHDU(IMAGE, header, compression_type=kind, quantize_level=0.0)
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(buffer)
    raw = buffer.getvalue()
    for key, value in cards.items():
        place = raw.index(key.ljust(8).encode() + b"=")
        raw = raw[:place] + f"{key:8}= {value:>20}".ljust(80).encode() + raw[place + 80 :]
    return raw


@pytest.mark.parametrize("kind", ["GZIP_1", "GZIP_2"])
def test_the_image_is_that_before_it_was_packed(kind):
    (unit,) = read_fits(tiled(kind), "x")
    np.testing.assert_array_equal(unit.image, IMAGE)
    assert unit.number("OBSID") == 12


def test_an_image_that_was_an_extension_stays_one():
    first, second = read_fits(tiled(was_primary=False), "x")
    assert first.image is None
    np.testing.assert_array_equal(second.image, IMAGE)


@pytest.mark.parametrize(
    "cards",
    [
        {"ZNAXIS": 99999999},
        {"ZNAXIS": 0},
        {"ZNAXIS1": 10**12},
        {"ZNAXIS1": 0},
        {"ZTILE1": 10**15},
        {"ZTILE1": 1},
        {"TFIELDS": 2**31},
        {"TFIELDS": 1000},
        {"NAXIS2": 4},
    ],
)
def test_hostile_sizes_are_refused(cards):
    with pytest.raises(SpectrumError, match="x: not a readable FITS file"):
        read_fits(tiled(**cards), "x")
