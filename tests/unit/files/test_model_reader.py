import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table
from tests.unit.files.models import assert_same, made_models

from torchfit.exceptions import DataError
from torchfit.files import model_writers
from torchfit.files.model_reader import is_models, model_files, read_models, stars_of
from torchfit.files.model_writers import WRITERS


@pytest.fixture(params=WRITERS)
def folder(request, tmp_path, monkeypatch):
    """Seven stars in two parts, of row groups of two."""
    monkeypatch.setattr(model_writers, "_ROW_GROUP", 2)
    for number, (low, high) in enumerate([(0, 5), (5, 7)]):
        path = tmp_path / f"part-{number:06d}.{request.param}"
        WRITERS[request.param](path, made_models(7)[low:high], {})
    return tmp_path


def test_a_folder_is_read_in_order(folder):
    assert_same(read_models(folder), made_models(7))


def test_a_part_is_read_alone(folder):
    assert_same(read_models(model_files(folder)[1]), made_models(7)[5:])


@pytest.mark.parametrize("wanted", [[9], [3, 9, 18], [18, 3]])
def test_chosen_stars(folder, wanted):
    found = read_models(folder, wanted)
    assert_same(found, made_models(7)[np.sort(wanted) // 3])
    assert [source.rpartition(" ")[2] for source in found.source] == [
        f"{star}.fits" for star in sorted(wanted)
    ]


def test_a_star_that_is_not_there_is_named(folder):
    with pytest.raises(DataError, match=r"has no star 4, 100$"):
        read_models(folder, [3, 4, 100])


def test_the_stars_of_a_part_without_its_spectra(folder):
    assert [stars_of(path).tolist() for path in model_files(folder)] == [
        [0, 3, 6, 9, 12], [15, 18],
    ]  # fmt: skip


def test_parts_are_known_by_their_columns(folder, tmp_path):
    assert all(map(is_models, model_files(folder)))
    Table({"STAR": [1]}).write(tmp_path / "x.fits")
    pq.write_table(pa.table({"star": [1]}), tmp_path / "x.parquet")
    (tmp_path / "x.txt").write_text("no spectrum")
    assert not any(is_models(tmp_path / f"x.{kind}") for kind in ("fits", "parquet", "txt"))
    with pytest.raises(DataError, match="no model spectra"):
        read_models(tmp_path / "x.parquet")


def test_a_folder_without_parts_says_what_writes_them(tmp_path):
    with pytest.raises(DataError, match=r"products=\[models\]"):
        read_models(tmp_path)


def test_a_cut_part_is_one_line(folder):
    path = model_files(folder)[0]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError) as error:
        read_models(folder)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
