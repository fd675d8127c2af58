import os
from pathlib import Path

import pytest

from torchfit.run.environment import mend_environment


@pytest.fixture
def nobody(monkeypatch):
    """A user without name and home, as in a container."""

    def none():
        raise RuntimeError("Could not determine home directory.")

    for name in ("HOME", "USER", "TORCHFIT_CACHE"):
        monkeypatch.setenv(name, "x")  # What is set below is taken back.
        monkeypatch.delenv(name)
    monkeypatch.setattr(Path, "home", none)


def test_empty_variables_of_a_cluster_are_none(monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "")
    monkeypatch.setenv("LOCAL_RANK", " ")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    mend_environment()
    assert "SLURM_NTASKS" not in os.environ
    assert "LOCAL_RANK" not in os.environ
    assert os.environ["SLURM_JOB_ID"] == "7"


def test_the_home_of_nobody_is_the_cache(nobody, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCHFIT_CACHE", str(tmp_path))
    mend_environment()
    assert os.environ["HOME"] == str(tmp_path)
    assert os.environ["USER"]


def test_without_a_cache_it_is_the_folder_of_temporary_files(nobody):
    mend_environment()
    assert Path(os.environ["HOME"]).is_dir()


def test_a_home_stays(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    mend_environment()
    assert os.environ["HOME"] == str(tmp_path)
