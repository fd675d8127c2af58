import errno
import os

import pytest

from torchfit.exceptions import OutputError
from torchfit.files.atomic import (
    atomic,
    atomic_folder,
    remove,
    remove_remnants,
    scratch_folder,
    sync,
    write_together,
)

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def raising(error):
    def function(*_):
        raise error

    return function


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    return path


@pytest.fixture
def old_folder(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "a").write_text("old")
    (path / "b").write_text("old")
    return path


def test_the_file_is_replaced_when_the_block_ends(old):
    with atomic(old) as temp:
        temp.write_text("new")
        assert old.read_text() == "old"
    assert old.read_text() == "new"
    assert os.listdir(old.parent) == ["file"]


def test_missing_folders_are_made(tmp_path):
    with atomic(tmp_path / "a" / "b" / "file") as temp:
        temp.write_text("new")
    assert (tmp_path / "a" / "b" / "file").read_text() == "new"


def test_the_temporary_file_lies_beside_the_file_so_that_a_rename_is_enough(old):
    with atomic(old) as temp:
        assert temp.parent == old.parent
        assert temp.name.endswith(".tmp")
        temp.write_text("new")


def test_two_writers_do_not_share_a_temporary_file(old):
    with atomic(old) as one, atomic(old) as two:
        assert one != two
        one.write_text("one")
        two.write_text("two")
    assert old.read_text() == "one"


@pytest.mark.parametrize("failure", [ValueError("bug"), KeyboardInterrupt()])
def test_any_failure_keeps_the_old_file_and_no_other(old, failure):
    with pytest.raises(type(failure)), atomic(old) as temp:
        temp.write_text("half")
        raise failure
    assert old.read_text() == "old"
    assert os.listdir(old.parent) == ["file"]


def test_a_full_disk_is_one_clear_error(old):
    with pytest.raises(OutputError, match=r"file was not written \(No space left"):  # noqa: SIM117
        with atomic(old) as temp:
            temp.write_text("half")
            raise FULL
    assert old.read_text() == "old"
    assert os.listdir(old.parent) == ["file"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_full_at_the_end_is_a_failure_too(old, monkeypatch, call):
    monkeypatch.setattr(os, call, raising(FULL))
    with pytest.raises(OutputError, match="No space left"), atomic(old) as temp:
        temp.write_text("new")
    assert old.read_text() == "old"
    assert os.listdir(old.parent) == ["file"]


def test_a_folder_that_cannot_be_made_is_one_clear_error(old):
    with pytest.raises(OutputError, match="below was not written"), atomic(old / "below"):
        pass
    assert old.read_text() == "old"


def test_a_file_has_the_usual_permissions(tmp_path):
    with atomic(tmp_path / "file") as temp:
        temp.write_text("new")
    (tmp_path / "plain").write_text("new")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_sync_needs_the_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "missing")


def test_a_folder_is_replaced_as_a_whole(old_folder):
    with atomic_folder(old_folder) as temp:
        for name in ("a", "b", "c"):
            (temp / name).write_text("new")
        assert sorted(os.listdir(old_folder)) == ["a", "b"]
    assert {path.name: path.read_text() for path in old_folder.iterdir()} == dict.fromkeys(
        "abc", "new"
    )
    assert os.listdir(old_folder.parent) == ["folder"]


def test_what_is_no_such_folder_is_kept_beside_it(old, old_folder, caplog):
    """Whoever saves into a folder or file of something else loses nothing."""
    for path in (old, old_folder, old_folder):
        with atomic_folder(path) as temp:
            (temp / "b").write_text("new")
            (temp / "c").write_text("new")
        (path / "mine").touch()
    assert sorted(os.listdir(old_folder.with_name("folder.kept"))) == ["a", "b"]
    assert sorted(os.listdir(old_folder.with_name("folder.kept1"))) == ["b", "c", "mine"]
    assert old.with_name(f"{old.name}.kept").read_text() == "old"
    assert caplog.text.count("is kept as") == 3


def test_a_new_folder_and_its_parents_are_made(tmp_path):
    with atomic_folder(tmp_path / "x" / "folder") as temp:
        (temp / "a").write_text("new")
    assert (tmp_path / "x" / "folder" / "a").read_text() == "new"


@pytest.mark.parametrize("failure", [ValueError("bug"), KeyboardInterrupt()])
def test_any_failure_keeps_the_old_folder_and_no_other(old_folder, failure):
    with pytest.raises(type(failure)), atomic_folder(old_folder) as temp:
        (temp / "a").write_text("half")
        raise failure
    assert {path.name: path.read_text() for path in old_folder.iterdir()} == {
        "a": "old",
        "b": "old",
    }
    assert os.listdir(old_folder.parent) == ["folder"]


def test_a_disk_full_at_the_sync_keeps_the_old_folder(old_folder, monkeypatch):
    monkeypatch.setattr(os, "fsync", raising(FULL))
    with pytest.raises(OutputError, match="No space left"), atomic_folder(old_folder) as temp:
        (temp / "a").write_text("new")
    assert (old_folder / "a").read_text() == "old"
    assert os.listdir(old_folder.parent) == ["folder"]


def test_a_failed_rename_puts_the_old_folder_back(old_folder, monkeypatch):
    replace = os.replace

    def fail_for_the_new_one(source, target):
        if (source / "new").exists():
            raise FULL
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail_for_the_new_one)
    with pytest.raises(OutputError, match="No space left"), atomic_folder(old_folder) as temp:
        (temp / "new").touch()
    assert sorted(os.listdir(old_folder)) == ["a", "b"]
    assert os.listdir(old_folder.parent) == ["folder"]


def text(word):
    return lambda path: path.write_text(word)


def folder_of(**files):
    def write(path):
        path.mkdir()
        for name, word in files.items():
            (path / name).write_text(word)

    return write


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_files_and_folders_appear_together(tmp_path):
    write_together({tmp_path / "a": text("1"), tmp_path / "b": folder_of(x="2", y="3")})
    assert names(tmp_path) == ["a", "b", "b/x", "b/y"]
    assert (tmp_path / "b" / "y").read_text() == "3"


def test_older_files_and_folders_are_replaced(tmp_path):
    write_together({tmp_path / "a": text("1"), tmp_path / "b": folder_of(x="2")})
    write_together({tmp_path / "a": folder_of(z="4"), tmp_path / "b": folder_of(y="3")})
    assert names(tmp_path) == ["a", "a/z", "b", "b/y"]


def test_nothing_is_replaced_when_one_cannot_be_written(tmp_path):
    (tmp_path / "a").write_text("old")

    def full(path):
        path.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OutputError, match=r"b was not written \(No space left"):
        write_together({tmp_path / "a": text("new"), tmp_path / "b": full})
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_another_error_leaves_nothing_behind_either(tmp_path):
    def fail(path):
        path.mkdir()
        raise ValueError("no table")

    with pytest.raises(ValueError, match="no table"):
        write_together({tmp_path / "a": text("new"), tmp_path / "b": fail})
    assert names(tmp_path) == []


def test_they_take_their_places_in_order(tmp_path, monkeypatch):
    order = []
    replace = os.replace

    def seen(temp, path):
        order.append(os.path.basename(path))
        replace(temp, path)

    monkeypatch.setattr("torchfit.files.atomic.os.replace", seen)
    write_together({tmp_path / name: text(name) for name in "cab"})
    assert order == ["c", "a", "b"]


def test_removing_what_is_not_there_is_no_error(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    for name in ("folder", "nothing"):
        remove(tmp_path / name)
    assert names(tmp_path) == []


def test_a_scratch_folder_goes_with_its_block(tmp_path):
    with pytest.raises(ValueError, match="x"), scratch_folder(tmp_path / "a") as scratch:
        (scratch / "file").write_text("1")
        raise ValueError("x")
    assert list((tmp_path / "a").iterdir()) == []


def test_a_scratch_folder_of_a_killed_process_is_a_remnant(tmp_path):
    with scratch_folder(tmp_path) as scratch:
        (scratch / "file").write_text("1")
        remove_remnants(tmp_path)
        assert not scratch.exists()
