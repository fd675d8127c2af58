import errno
import os

import numpy as np
import pandas as pd
import pytest

from torchfit.catalogue import finished, product
from torchfit.catalogue.finished import FinishedSurvey
from torchfit.catalogue.product import Product
from torchfit.catalogue.write import text_writer
from torchfit.exceptions import CatalogueError, OutputError
from torchfit.files.ownership import WRITTEN, make_way
from torchfit.names import LABELS

REJECTS = pd.DataFrame({"source": ["a.fits"], "reason": ["no good pixel"]})
ALL = {"parquet", "fits", "csv", "votable"}


@pytest.fixture
def survey(catalogue):
    return FinishedSurvey(catalogue, REJECTS, LABELS, None, {"run": "old"})


@pytest.fixture
def older(survey, tmp_path):
    """A folder with an older run, in every format and with a report."""
    survey.write(tmp_path, Product(tuple(ALL)), {"report.html": text_writer("old")})
    return tmp_path


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_all_files_are_written(older):
    assert set(contents(older)) == {
        WRITTEN,
        "catalogue.parquet",
        "catalogue.fits",
        "catalogue.csv",
        "catalogue.vot",
        "catalogue_columns.csv",
        "rejects.csv",
        "report.html",
    }


def test_the_catalogue_is_the_last_to_appear(survey, tmp_path, monkeypatch):
    places = []
    replace = os.replace

    def seen(temp, path):
        places.append(os.path.basename(path))
        replace(temp, path)

    monkeypatch.setattr("torchfit.files.atomic.os.replace", seen)
    survey.write(tmp_path, Product(), {"report.html": text_writer("new")})
    assert places[:2] == [WRITTEN, "rejects.csv"]
    assert places[-1] == "catalogue.parquet"


def test_the_recommended_stars_have_files_of_their_own(catalogue, tmp_path):
    chosen = np.array([True, False] * 3 + [True])
    FinishedSurvey(catalogue, REJECTS, LABELS, chosen, {}).write(tmp_path, Product(), {})
    few = pd.read_parquet(tmp_path / "recommended.parquet")
    pd.testing.assert_frame_equal(few, catalogue[chosen].reset_index(drop=True))
    assert {"recommended.fits", "recommended.csv"} <= set(contents(tmp_path))


def test_tables_of_an_older_run_do_not_stay(older, survey):
    make_way(older, ["recommended.csv", "catalogue_dataset"])
    (older / "recommended.csv").write_text("old")
    (older / "catalogue_dataset").mkdir()
    (older / "mine.csv").write_text("mine")
    (older / "recommended.fits").write_text("mine")
    survey.write(older, Product(("parquet",)), {})
    assert set(contents(older)) == {
        WRITTEN,
        "recommended.fits",
        "catalogue.parquet",
        "catalogue_columns.csv",
        "rejects.csv",
        "report.html",
        "mine.csv",
    }
    assert not (older / "catalogue_dataset").exists()


def test_the_sample_is_everyone_until_one_is_chosen(survey, catalogue):
    assert survey.sample.all()
    few = FinishedSurvey(catalogue, REJECTS, LABELS, catalogue["star"].to_numpy() < 2, {})
    assert few.sample.sum() == 2


@pytest.mark.parametrize("writer", ["write_parquet", "write_fits", "write_csv", "write_votable"])
def test_a_failure_in_the_middle_leaves_the_older_run(older, catalogue, monkeypatch, writer):
    before = contents(older)

    def fill_disk(path, **_):
        path.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(product, writer, fill_disk)
    newer = FinishedSurvey(catalogue, REJECTS[:0], LABELS, None, {"run": "new"})
    with pytest.raises(OutputError, match="No space left"):
        newer.write(older, Product(tuple(ALL)), {"report.html": text_writer("new")})
    assert contents(older) == before


@pytest.mark.parametrize(
    "name", ["catalogue.parquet", "catalogue.csv", "catalogue_columns.csv", "report.html"]
)
def test_a_disk_full_at_the_sync_of_one_file_leaves_all(older, catalogue, monkeypatch, name):
    before = contents(older)

    def full(path):
        if path.name.startswith(f".{name}."):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("torchfit.files.atomic.sync", full)
    newer = FinishedSurvey(catalogue, REJECTS[:0], LABELS, None, {"run": "new"})
    with pytest.raises(OutputError, match="No space left"):
        newer.write(older, Product(tuple(ALL)), {"report.html": text_writer("new")})
    assert contents(older) == before


def test_a_table_that_does_not_fit_its_schema_is_refused(catalogue, tmp_path):
    survey = FinishedSurvey(catalogue.drop(columns="cfi"), REJECTS, LABELS, None, {})
    with pytest.raises(CatalogueError, match="cfi"):
        survey.write(tmp_path, Product(), {})
    assert finished.CATALOGUE == "catalogue"
    assert list(tmp_path.iterdir()) == []
