import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torchfit.files.fits_tree import FitsTree


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_endings_in_any_case_and_what_else_there_is(tmp_path):
    names = ["a.fits", "b.FITS", "c.fit", "d.fits.gz", "e.FITS.GZ", "f.fits.fz"]
    for name in [*names, "n.txt", "m.txt", "cat.csv.gz", "README"]:
        touch(tmp_path / "sub" / name)
    tree = FitsTree.below(tmp_path)
    assert tree.files == [f"sub/{name}" for name in sorted(names)]
    assert tree.others == {".txt": 2, ".csv.gz": 1, "": 1}
    (line,) = tree.remarks()
    assert line.endswith(": 1 without ending, 1 .csv.gz, 2 .txt")


def test_apple_double_is_ignored_quietly(tmp_path):
    for name in ("._a.fits", "__MACOSX/b.fits", "c.fits"):
        touch(tmp_path / name)
    tree = FitsTree.below(tmp_path)
    assert (tree.files, tree.remarks()) == (["c.fits"], [])


def test_links_are_followed_and_loops_cut(tmp_path):
    root = tmp_path / "root"
    touch(tmp_path / "outside" / "x.fits")
    touch(tmp_path / "alone" / "y.fits")
    touch(root / "night" / "z.fits")
    for link, target in {
        "out": "../outside",
        "night/up": "..",
        "night/self": ".",
        "tonight": "night",
        "y_1.fits": "../alone/y.fits",
        "y_2.fits": "y_1.fits",
        "z.fits": "night/z.fits",
        "x.fits": "../outside/x.fits",
    }.items():
        os.symlink(target, root / link)
    assert FitsTree.below(root).files == ["night/z.fits", "out/x.fits", "y_1.fits"]


def test_links_that_lead_nowhere_are_files_to_be_rejected(tmp_path):
    os.symlink("none", tmp_path / "dangling.fits")
    os.symlink("b.fits", tmp_path / "a.fits")
    os.symlink("a.fits", tmp_path / "b.fits")
    assert FitsTree.below(tmp_path).files == ["a.fits", "b.fits", "dangling.fits"]


def test_a_link_to_a_file_of_another_name_is_taken(tmp_path):
    touch(tmp_path / "blob-17")
    os.symlink("blob-17", tmp_path / "a.fits")
    assert FitsTree.below(tmp_path).files == ["a.fits"]


def test_a_folder_that_cannot_be_read_is_skipped_and_named(tmp_path, monkeypatch):
    touch(tmp_path / "closed" / "a.fits")
    touch(tmp_path / "open" / "b.fits")
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    tree = FitsTree.below(tmp_path)
    assert tree.files == ["open/b.fits"]
    assert tree.remarks() == ["folder that cannot be read, skipped: closed/ (Permission denied)"]
    with pytest.raises(PermissionError):
        FitsTree.below(tmp_path / "closed")


def test_names_that_are_not_utf8(tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.fits")).touch()
    (name,) = FitsTree.below(tmp_path).files
    assert os.fsencode(name) == b"caf\xe9.fits"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_every_file_once_whatever_the_links(tmp_path_factory, links):
    """Six folders with a file each, and links between any of them."""
    root = tmp_path_factory.mktemp("tree")
    for number in range(6):
        touch(root / f"{number}" / f"{number}.fits")
    for number, (one, other) in enumerate(links):
        os.symlink(f"../{other}", root / f"{one}" / f"link{number}")
        os.symlink(f"../{other}/{other}.fits", root / f"{one}" / f"link{number}.fits")
    assert FitsTree.below(root).files == [f"{number}/{number}.fits" for number in range(6)]
