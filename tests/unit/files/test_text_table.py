import gzip

import numpy as np
import pytest

from torchfit.files.table_file import as_numbers
from torchfit.files.text_table import open_text


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Teff logg\n5000 4\n", ["Teff", "logg"]),
        ("# made by hand\n# Teff  logg\n5000 4\n6000 3\n", ["Teff", "logg"]),
        ("#Teff,logg\n5000,4\n", ["Teff", "logg"]),
        ("# a comment\nTeff,logg\n5000,4\n", ["Teff", "logg"]),
        ("\ufeffTeff,logg\n5000,4\n", ["Teff", "logg"]),
        ("Teff, logg\n5000, 4\n", ["Teff", "logg"]),
    ],
)
def test_headers_of_text_tables(tmp_path, text, names):
    path = tmp_path / "x.dat"
    path.write_text(text, encoding="utf-8")
    assert open_text(path)[0] == names
    assert as_numbers(open_text(path)[1](["Teff"])["Teff"])[0] == 5000
    assert as_numbers(open_text(path)[1](["logg"])["logg"])[0] == 4


def test_rows_of_units_and_dashes_become_nan(tmp_path):
    path = tmp_path / "vizier.tsv"
    path.write_text("#VizieR\nTeff\tlogg\nK\t[cm/s2]\n-----\t----\n5000\t4.0\n")
    teff = as_numbers(open_text(path)[1](["Teff"])["Teff"])
    np.testing.assert_array_equal(teff, [np.nan, np.nan, 5000.0])


def test_a_gzipped_text_is_read(tmp_path):
    with gzip.open(tmp_path / "x.csv.gz", "wt") as file:
        file.write("a|b\n1|2\n")
    assert open_text(tmp_path / "x.csv.gz")[0] == ["a", "b"]
