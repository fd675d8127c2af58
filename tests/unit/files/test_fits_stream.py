import contextlib
import gzip

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import example, given, settings
from hypothesis import strategies as st

from torchfit.exceptions import DataError
from torchfit.files import fits_stream
from torchfit.files.fits_stream import open_table, read_columns

N_ROWS = 50
COLUMNS = {
    "name": ("12A", np.array([f"star {n}" for n in range(N_ROWS)])),
    "flag": ("L", np.arange(N_ROWS) % 3 == 0),
    "small": ("B", np.arange(N_ROWS)),
    "short": ("I", np.arange(N_ROWS) - 7),
    "int": ("J", 10**6 * np.arange(N_ROWS)),
    "long": ("K", 10**17 + np.arange(N_ROWS)),
    "single": ("E", np.linspace(0, 1, N_ROWS)),
    "double": ("D", np.linspace(0, 1, N_ROWS) ** 2),
    "flux": ("17E", np.arange(17.0 * N_ROWS).reshape(N_ROWS, 17)),
    "mags": ("3D", np.arange(3.0 * N_ROWS).reshape(N_ROWS, 3)),
}


def columns():
    for name, (form, array) in COLUMNS.items():
        yield fits.Column(name, form, array=array.copy())
    yield fits.Column("unsigned", "I", array=np.arange(N_ROWS) + 40000, bzero=32768)
    yield fits.Column("scaled", "E", array=np.arange(N_ROWS) * 0.5, bscale=0.5, bzero=2)


def write(path, *, units=1, packed=False):
    tables = [
        fits.BinTableHDU.from_columns(list(columns()), name=f"T{n}") for n in range(1, units + 1)
    ]
    image = fits.PrimaryHDU(np.ones((3, 4)))
    fits.HDUList([image, *tables]).writeto(path)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    return path


@pytest.fixture(params=[False, True], ids=["plain", "gz"])
def path(tmp_path, request):
    return write(tmp_path / "t.fits", units=3, packed=request.param)


@pytest.mark.parametrize("hdu", [1, 2, 3, "T1", "T3"])
@pytest.mark.parametrize("block", [1, 1000, 1 << 20])
def test_columns_are_those_of_astropy(path, hdu, block, monkeypatch):
    monkeypatch.setattr(fits_stream, "_BLOCK_BYTES", block)
    names = [name.upper() for name in [*COLUMNS, "unsigned", "scaled"]]
    found = read_columns(path, names, hdu)
    with fits.open(path) as hdus:
        for name in names:
            if name in ("NAME", "FLAG"):
                continue
            np.testing.assert_array_equal(found[name], hdus[hdu].data[name])
            assert found[name].dtype.isnative
    assert found["NAME"][3] == b"star 3"
    assert found["FLAG"][3] == b"T"


def test_rows_come_in_blocks(path, monkeypatch):
    monkeypatch.setattr(fits_stream, "_BLOCK_BYTES", 1500)
    with open_table(path, 2) as table:
        sizes = [len(block) for block in table.blocks()]
        assert table.layout.extname == "T2"
    assert sum(sizes) == N_ROWS
    assert max(sizes) == sizes[0] == 1500 // table.layout.dtype.itemsize > 1


def test_optional_columns(path):
    assert set(read_columns(path, ["INT"], optional=["LONG", "NONE"])) == {"INT", "LONG"}


def test_a_table_without_rows(tmp_path):
    columns = [fits.Column("a", "J", array=np.zeros(0, int)), fits.Column("b", "3E")]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "t.fits")
    found = read_columns(tmp_path / "t.fits", ["A", "B"])
    assert len(found["A"]) == len(found["B"]) == 0


@pytest.mark.parametrize(("hdu", "why"), [(4, "no table 4"), ("X", "no table X"), (0, "no binary")])
def test_no_such_table(path, hdu, why):
    with pytest.raises(DataError, match=why):
        read_columns(path, ["INT"], hdu)


def test_a_missing_column_lists_those_that_are_there(path):
    with pytest.raises(DataError, match=r"no column MJD, PLATE; the table has NAME, FLAG, SMALL"):
        read_columns(path, ["PLATE", "INT", "MJD"])


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_columns(tmp_path / "none.fits", ["A"])


@pytest.mark.parametrize("content", [b"", b"text", b"SIMPLE  =", b"x" * 5000, b"SIMPLE" * 1000])
def test_no_fits(tmp_path, content):
    (tmp_path / "t.fits").write_bytes(content)
    with pytest.raises(DataError, match=r"no (whole )?FITS file"):
        read_columns(tmp_path / "t.fits", ["A"])


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_cut_short(tmp_path, packed, share):
    path = write(tmp_path / "t.fits", packed=packed)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(DataError, match=r"cut short|no whole FITS"):
        read_columns(path, ["INT"])


def test_a_flipped_byte_in_a_gzip_is_seen(tmp_path):
    path = write(tmp_path / "t.fits", packed=True)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(raw)
    with pytest.raises(DataError, match="damaged"):
        read_columns(path, ["INT"])


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return write(tmp_path_factory.mktemp("fits") / "t.fits").read_bytes()


@settings(max_examples=100, deadline=None)
@example(position=5920, value=b"\x00")
@given(position=st.integers(0, 20000), value=st.binary(min_size=1, max_size=12))
def test_damage_raises_nothing_else(sound, tmp_path_factory, position, value):
    path = tmp_path_factory.getbasetemp() / "damaged.fits"
    path.write_bytes(sound[:position] + value + sound[position + len(value) :])
    with contextlib.suppress(DataError):
        assert len(read_columns(path, ["INT"])["INT"]) <= 10**6


def test_a_size_beyond_all_files_is_one_clear_error(path):
    raw = path.read_bytes()
    packed = raw.startswith(b"\x1f\x8b")
    plain = gzip.decompress(raw) if packed else raw
    place = plain.index(b"PCOUNT  =")
    card = f"PCOUNT  = {10**19:>20}".ljust(80).encode()
    spoilt = plain[:place] + card + plain[place + 80 :]
    path.write_bytes(gzip.compress(spoilt) if packed else spoilt)
    with pytest.raises(DataError, match="holds more than it can"):
        read_columns(path, ["SMALL"], 3)
