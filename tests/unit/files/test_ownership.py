import json
import os
import signal
import subprocess
import sys

import pytest

from torchfit.exceptions import OutputError
from torchfit.files.ownership import LOCK, WRITTEN, make_way, sole_run, written_by_torchfit

HOLD = """
import sys, time
from pathlib import Path
from torchfit.files.ownership import sole_run
with sole_run(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that works in the folder."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "results")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_run_is_refused_and_the_first_is_named(holder, tmp_path):
    with pytest.raises(OutputError, match=rf"another run works in .*process {holder.pid} on"):  # noqa: SIM117
        with sole_run(tmp_path / "results"):
            raise AssertionError("both run")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_ends_with_its_owner(holder, tmp_path, number):
    holder.send_signal(number)
    holder.wait()
    with sole_run(tmp_path / "results"):
        pass


def test_nothing_is_left_when_a_run_ends(tmp_path):
    with sole_run(tmp_path / "results"):
        assert (tmp_path / "results" / LOCK).exists()
    assert list((tmp_path / "results").iterdir()) == []
    with sole_run(tmp_path / "results"):
        pass


def test_an_error_of_the_run_ends_the_lock(tmp_path):
    with pytest.raises(ValueError, match="its own"), sole_run(tmp_path):
        raise ValueError("its own")
    with sole_run(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_one_line_with_a_remedy(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot write into .*hydra\.run\.dir=FOLDER"):  # noqa: SIM117
        with sole_run(tmp_path / "file" / "below"):
            pass


def test_what_is_not_ours_is_kept_under_another_name(tmp_path, caplog):
    (tmp_path / "table.csv").write_text("of the user")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_text("of the user")
    os.symlink("nowhere", tmp_path / "link")
    make_way(tmp_path, ["table.csv", "folder", "link", "new"])
    assert (tmp_path / "table.csv.kept").read_text() == "of the user"
    assert (tmp_path / "folder.kept" / "a").read_text() == "of the user"
    assert os.readlink(tmp_path / "link.kept") == "nowhere"
    assert caplog.text.count("is not of torchfit: it is kept as") == 3
    assert written_by_torchfit(tmp_path) == {"table.csv", "folder", "link", "new"}


def test_what_is_kept_is_not_replaced_by_the_next(tmp_path):
    for number in range(3):
        (tmp_path / "a").write_text(str(number))
        (tmp_path / WRITTEN).unlink(missing_ok=True)
        make_way(tmp_path, ["a"])
    kept = {path.name: path.read_text() for path in tmp_path.glob("a.*")}
    assert kept == {"a.kept": "0", "a.kept1": "1", "a.kept2": "2"}


def test_what_is_ours_stays(tmp_path):
    make_way(tmp_path, ["a"])
    (tmp_path / "a").write_text("ours")
    make_way(tmp_path, ["a", "b"])
    assert (tmp_path / "a").read_text() == "ours"


@pytest.mark.parametrize("text", ["", "{", "3", "[1, [2]]", "\xff"])
def test_a_damaged_list_makes_nothing_ours(tmp_path, text):
    (tmp_path / WRITTEN).write_text(text, encoding="latin-1")
    (tmp_path / "a").write_text("whose")
    make_way(tmp_path, ["a"])
    assert (tmp_path / "a.kept").read_text() == "whose"
    assert json.loads((tmp_path / WRITTEN).read_text()).count("a") == 1


FETCH = """
import sys, time
from pathlib import Path
from torchfit.files.ownership import in_turn
path = Path(sys.argv[1])
with in_turn(path):
    if not path.exists():
        print("fetching", flush=True)
        time.sleep(1)
        path.write_text("fetched")
    else:
        print("there", flush=True)
"""


def test_two_processes_fetch_a_file_once(tmp_path):
    command = [sys.executable, "-c", FETCH, str(tmp_path / "cache" / "file")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(process.communicate()[0] for process in both) == ["fetching\n", "there\n"]
