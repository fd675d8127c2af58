"""The command of an installed wheel, in a folder that is no checkout."""

import json
import shlex
import sys
from email.parser import BytesParser

import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.installed import ROOT

from torchfit import __version__

TRAIN = [
    "train",
    "emulator=mastar_mock",
    "library.reader.n_stars=240",
    "emulator.max_comp=10",
    "emulator.n_inducing=null",
    "emulator.learner.max_epochs=2",
    "emulator.samples.held_out=40",
    "uncertainty.learning.n_noisy=0",
]
INFER = ["infer", "emulator=mastar_mock", "data=lamost_mock", "data.n_stars=12", "group=small"]

SHELL = """
eval "$(torchfit infer --shell-completion install=bash)"
ask() {
    COMP_LINE=$1 COMP_WORDS=($1) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    hydra_bash_completion
    echo "${COMPREPLY[@]}"
}
ask "torchfit va"
ask "torchfit infer data=lamost_m"
ask "torchfit train library=mas"
"""


@pytest.fixture(scope="module")
def command(installed):
    """``command(folder, *words)``: how ``torchfit *words`` ends in a folder."""
    return lambda folder, *words: installed.run(folder, "torchfit", *words)


@pytest.fixture(scope="module")
def trained(command, tmp_path_factory):
    """An empty folder in which ``torchfit train`` has been typed."""
    folder = tmp_path_factory.mktemp("empty")
    ended = command(folder, *TRAIN)
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A folder with an option of the user's."""
    folder = tmp_path_factory.mktemp("my conf")
    (folder / "group").mkdir()
    (folder / "group/small.yaml").write_text("defaults: [default]\nn_group: 4\n")
    return folder


def test_the_wheel_holds_what_the_package_needs(installed):
    contents = installed.contents()
    package = [path for path in (ROOT / "src/torchfit").rglob("*") if path.is_file()]
    names = {str(path.relative_to(ROOT / "src")) for path in package}
    expected = {name for name in names if "__pycache__" not in name}
    conf = {path.relative_to(ROOT): path for path in (ROOT / "conf").rglob("*.yaml")}
    found = {name for name in contents if ".dist-info/" not in name}
    assert found == expected | {f"torchfit/{name}" for name in conf}
    assert "torchfit/py.typed" in found
    assert all(contents[f"torchfit/{name}"] == path.read_bytes() for name, path in conf.items())


def test_the_configuration_is_that_of_the_package(installed, tmp_path):
    code = "from torchfit.run.programs import conf_folder; print(conf_folder())"
    found = installed.run(tmp_path, sys.executable, "-c", code).stdout
    assert found == f"{installed.folder / 'torchfit/conf'}\n"


def test_the_wheel_has_the_version_of_the_package(installed):
    (metadata,) = [text for name, text in installed.contents().items() if name.endswith("METADATA")]
    assert BytesParser().parsebytes(metadata)["Version"] == __version__


@pytest.mark.parametrize("start", [["torchfit"], [sys.executable, "-m", "torchfit"]])
def test_help_version_and_a_slip(installed, tmp_path, start):
    assert "torchfit infer data=lamost_dr10" in installed.run(tmp_path, *start).stdout
    assert installed.run(tmp_path, *start, "--version").stdout == f"torchfit {__version__}\n"
    assert "emulator: " in installed.run(tmp_path, *start, "train", "--help").stdout
    ended = installed.run(tmp_path, *start, "tran")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "error: no program tran; there is train (torchfit --help)\n"
    assert list(tmp_path.iterdir()) == []


def test_help_does_not_wait_for_pytorch(installed, tmp_path):
    code = (
        "import sys; from torchfit.run.start import start_command\n"
        "try: start_command()\nexcept SystemExit: pass\nassert 'torch' not in sys.modules"
    )
    for words in ([], ["infer", "--help"], ["infer", "--cfg", "job"]):
        ended = installed.run(tmp_path, sys.executable, "-c", code, *words)
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout


def test_without_an_emulator_it_says_how_to_make_one(command, tmp_path):
    ended = command(tmp_path, "infer")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: ") and "torchfit train" in line


def test_a_shell_completes(installed, tmp_path):
    ended = installed.run(tmp_path, "bash", "--norc", "-c", SHELL)
    assert ended.stdout.splitlines() == [
        "validate",
        "data=lamost_mock data=lamost_mrs",
        "library=mastar library=mastar_mock",
    ]


@pytest.mark.slow
def test_outputs_go_to_the_current_folder(trained):
    assert {path.name for path in trained.iterdir()} == {"outputs"}
    emulator = trained / "outputs/train/mastar_mock/emulator"
    assert json.loads((emulator / "emulator.json").read_text())["label_names"]


@pytest.fixture(scope="module")
def measured(command, trained, theirs):
    """The same folder after ``torchfit infer`` on two processes, and what was typed."""
    typed = [*INFER, "--config-dir", str(theirs), "trainer.devices=2"]
    ended = command(trained, *typed)
    assert ended.returncode == 0, ended.stderr
    return trained / "outputs/infer/lamost_mock"


@pytest.mark.slow
def test_a_survey_with_an_option_of_the_user(measured, theirs):
    path = measured / "catalogue.parquet"
    assert len(pd.read_parquet(path)) == 12
    provenance = json.loads(pq.read_schema(path).metadata[b"provenance"])
    typed = ["torchfit", "infer", "--config-dir", str(theirs), *INFER[1:]]
    assert shlex.split(provenance["command"]) == typed
    assert "n_group: 4" in provenance["config"]


@pytest.mark.slow
def test_validation_of_what_was_measured(command, measured, tmp_path):
    ended = command(tmp_path, "validate", f"results={measured}")
    assert ended.returncode == 0, ended.stderr
    path = tmp_path / "outputs/validate/catalogue.parquet"
    provenance = json.loads(pq.read_schema(path).metadata[b"provenance"])
    assert provenance["validate_command"] == f"torchfit validate results={measured}"


@pytest.mark.slow
def test_a_sweep_goes_to_folders_of_its_own(command, trained, theirs, tmp_path):
    artefact = tmp_path / "emulator"
    artefact.symlink_to(trained / "outputs/train/mastar_mock/emulator")
    swept = [*INFER, "artefact=emulator", "match.t=5,20", "--config-dir", str(theirs)]
    ended = command(tmp_path, *swept, "-m")
    assert ended.returncode == 0, ended.stderr
    found = list((tmp_path / "outputs/sweeps/infer-lamost_mock").rglob("catalogue.parquet"))
    typed = [(path.parent / ".hydra" / "overrides.yaml").read_text() for path in found]
    assert sorted("match.t=5\n" in overrides for overrides in typed) == [False, True]
