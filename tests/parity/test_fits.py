"""Our reading of FITS files against astropy's, card by card and number by number."""

import gzip
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from tests.data.lamost import make as lamost
from tests.data.stelib import make as stelib

from torchfit.files.fits_file import read_fits

BESIDE = Path(__file__).parents[2].parent / "shared" / "data"
ROOT = Path(os.environ.get("TORCHFIT_TEST_DATA", BESIDE)) / "lamost"


def demand_equal(path, raw=None):
    """Every readable card and every array of a file."""
    with warnings.catch_warnings(), fits.open(path, memmap=False) as hdus:
        warnings.simplefilter("ignore")
        units = read_fits(path if raw is None else raw, "file")
        assert len(units) == len(hdus)
        for unit, hdu in zip(units, hdus, strict=True):
            demand_equal_cards(unit, hdu.header)
            if isinstance(hdu.data, fits.FITS_rec):
                for name, values in unit.columns.items():
                    np.testing.assert_array_equal(values, hdu.data[name].astype(float))
            elif hdu.data is not None:
                np.testing.assert_array_equal(unit.image, hdu.data.astype(float))


def demand_equal_cards(unit, header):
    for card in header.cards:
        if card.keyword in ("", "COMMENT", "HISTORY", "APNUM1") or card.image[8:10] != "= ":
            continue
        try:
            value = header[card.keyword]
        except fits.VerifyError:
            continue
        if isinstance(value, str):
            assert unit.text(card.keyword) == value.strip()
            assert unit.comment(card.keyword) == header.comments[card.keyword].strip()
        elif isinstance(value, int | float) and not isinstance(value, bool):
            assert unit.number(card.keyword) == value


@pytest.mark.parametrize("layout", ["table", "image", "first"])
def test_lamost_files(tmp_path, layout):
    demand_equal(lamost.make(tmp_path / "x.fits.gz", layout))


def test_a_header_that_breaks_the_standard(tmp_path):
    data = stelib.flux_of().astype(">f4").tobytes()
    (tmp_path / "x.fits").write_bytes(stelib.header_of({}) + data + b"\0" * (-len(data) % 2880))
    demand_equal(tmp_path / "x.fits")


def test_scaled_images_and_more_than_one_packed_piece(tmp_path):
    image = fits.ImageHDU(np.arange(12.0).reshape(3, 4), name="SCALED")
    image.scale("int16", bzero=3, bscale=0.5)
    fits.HDUList([fits.PrimaryHDU(np.arange(5, dtype="u2")), image]).writeto(tmp_path / "x.fits")
    demand_equal(tmp_path / "x.fits")
    raw = (tmp_path / "x.fits").read_bytes()
    demand_equal(tmp_path / "x.fits", gzip.compress(raw[:3000]) + gzip.compress(raw[3000:]))


@pytest.mark.skipif(not ROOT.is_dir(), reason="no real LAMOST files: set TORCHFIT_TEST_DATA")
def test_real_lamost_files():
    for path in sorted(ROOT.glob("*/*.gz")):
        demand_equal(path)
