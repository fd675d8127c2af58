import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from torchfit.catalogue.binary_rows import NULL
from torchfit.catalogue.conform import conform
from torchfit.catalogue.fits_file import write_fits
from torchfit.catalogue.schema import columns
from torchfit.names import LABELS

SCHEMA = columns(LABELS)


@pytest.fixture
def rows(table):
    """Seven stars, one of them with a name that ASCII has not, and one without an obsid."""
    odd = table.assign(
        name=["é Cep", *table["name"][1:]],
        obsid=[None, *table["obsid"][1:]],
        source=table["source"],
    )
    return conform(odd, SCHEMA)


def test_astropy_reads_back_what_was_written(tmp_path, rows):
    write_fits(tmp_path / "a.fits", rows, SCHEMA, {"seed": "1"})
    with fits.open(tmp_path / "a.fits") as file:
        file.verify("exception")
        assert file[1].header["NAXIS2"] == len(rows)
        assert file[1].header["PROV1"] == "seed = 1"
    assert (tmp_path / "a.fits").stat().st_size % 2880 == 0
    found = Table.read(tmp_path / "a.fits")
    assert found["name"][0] == "\\xe9 Cep"
    assert found["obsid"].mask.tolist() == rows["obsid"].isna().tolist()
    assert found["obsid"][1] == rows["obsid"][1]
    for name in ("star", "teff", "ra", "snr_g", "in_library"):
        np.testing.assert_array_equal(np.asarray(found[name]), rows[name].to_numpy())
        assert found[name].dtype.kind == rows[name].dtype.kind
    assert found["teff"].unit == "K"


def test_a_missing_integer_is_the_null_of_its_column(tmp_path, rows):
    write_fits(tmp_path / "a.fits", rows, SCHEMA, {})
    raw = fits.getdata(tmp_path / "a.fits", 1)
    assert raw["obsid"][0] == NULL
    place = [column.name for column in SCHEMA].index("obsid") + 1
    assert fits.getheader(tmp_path / "a.fits", 1)[f"TNULL{place}"] == NULL


def test_rows_a_few_at_a_time_are_the_same_bytes(tmp_path, rows, monkeypatch):
    write_fits(tmp_path / "whole.fits", rows, SCHEMA, {})
    monkeypatch.setattr("torchfit.catalogue.binary_rows._ROWS_AT_ONCE", 3)
    write_fits(tmp_path / "pieces.fits", rows, SCHEMA, {})
    assert (tmp_path / "whole.fits").read_bytes() == (tmp_path / "pieces.fits").read_bytes()


def test_a_table_without_rows_is_a_file_with_columns(tmp_path, rows):
    write_fits(tmp_path / "none.fits", rows[:0], SCHEMA, {})
    found = Table.read(tmp_path / "none.fits")
    assert len(found) == 0
    assert found.colnames == [column.name for column in SCHEMA]
