import gzip

import numpy as np
import pytest
from astropy.io import fits

from torchfit.exceptions import DataError
from torchfit.files.fits_astropy import open_fits

IMPOSSIBLE = {
    "NAXIS": 2147483648,
    "NAXIS1": 10**12,
    "TFIELDS": 10**9,
    "PCOUNT": 10**15,
    "GCOUNT": 10**12,
    "ZNAXIS": 10**9,
    "ZNAXIS1": 10**12,
}
"""A number of each card at which astropy counts or allocates for hours."""


@pytest.fixture
def path(tmp_path):
    """An image, a table, and a compressed image."""
    image = np.arange(2000.0).reshape(20, 100)
    table = fits.BinTableHDU.from_columns([fits.Column("X", "E", array=np.arange(3.0))])
    units = [fits.PrimaryHDU(), table, fits.CompImageHDU(image, compression_type="GZIP_1")]
    path = tmp_path / "file.fits"
    fits.HDUList(units).writeto(path)
    return path


def edited(raw: bytes, key: str, value: int) -> bytes:
    """The last card of that name, with another value."""
    place = raw.rindex(key.ljust(8).encode() + b"=")
    card = f"{key:8}= {value:>20}".ljust(80).encode()
    return raw[:place] + card + raw[place + 80 :]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_sound_file_is_opened(path, pack):
    path.write_bytes(pack(path.read_bytes()))
    with open_fits(path) as units:
        assert units[1].data["X"].tolist() == [0, 1, 2]
        assert units[2].data.shape == (20, 100)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("key", IMPOSSIBLE)
def test_impossible_sizes_are_refused_before_anybody_counts_to_them(path, key, pack):
    path.write_bytes(pack(edited(path.read_bytes(), key, IMPOSSIBLE[key])))
    with pytest.raises(DataError, match="no sound FITS file") as raised, open_fits(path):
        pass
    assert str(path) in str(raised.value)


def test_bytes_behind_the_last_unit_do_not_matter(path):
    path.write_bytes(path.read_bytes() + b"x" * 100)
    with open_fits(path) as units:
        assert len(units) == 3


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="no such file"), open_fits(tmp_path / "none.fits"):
        pass


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_that_ends_before_its_data_is_cut_short_wherever_it_is_cut(path, pack):
    with fits.open(path, disable_image_compression=True) as units:
        starts = [unit.fileinfo()["datLoc"] for unit in units]
        ends = [start + unit.size for start, unit in zip(starts, units, strict=True)]
    raw = path.read_bytes()
    for start, end in zip(starts[1:], ends[1:], strict=True):
        for n_bytes in (start, start + 1, (start + end) // 2, end - 1):
            path.write_bytes(pack(raw[:n_bytes]))
            with pytest.raises(DataError, match="it is cut short"), open_fits(path):
                pass
    path.write_bytes(pack(raw[: ends[-1]]))
    with open_fits(path) as units:
        assert len(units) == 3, "what fills up the last block may be missing"
