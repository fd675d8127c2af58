import pandas as pd
import pytest

from torchfit.catalogue.schema import catalogue_columns
from torchfit.catalogue.write import columns_writer, rejects_writer, text_writer
from torchfit.exceptions import CatalogueError
from torchfit.names import LABELS


def test_rejects_are_plain_csv(tmp_path):
    rejects = pd.DataFrame({"source": ["a,b.fits"], "reason": ['says "no"'], "more": [1]})
    rejects_writer(rejects)(tmp_path / "x")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "x"), rejects[["source", "reason"]])


def test_no_rejects_is_a_file_with_a_header(tmp_path):
    rejects_writer(pd.DataFrame({"source": [], "reason": []}))(tmp_path / "x")
    assert (tmp_path / "x").read_text() == "source,reason\n"


def test_rejects_without_a_reason_are_refused():
    with pytest.raises(CatalogueError, match="reason"):
        rejects_writer(pd.DataFrame({"source": ["a"]}))


def test_the_columns_file_describes_every_column(tmp_path):
    columns_writer(catalogue_columns(LABELS))(tmp_path / "x")
    read = pd.read_csv(tmp_path / "x", keep_default_na=False)
    assert list(read.columns) == ["name", "unit", "type", "description", "ucd", "paper"]
    assert list(read["name"]) == [column.name for column in catalogue_columns(LABELS)]
    by_name = read.set_index("name")
    assert by_name.loc["e_logg", "unit"] == "dex"
    assert by_name.loc["fe_h", "paper"] == "[Fe/H]"


def test_text_is_utf_8(tmp_path):
    text_writer("Ångström\n")(tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == "Ångström\n".encode()
