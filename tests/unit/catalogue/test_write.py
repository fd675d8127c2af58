import errno
import json
import os
import warnings

import astropy.units as u
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import QTable, Table

from torchfit.catalogue import write
from torchfit.catalogue.schema import columns, conform
from torchfit.catalogue.write import write_catalogue, write_rejects
from torchfit.exceptions import CatalogueError, OutputError
from torchfit.names import LABELS

PROVENANCE = {"torchfit": "0.1.0", "survey": "Höhe\nµ " + "long " * 40 + "end"}


@pytest.fixture
def written(tmp_path, table):
    return write_catalogue(table, tmp_path, LABELS, PROVENANCE)


def _read_astropy(path):
    with warnings.catch_warnings():
        # FITS has no unit for a logarithm; astropy says so and keeps the word "dex".
        warnings.filterwarnings("ignore", message=".*dex.*")
        return Table.read(path)


def _assert_same_numbers(read, table):
    for column in columns(LABELS):
        if column.dtype in ("float64", "float32", "int64", "bool"):
            values = np.ma.filled(np.ma.asarray(read[column.name]), np.nan)
            assert values.dtype.newbyteorder("=") == column.dtype, column.name
            np.testing.assert_array_equal(values, table[column.name].to_numpy())


def test_parquet_reads_back_equal_in_pandas(written, table):
    read = pd.read_parquet(written["parquet"])
    pd.testing.assert_frame_equal(read, conform(table, LABELS))


def test_parquet_reads_in_astropy_with_units_and_descriptions(written, table):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = QTable.read(written["parquet"])
    for column in columns(LABELS):
        info = read[column.name].info
        assert info.description == column.text
        assert (info.unit or u.one) == u.Unit(column.unit)
    assert dict(read.meta) == PROVENANCE
    assert list(read["name"]) == list(table["name"])
    _assert_same_numbers(Table.read(written["parquet"]), table)


def test_parquet_fields_carry_unit_description_and_provenance(written):
    schema = pq.read_schema(written["parquet"])
    metadata = schema.field("teff").metadata
    assert metadata == {b"unit": b"K", b"description": b"Effective temperature"}
    assert json.loads(schema.metadata[b"provenance"]) == PROVENANCE


def test_fits_reads_back_equal(written, table):
    read = _read_astropy(written["fits"])
    _assert_same_numbers(read, table)
    for name in ("source", "name", "subclass", "spectral_class", "stop"):
        assert [str(text) for text in read[name].filled("").astype(str)] == list(table[name])


def test_fits_has_units_descriptions_and_nulls(written, table):
    read = _read_astropy(written["fits"])
    for column in columns(LABELS):
        assert read[column.name].description == column.text
        assert str(read[column.name].unit or "").replace(" ", "") == column.unit
    assert list(read["obsid"].mask) == list(table["obsid"].isna())
    assert list(read["obsid"].compressed()) == list(table["obsid"].dropna())


def test_fits_header_speaks_to_topcat(written):
    header = fits.getheader(written["fits"], 1)
    assert header["EXTNAME"] == "CATALOGUE"
    for number, column in enumerate(columns(LABELS), start=1):
        assert header[f"TTYPE{number}"] == column.name
        assert header.get(f"TUNIT{number}", "") == column.unit
        assert header[f"TCOMM{number}"] == column.text
    assert header["PROV1"] == "torchfit = 0.1.0"
    assert header["PROV2"].encode().decode("unicode_escape") == f"survey = {PROVENANCE['survey']}"


def test_fits_passes_the_standard(written):
    with fits.open(written["fits"]) as hdus:
        hdus.verify("exception")


def test_text_outside_ascii_survives_escaped(tmp_path, table):
    table.loc[0, "name"] = "β Pic"
    paths = write_catalogue(table, tmp_path, LABELS, {})
    assert fits.getdata(paths["fits"])["name"][0] == r"\u03b2 Pic"
    assert pd.read_csv(paths["csv"])["name"][0] == "β Pic"


def test_csv_reads_back_with_default_arguments(written, table):
    read = pd.read_csv(written["csv"])
    assert list(read.columns) == list(table.columns)
    for column in columns(LABELS):
        given, got = table[column.name], read[column.name]
        if column.dtype == "str":
            assert list(got.fillna("")) == list(given)
        else:
            expected = given.to_numpy(dtype=float, na_value=np.nan)
            np.testing.assert_allclose(got.to_numpy(dtype=float), expected, rtol=1e-7)


def test_columns_file_describes_every_column(written):
    read = pd.read_csv(written["columns"], keep_default_na=False)
    assert list(read.columns) == ["name", "unit", "type", "description"]
    assert list(read["name"]) == [column.name for column in columns(LABELS)]
    assert read.set_index("name").loc["e_logg", "unit"] == "dex"


@pytest.mark.parametrize("n_stars", [0, 1, 7])
@pytest.mark.parametrize("labels", [LABELS[:3], LABELS])
def test_same_input_gives_same_bytes(tmp_path, make_table, n_stars, labels):
    table = make_table(n_stars, labels)
    first = write_catalogue(table, tmp_path / "a", labels, PROVENANCE)
    second = write_catalogue(table, tmp_path / "b", labels, PROVENANCE)
    for kind in first:
        assert first[kind].read_bytes() == second[kind].read_bytes(), kind


def test_empty_catalogue_reads_everywhere(tmp_path, make_table):
    paths = write_catalogue(make_table(0), tmp_path, LABELS, {})
    assert len(pd.read_parquet(paths["parquet"])) == len(pd.read_csv(paths["csv"])) == 0
    assert len(_read_astropy(paths["fits"])) == len(Table.read(paths["parquet"])) == 0


@pytest.mark.parametrize("writer", ["write_parquet", "write_fits", "_write_csv"])
def test_failure_in_the_middle_leaves_the_old_catalogue(tmp_path, table, monkeypatch, writer):
    old = write_catalogue(table, tmp_path, LABELS, {"run": "old"})
    before = {path: path.read_bytes() for path in old.values()}

    def fill_disk(path, *_):
        path.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(write, writer, fill_disk)
    with pytest.raises(OutputError, match="No space left"):
        write_catalogue(table[:3], tmp_path, LABELS, {"run": "new"})
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", ["catalogue.parquet", "catalogue.csv", "catalogue_columns.csv"])
def test_disk_full_at_the_sync_of_one_file_leaves_all_of_them(tmp_path, table, monkeypatch, name):
    old = write_catalogue(table, tmp_path, LABELS, {"run": "old"})
    before = {path: path.read_bytes() for path in old.values()}

    def full(path):
        if path.name.startswith(f".{name}."):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(write, "sync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_catalogue(table[:3], tmp_path, LABELS, {"run": "new"})
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_rejects_are_plain_csv(tmp_path):
    rejects = pd.DataFrame({"source": ["a,b.fits"], "reason": ['says "no"'], "more": [1]})
    read = pd.read_csv(write_rejects(rejects, tmp_path))
    pd.testing.assert_frame_equal(read, rejects[["source", "reason"]])


def test_no_rejects_is_a_file_with_a_header(tmp_path):
    path = write_rejects(pd.DataFrame({"source": [], "reason": []}), tmp_path)
    assert path.read_text() == "source,reason\n"


def test_rejects_without_a_reason_are_refused(tmp_path):
    with pytest.raises(CatalogueError, match="reason"):
        write_rejects(pd.DataFrame({"source": ["a"]}), tmp_path)
