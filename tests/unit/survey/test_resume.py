import json
import logging
import os

import numpy as np
import pytest
import torch
from tests.unit.survey.readers import Fake

from torchfit.survey import resume
from torchfit.survey.match import start_path
from torchfit.survey.noise import node_path
from torchfit.survey.pack import Packing
from torchfit.survey.piece import rejects_path, shard_path
from torchfit.survey.resume import file_stamp, prepare_work
from torchfit.survey.shards import Shard

SOURCES = ["0:1", "1:bad", "2:1", "3:1", "4:bad", "5:bad", "6:1"]
SIZE = 2


class Filed(Fake):
    """Every source has a file of its own."""

    def __init__(self, root):
        super().__init__(*SOURCES)
        self.root = root

    def file_of(self, source):
        return self.root / source


@pytest.fixture
def reader(tmp_path):
    (tmp_path / "files").mkdir()
    for source in SOURCES:
        (tmp_path / "files" / source).write_text(source)
    return Filed(tmp_path / "files")


@pytest.fixture
def work(reader, preprocessor, tmp_path):
    """Work of a run that was interrupted in the fits."""
    work = tmp_path / "work"
    prepare_work(work, reader, SIZE)
    pack(reader, preprocessor, work)
    for number in range(4):
        shard = shard_path(work / "shards", number)
        if shard.exists():
            start = start_path(work / "start", shard)
            start.parent.mkdir(exist_ok=True)
            np.save(start, np.zeros((len(Shard(shard)), 4)))
    (work / "parts").mkdir()
    (work / "noise").mkdir()
    np.save(node_path(work / "noise", 0), np.zeros((13, 5)))
    return work


def pack(reader, preprocessor, work):
    known = torch.ones(len(preprocessor.wave), dtype=torch.bool)
    reader.read_sources.clear()
    return Packing(shard_size=SIZE).pack(reader, preprocessor, known, work / "shards")


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_sound_work_is_left_as_it_is(work, reader, caplog):
    before = contents(work)
    prepare_work(work, reader, SIZE)
    assert contents(work) == before
    assert caplog.records == []


@pytest.mark.parametrize("change", ["content", "time", "removed"])
def test_a_changed_file_is_read_again_and_no_other(work, reader, preprocessor, change, caplog):
    path = reader.file_of("2:1")
    if change == "content":
        path.write_text("longer than it was")
    elif change == "time":
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    else:
        path.unlink()
    before = contents(work)
    prepare_work(work, reader, SIZE)
    assert "files of 1 of 4 shards have changed" in caplog.text
    assert before.keys() - contents(work).keys() == {
        "shards/rejects-00001.jsonl",
        "shards/shard-00001.arrow",
        "start/shard-00001.npy",
        "noise/noise-000.npy",
    }
    assert not (work / "parts").exists()
    pack(reader, preprocessor, work)
    assert reader.read_sources == ["2:1", "3:1"]


def test_an_interruption_while_it_clears_is_harmless(work, reader, monkeypatch):
    """Whatever is removed last, the next run finds out again."""
    reader.file_of("2:1").write_text("longer than it was")
    original = resume.remove
    for allowed in range(5):
        left = iter(range(allowed))

        def remove(path, left=left):
            if next(left, None) is None:
                raise KeyboardInterrupt
            original(path)

        monkeypatch.setattr(resume, "remove", remove)
        with pytest.raises(KeyboardInterrupt):
            prepare_work(work, reader, SIZE)
    monkeypatch.undo()
    prepare_work(work, reader, SIZE)
    assert not rejects_path(work / "shards", 1).exists()
    assert not start_path(work / "start", shard_path(work / "shards", 1)).exists()
    assert not (work / "parts").exists()
    assert not (work / "noise").exists()


def damage(path, how):
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2] if how == "cut" else how)


@pytest.mark.parametrize("how", ["cut", b"", b"nonsense", b"[1\n", bytes(5000)])
@pytest.mark.parametrize("name", ["shard-00000.arrow", "rejects-00000.jsonl"])
def test_a_damaged_piece_is_packed_again(work, reader, preprocessor, caplog, name, how):
    before = contents(work)
    damage(work / "shards" / name, how)
    with caplog.at_level(logging.WARNING):
        prepare_work(work, reader, SIZE)
    assert f"{work / 'shards'}" in caplog.text
    assert "damaged" in caplog.text
    pack(reader, preprocessor, work)
    assert reader.read_sources == ["0:1", "1:bad"]
    assert contents(work) == before


def test_a_missing_shard_is_packed_again(work, reader, preprocessor):
    before = contents(work)
    shard_path(work / "shards", 0).unlink()
    prepare_work(work, reader, SIZE)
    pack(reader, preprocessor, work)
    assert contents(work) == before


@pytest.mark.parametrize("how", ["cut", b"", b"nonsense", bytes(5000)])
def test_damaged_start_labels_are_removed(work, reader, caplog, how):
    path = start_path(work / "start", shard_path(work / "shards", 1))
    damage(path, how)
    prepare_work(work, reader, SIZE)
    assert not path.exists()
    assert f"{path} is damaged" in caplog.text
    assert rejects_path(work / "shards", 1).exists()


def test_start_labels_of_other_stars_are_removed(work, reader):
    path = start_path(work / "start", shard_path(work / "shards", 1))
    np.save(path, np.zeros((7, 4)))
    prepare_work(work, reader, SIZE)
    assert not path.exists()


@pytest.mark.parametrize("how", [b"", b"PAR1", bytes(5000)])
def test_a_damaged_part_is_removed(work, reader, caplog, how):
    path = work / "parts" / "part-000000.parquet"
    path.write_bytes(how)
    prepare_work(work, reader, SIZE)
    assert not path.exists()
    assert f"{path} is damaged" in caplog.text


@pytest.mark.parametrize("how", ["cut", b"", b"nonsense", bytes(5000)])
def test_a_damaged_shape_of_the_noise_is_removed(work, reader, caplog, how):
    path = node_path(work / "noise", 0)
    damage(path, how)
    prepare_work(work, reader, SIZE)
    assert not path.exists()
    assert f"{path} is damaged" in caplog.text


@pytest.mark.parametrize("text", ["", "{", "[1]", json.dumps(["x"] * 4)])
def test_without_the_stamps_everything_is_made_again(work, reader, preprocessor, text):
    (work / "stamps.json").write_text(text)
    prepare_work(work, reader, SIZE)
    pack(reader, preprocessor, work)
    assert reader.read_sources == SOURCES


def test_a_stamp_is_that_of_size_and_time(tmp_path):
    path = tmp_path / "file"
    assert file_stamp(path) == "missing"
    path.write_text("a")
    first = file_stamp(path)
    os.utime(path, ns=(0, path.stat().st_mtime_ns))
    assert file_stamp(path) == first
    path.write_text("ab")
    assert file_stamp(path) != first


def test_what_killed_processes_were_writing_is_removed_and_nothing_else(work, reader):
    left = work / "shards" / ".shard-00000.arrow.0123abcd.tmp"
    own = work / "start" / ".notes.tmp"
    left.touch()
    own.touch()
    prepare_work(work, reader, SIZE)
    assert not left.exists()
    assert own.exists()


@pytest.fixture
def coadded(work):
    """The coadds of a run with ``data.joint=true``, and their start labels."""
    path = work / "joint" / "joint-00000.arrow"
    path.parent.mkdir()
    path.write_bytes(shard_path(work / "shards", 0).read_bytes())
    np.save(start_path(work / "start", path), np.zeros((len(Shard(path)), 4)))
    return path


def test_coadds_are_kept_while_their_exposures_are(work, reader, coadded):
    before = contents(work)
    prepare_work(work, reader, SIZE)
    assert contents(work) == before
    reader.file_of("6:1").write_text("longer than it was")
    prepare_work(work, reader, SIZE)
    assert not coadded.parent.exists()
    assert not start_path(work / "start", coadded).exists()


@pytest.mark.parametrize("how", ["cut", b"", b"nonsense", bytes(5000)])
def test_damaged_coadds_are_removed(work, reader, coadded, caplog, how):
    damage(coadded, how)
    prepare_work(work, reader, SIZE)
    assert not coadded.exists()
    assert f"{coadded} is damaged" in caplog.text


def test_start_labels_of_other_coadds_are_removed(work, reader, coadded):
    path = start_path(work / "start", coadded)
    np.save(path, np.zeros((7, 4)))
    prepare_work(work, reader, SIZE)
    assert coadded.exists()
    assert not path.exists()
