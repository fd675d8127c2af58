import subprocess
from pathlib import Path

import pytest

from torchfit import __version__
from torchfit.emulator.artefact import save_emulator
from torchfit.exceptions import ArtefactError
from torchfit.face.load import load


@pytest.mark.parametrize("name", ["nowhere", "mils", "."])
def test_neither_a_folder_nor_a_name_is_one_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArtefactError, match=r"or one of .*miles") as error:
        load(name)
    assert "\n" not in str(error.value)


def test_a_name_is_trained_once_and_kept(masked_emulator, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHFIT_CACHE", str(tmp_path / "a b's"))
    ran = []

    def train(program, cwd):
        ran.append(program)
        save_emulator(masked_emulator, Path(cwd) / "emulator")
        return subprocess.CompletedProcess(program, 0)

    monkeypatch.setattr("torchfit.face.load.subprocess.run", train)
    assert len(load("miles").wave) == len(load("miles").wave)
    assert len(ran) == 1
    assert "emulator=miles" in ran[0]
    assert (tmp_path / "a b's" / "emulators" / f"miles-{__version__}").is_dir()


def test_a_training_that_fails_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHFIT_CACHE", str(tmp_path))
    ended = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr("torchfit.face.load.subprocess.run", lambda *_, **__: ended)
    with pytest.raises(ArtefactError, match="torchfit train emulator=miles"):
        load("miles")
