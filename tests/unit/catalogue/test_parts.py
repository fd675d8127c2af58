import errno
import os

import pandas as pd
import pytest

from torchfit.catalogue.parts import read_part, write_part
from torchfit.exceptions import CatalogueError, OutputError


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


def test_a_full_disk_leaves_no_part(tmp_path, table, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_part(tmp_path / "0.parquet", table)
    assert os.listdir(tmp_path) == []
