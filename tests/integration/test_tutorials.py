"""The tutorials run from the first cell to the last, one after another in one folder."""

import json
import os
import shutil
import sys

import pytest
from tests.integration.running import ROOT

from torchfit import __version__

pytestmark = pytest.mark.slow
FOLDER = ROOT / "docs" / "tutorials"
ORDER = ("one_star", "own_library", "own_survey", "lamost", "sweeps", "reading", "errors")
SMALL = {
    "lamost": "N_LIBRARY, N_STARS, N_FOLDS = 300, 60, 2",
    "own_library": "N_STARS, N_FOLDS = 250, 2",
}
"""Cells ``parameters``, so that the emulators are made in seconds."""

COMMAND = f'#!/bin/sh\nexec "{sys.executable}" -m torchfit "$@"\n'


def cells(name):
    """The code of a notebook, cell by cell, and whether its command is meant to fail."""
    notebook = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code":
            source = SMALL[name] if "parameters" in tags else "".join(cell["source"])
            yield source, "fails" in tags


@pytest.fixture(scope="module")
def place(artefact, cache, tmp_path_factory):
    """A folder, with the emulator ``miles`` in the cache, and ``torchfit`` among the programs."""
    folder = tmp_path_factory.mktemp("tutorials")
    programs = tmp_path_factory.mktemp("bin")
    (programs / "torchfit").write_text(COMMAND)
    (programs / "torchfit").chmod(0o755)
    miles = cache / "emulators" / f"miles-{__version__}" / "emulator"
    shutil.copytree(artefact, miles, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("PYTHONPATH", str(ROOT / "src"))
        yield folder


@pytest.fixture(scope="module")
def shell():
    """What a notebook runs in, without a process of its own: torchfit is imported already."""
    pytest.importorskip("IPython", reason="needs the extra docs")
    from IPython.core.interactiveshell import InteractiveShell

    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_there_is_no_other():
    assert sorted(ORDER) == sorted(path.stem for path in FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("name", ORDER)
def test_it_runs(name, shell, place, monkeypatch):
    monkeypatch.chdir(place)
    shell.reset()
    for source, fails in cells(name):
        shell.user_ns["_exit_code"] = 0
        done = shell.run_cell(source)
        assert done.success, source
        assert (shell.user_ns["_exit_code"] != 0) == fails, source


def test_the_outputs_are_small_and_there():
    for name in ORDER:
        path = FOLDER / f"{name}.ipynb"
        assert path.stat().st_size < 150_000
        notebook = json.loads(path.read_text(encoding="utf-8"))
        outputs = [c["outputs"] for c in notebook["cells"] if c["cell_type"] == "code"]
        assert sum(map(bool, outputs)) >= 2
        assert not [each for some in outputs for each in some if each["output_type"] == "error"]
