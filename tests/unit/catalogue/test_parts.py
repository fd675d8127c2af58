import errno
import os

import pandas as pd
import pytest

from torchfit.catalogue.parts import atomic, read_part, write_part
from torchfit.exceptions import CatalogueError


def test_part_reads_back_equal(tmp_path, table):
    write_part(tmp_path / "new" / "0.parquet", table)
    pd.testing.assert_frame_equal(read_part(tmp_path / "new" / "0.parquet"), table)


def test_part_has_the_same_bytes_every_time(tmp_path, table):
    write_part(tmp_path / "a", table)
    write_part(tmp_path / "b", table)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_folder_name_of_a_sweep_adds_no_column(tmp_path, table):
    path = tmp_path / "match.t=50" / "0.parquet"
    write_part(path, table)
    assert list(read_part(path).columns) == list(table.columns)


@pytest.mark.parametrize("content", [None, b"", b"PAR1 half a file"])
def test_missing_or_damaged_part_is_named(tmp_path, content):
    path = tmp_path / "0.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CatalogueError, match=r"0\.parquet"):
        read_part(path)


def test_atomic_replaces_on_success(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with atomic(path) as temp:
        temp.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("failure", [ValueError("bug"), KeyboardInterrupt()])
def test_any_failure_keeps_the_old_file_and_no_other(tmp_path, failure):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(type(failure)), atomic(path) as temp:
        temp.write_text("half")
        raise failure
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_full_disk_is_one_clear_error(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(CatalogueError, match=r"file was not written \(No space left"):  # noqa: SIM117
        with atomic(path) as temp:
            temp.write_text("half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_disk_full_at_the_sync_is_a_failure_too(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CatalogueError, match="No space left"):
        write_part(tmp_path / "file", pd.DataFrame({"star": [1]}))
    assert os.listdir(tmp_path) == []


def test_written_file_has_the_usual_permissions(tmp_path):
    with atomic(tmp_path / "file") as temp:
        temp.write_text("new")
    (tmp_path / "plain").write_text("new")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode
