import pandas as pd
import pytest

from torchfit.catalogue.finished import FinishedSurvey
from torchfit.catalogue.product import Product
from torchfit.catalogue.read import later_columns, read_catalogue, read_rejects
from torchfit.catalogue.schema import columns
from torchfit.exceptions import CatalogueError
from torchfit.names import LABELS

REJECTS = pd.DataFrame({"source": ["a.fits"], "reason": ["NA"]})


@pytest.fixture(params=[LABELS[:3], LABELS])
def folder(request, tmp_path, make_catalogue):
    survey = FinishedSurvey(
        make_catalogue(7, request.param), REJECTS, request.param, None, {"a": "b"}
    )
    survey.write(tmp_path, Product(), {})
    return tmp_path, request.param


def test_a_catalogue_reads_back_as_it_was(folder, make_catalogue):
    path, labels = folder
    table, found, provenance = read_catalogue(path, path / "work")
    pd.testing.assert_frame_equal(table[list(table)], make_catalogue(7, labels))
    assert found == labels
    assert provenance == {"a": "b"}


def test_rejects_read_back_as_they_were(folder):
    pd.testing.assert_frame_equal(read_rejects(folder[0]), REJECTS)


def test_no_rejects_are_no_rows(tmp_path):
    assert list(read_rejects(tmp_path).columns) == ["source", "reason"]
    assert len(read_rejects(tmp_path)) == 0


def test_columns_of_the_whole_survey_may_be_missing(folder, catalogue):
    path, _ = folder
    table = pd.read_parquet(path / "catalogue.parquet").drop(columns=["flag_snr", "r_geo"])
    table.assign(mine=1).to_parquet(path / "catalogue.parquet")
    read = read_catalogue(path, path / "work")[0]
    assert read["flag_snr"].isna().all()
    assert "mine" not in read


def test_a_catalogue_of_an_earlier_version_is_read_by_the_columns_that_it_has(folder, caplog):
    """Version 0.1 knew no velocities of its own, no joint fits and no search of groups."""
    path, labels = folder
    lacking = ["v_ccf", "e_v_ccf", "ccf_ratio", "n_exposures", *(f"{n}_group" for n in labels)]
    whole = pd.read_parquet(path / "catalogue.parquet")
    whole.drop(columns=lacking).to_parquet(path / "catalogue.parquet")
    table, found, _ = read_catalogue(path, path / "work")
    assert list(table) == list(whole) and list(found) == list(labels)
    assert table[lacking].isna().all(axis=None)
    pd.testing.assert_series_equal(table["teff"], whole["teff"])
    assert f"had no columns {', '.join(lacking)}: " in caplog.text
    whole.drop(columns="teff_start").to_parquet(path / "catalogue.parquet")
    with pytest.raises(CatalogueError, match="teff_start"):
        read_catalogue(path, path / "work")


def test_a_later_column_is_one_that_may_be_missing():
    names = later_columns(LABELS)
    later = [column for column in columns(LABELS) if column.name in names]
    assert len(later) == len(names)
    assert {column.dtype for column in later} <= {"float32", "float64", "Int64", "str"}


def test_a_folder_without_a_catalogue_is_named(tmp_path):
    with pytest.raises(CatalogueError, match=r"no catalogue in .*`torchfit infer`"):
        read_catalogue(tmp_path, tmp_path / "work")


def test_another_table_is_no_catalogue(tmp_path):
    pd.DataFrame({"teff": [1.0]}).to_parquet(tmp_path / "catalogue.parquet")
    with pytest.raises(CatalogueError, match=r"lacks the columns \['star'"):
        read_catalogue(tmp_path, tmp_path / "work")


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "catalogue.parquet").write_text("PAR1")
    with pytest.raises(CatalogueError, match="cannot be read"):
        read_catalogue(tmp_path, tmp_path / "work")
