"""Every format of the catalogue, read back by those who read it."""

import json
import warnings

import astropy.units as u
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import QTable, Table

from torchfit.catalogue.product import ENDINGS, Product
from torchfit.catalogue.schema import catalogue_columns
from torchfit.exceptions import ConfigError
from torchfit.names import LABELS

PROVENANCE = {"torchfit": "0.1.0", "survey": "Höhe\nµ " + "long " * 40 + "end"}
SCHEMA = catalogue_columns(LABELS)
PLAIN = ("parquet", "fits", "csv", "votable")


def write(folder, table, schema=SCHEMA, provenance=PROVENANCE, formats=PLAIN):
    """Write a table in several formats; the files by format."""
    folder.mkdir(parents=True, exist_ok=True)
    writers = Product(formats).writers("catalogue", table, schema, provenance)
    for name, writer in writers.items():
        writer(folder / name)
    return {kind: folder / f"catalogue{ENDINGS[kind]}" for kind in formats}


@pytest.fixture
def written(tmp_path, catalogue):
    return write(tmp_path, catalogue)


def _read_astropy(path):
    with warnings.catch_warnings():
        # FITS has no unit for a logarithm; astropy says so and keeps the word "dex".
        warnings.filterwarnings("ignore", message=".*dex.*")
        return Table.read(path)


def _assert_same_numbers(read, table):
    for column in SCHEMA:
        if column.dtype in ("float64", "float32", "int64", "bool"):
            values = np.ma.filled(np.ma.asarray(read[column.name]), np.nan)
            assert values.dtype.newbyteorder("=") == column.dtype, column.name
            np.testing.assert_array_equal(values, table[column.name].to_numpy())


def test_parquet_reads_back_equal_in_pandas(written, catalogue):
    pd.testing.assert_frame_equal(pd.read_parquet(written["parquet"]), catalogue)


def test_parquet_reads_in_astropy_with_units_and_descriptions(written, catalogue):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = QTable.read(written["parquet"])
    for column in SCHEMA:
        info = read[column.name].info
        assert info.description == column.text
        assert (info.unit or u.one) == u.Unit(column.unit)
    assert dict(read.meta) == PROVENANCE
    assert list(read["name"]) == list(catalogue["name"])
    _assert_same_numbers(Table.read(written["parquet"]), catalogue)


def test_parquet_fields_carry_all_that_is_known_of_them(written):
    schema = pq.read_schema(written["parquet"])
    assert schema.field("teff").metadata == {
        b"unit": b"K",
        b"description": b"Effective temperature",
        b"ucd": b"phys.temperature.effective",
        b"paper": b"Teff",
    }
    assert b"paper" not in schema.field("cfi").metadata
    assert json.loads(schema.metadata[b"provenance"]) == PROVENANCE


def test_fits_reads_back_equal(written, catalogue):
    read = _read_astropy(written["fits"])
    _assert_same_numbers(read, catalogue)
    for name in ("source", "name", "subclass", "spectral_class", "stop", "gaia_source_id"):
        assert [str(text) for text in read[name].filled("").astype(str)] == list(catalogue[name])


def test_fits_has_units_descriptions_and_nulls(written, catalogue):
    read = _read_astropy(written["fits"])
    for column in SCHEMA:
        assert read[column.name].description == column.text
        assert str(read[column.name].unit or "").replace(" ", "") == column.unit
    assert list(read["obsid"].mask) == list(catalogue["obsid"].isna())
    assert list(read["obsid"].compressed()) == list(catalogue["obsid"].dropna())


def test_fits_header_speaks_to_topcat(written):
    header = fits.getheader(written["fits"], 1)
    assert header["EXTNAME"] == "CATALOGUE"
    for number, column in enumerate(SCHEMA, start=1):
        assert header[f"TTYPE{number}"] == column.name
        assert header.get(f"TUNIT{number}", "") == column.unit
        assert header[f"TCOMM{number}"] == column.text
        assert header[f"TUCD{number}"] == column.ucd
    assert header["PROV1"] == "torchfit = 0.1.0"
    assert header["PROV2"].encode().decode("unicode_escape") == f"survey = {PROVENANCE['survey']}"


def test_fits_passes_the_standard(written):
    with fits.open(written["fits"]) as hdus:
        hdus.verify("exception")


def test_text_outside_ascii_survives_escaped(tmp_path, catalogue):
    catalogue.loc[0, "name"] = "β Pic"
    paths = write(tmp_path, catalogue)
    assert fits.getdata(paths["fits"])["name"][0] == r"\u03b2 Pic"
    assert pd.read_csv(paths["csv"])["name"][0] == "β Pic"


def test_csv_reads_back_with_default_arguments(written, catalogue):
    read = pd.read_csv(written["csv"])
    assert list(read.columns) == list(catalogue.columns)
    for column in SCHEMA:
        given, got = catalogue[column.name], read[column.name]
        if column.dtype == "str":
            assert list(got.fillna("")) == list(given)
        else:
            expected = given.to_numpy(dtype=float, na_value=np.nan)
            np.testing.assert_allclose(got.to_numpy(dtype=float), expected, rtol=1e-7)


def test_votable_reads_in_astropy(written, catalogue):
    read = Table.read(written["votable"])
    for column in SCHEMA:
        if column.dtype in ("float64", "float32"):
            values = np.ma.filled(np.ma.asarray(read[column.name]), np.nan)
            np.testing.assert_array_equal(values, catalogue[column.name])
    assert list(read["star"]) == list(catalogue["star"])
    assert list(read["in_library"]) == list(catalogue["in_library"])


@pytest.mark.parametrize("n_stars", [0, 1, 7])
@pytest.mark.parametrize("labels", [LABELS[:3], LABELS])
def test_same_input_gives_same_bytes(tmp_path, make_catalogue, n_stars, labels):
    table, schema = make_catalogue(n_stars, labels), catalogue_columns(labels)
    first = write(tmp_path / "a", table, schema)
    second = write(tmp_path / "b", table, schema)
    for kind in first:
        assert first[kind].read_bytes() == second[kind].read_bytes(), kind


def test_empty_catalogue_reads_everywhere(tmp_path, make_catalogue):
    paths = write(tmp_path, make_catalogue(0), provenance={})
    assert len(pd.read_parquet(paths["parquet"])) == len(pd.read_csv(paths["csv"])) == 0
    assert len(_read_astropy(paths["fits"])) == len(Table.read(paths["parquet"])) == 0
    assert len(Table.read(paths["votable"])) == 0


def test_parquet_is_written_last(catalogue):
    writers = Product(tuple(ENDINGS)).writers("x", catalogue, SCHEMA, {})
    assert list(writers)[-1] == "x.parquet"
    assert set(writers) == {f"x{ending}" for ending in ENDINGS.values()}


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"formats": ("fits",)}, "must hold parquet"),
        ({"formats": ("parquet", "xlsx")}, "may hold parquet, fits, csv, votable"),
        ({"partition": "teff"}, "use one of spectral_class"),
    ],
)
def test_impossible_products_are_refused(settings, text):
    with pytest.raises(ConfigError, match=text):
        Product(**settings)
