import time

import pytest

from torchfit.exceptions import DataError
from torchfit.spectra import Spectrum
from torchfit.surveys.row_reader import RowReader, split_source


class Rows(RowReader[str]):
    """Three rows a file, but for two files in which none can be counted."""

    name, lsf_fwhm, time_limit = "rows", None, 0.2

    def parts(self, path):
        if path.name == "b.fits":
            raise ZeroDivisionError
        if path.name == "c.fits":
            time.sleep(60)
        return None if path.name == "d.fits" else range(3)

    def open(self, file):
        return file

    def row(self, opened, row, source) -> Spectrum:
        raise NotImplementedError


@pytest.fixture
def reader(tmp_path):
    for name in "abcd":
        (tmp_path / f"{name}.fits").write_text("x")
    return Rows(str(tmp_path))


def test_a_file_in_which_nothing_can_be_counted_is_one_source(reader):
    rows = [f"a.fits:000{row}" for row in range(3)]
    assert reader.sources() == [*rows, "b.fits", "c.fits", "d.fits"]


def test_a_tree_without_files_is_refused(tmp_path):
    with pytest.raises(DataError, match="no "):
        Rows(str(tmp_path)).sources()


def test_a_source_is_split_into_file_and_row():
    assert split_source("night/a.fits:0012") == ("night/a.fits", 12)
    assert split_source("night/a:b.fits") == ("night/a:b.fits", 0)
