from pathlib import Path

import pytest

from torchfit.exceptions import DataError
from torchfit.files.table_kind import table_kind


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("x.dat", b"SIMPLE  = T", "fits"),
        ("x", b"PAR1", "parquet"),
        ("x.csv", b"ARROW1", "feather"),
        ("x", b'<?xml version="1.0"?>\n<VOTABLE version="1.4">', "votable"),
        ("x.csv", b"# %ECSV 1.0\n", "ecsv"),
        ("x.txt", b"Title: A\nByte-by-byte Description of file: t\n", "mrt"),
        ("x.txt", b"J/A+A/1\nByte-by-byte Description of file: t\n", "cds"),
        ("x.tbl", b"\\fixlen = T\n| ra | dec |\n|double|double|\n", "ipac"),
        ("x.tbl", b"| ra | dec |\n| 1 | 2 |\n", "text"),
        ("x.csv.txt", b"a,b\n", "text"),
        ("x.csv", "a,b\n".encode("utf-16"), "text"),
    ],
)
def test_the_first_bytes_tell(name, head, kind):
    assert table_kind(Path(name), head) == kind


@pytest.mark.parametrize(
    ("name", "head", "told"),
    [
        ("x.fits", b"a,b\n", "holds no fits"),
        ("x.csv", b"%PDF-1.4", "it is a PDF"),
        ("x.h5", b"\x89HDF", "HDF5: save the table"),
        ("x.tar", b"a" * 257 + b"ustar", "tar archive"),
        ("x.csv", b"<html>", "web page"),
    ],
)
def test_what_is_no_table_is_named(name, head, told):
    with pytest.raises(DataError, match=told):
        table_kind(Path(name), head)
