"""Bad input: one clear line, an exit status, and the older catalogue as it was."""

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.integration import world
from tests.integration.running import run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_report")]
REAL_STELIB = "data._target_=torchfit.surveys.stelib.StelibReader"


@pytest.fixture
def older(stelib, tmp_path):
    """A folder with an older, good catalogue."""
    return shutil.copytree(stelib, tmp_path / "older")


@pytest.fixture
def infer(artefact, older, contents):
    """``infer(*options)`` into the older catalogue's folder, which must fail and change nothing."""

    def fail(*options):
        before = contents(older)
        ended = run("infer", *world.stelib_options(older, artefact), *options)
        assert ended.status == 1
        assert "Traceback" not in ended.err
        assert contents(older) == before
        assert not list(older.rglob("*.tmp"))
        return ended

    return fail


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """A first start: no wheel is there."""
    monkeypatch.setenv("TORCHFIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def lamost(root):
    return [
        "data=lamost_dr10",
        f"data.root={root}",
        "data._target_=torchfit.surveys.lamost.LamostReader",
    ]


def test_a_missing_folder(infer, tmp_path):
    ended = infer(*lamost(tmp_path / "nowhere"))
    assert ended.error == f"error: no such folder of spectra: {tmp_path / 'nowhere'}"
    assert ended.err.splitlines() == [ended.error]


def test_an_empty_folder(infer, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "no .fits or .fits.gz file below" in infer(*lamost(tmp_path / "empty")).error


def test_a_folder_of_other_files(infer, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("no spectra here\n")
    assert "no .fits or .fits.gz file below" in infer(*lamost(tmp_path / "other")).error


def test_a_folder_of_junk(infer, tmp_path):
    for name in ("a.fits", "b.fits.gz"):
        (tmp_path / "junk").mkdir(exist_ok=True)
        (tmp_path / "junk" / name).write_text("no FITS\n")
    error = infer(*lamost(tmp_path / "junk")).error
    assert "no spectrum of lamost can be used, all 2 are rejected" in error
    assert "a.fits: not a readable FITS file" in error


def test_spectra_that_the_emulator_does_not_cover(infer, tmp_path):
    world.make_lamost_star(tmp_path / "blue" / "a.fits", world.draw_labels(1, 0)[0], 0, n_pix=700)
    error = infer(*lamost(tmp_path / "blue")).error
    assert "all 1 are rejected" in error
    assert "too few of the emulator's pixels are good" in error


def test_a_missing_artefact(infer, tmp_path):
    error = infer(f"artefact={tmp_path / 'nowhere'}").error
    assert f"no emulator in {tmp_path / 'nowhere'}" in error
    assert "torchfit train" in error


MISTAKES = {
    "misspelt key": (["match.tt=3"], "no such key: match.tt; there is match.t"),
    "misspelt group": (["macth.t=3"], "no such key: macth; there is match"),
    "misspelt option": (
        ["match=papr"],
        "match=papr is unknown; use one of: components",
    ),
    "misspelt optimiser": (["optimise=[lmm]"], "optimise=lmm is unknown; use one of: "),
    "not key=value": (["match.t"], "cannot read match.t; write key=value"),
    "broken list": (["optimise=[lm"], "cannot read optimise=[lm; write key=value"),
    "no root": (["data=lamost_dr10"], "data.root has no value; give it as data.root=VALUE"),
    "t=0": (["match.t=0"], "match: t=0 and n_best=5 must be at least 1"),
    "n_group=0": (["group.n_group=0"], "group: n_group=0 must be at least 1"),
    "a word for a number": (["match.t=many"], "match.t=many must be of type int"),
    "a number for a list": (["pack.windows=3"], "pack.windows=3 must be of type Sequence"),
    "batch_groups=0": (["batch_groups=0"], "batch_groups=0 must be a whole number, at least 1"),
    "n_examples=some": (["n_examples=some"], "n_examples=some must be a whole number"),
    "seed=-1": (["seed=-1"], "seed=-1 must be a whole number, at least 0"),
    "shard_size=0": (["pack.shard_size=0"], "shard_size=0"),
    "unknown hardware": (["trainer.accelerator=abacus"], "invalid accelerator name"),
    "missing hardware": (["trainer.accelerator=tpu"], "trainer: "),
    "a precision": (["trainer.precision=16"], "trainer.precision=16 cannot be honoured"),
    "stars_at_once=0": (["stars_at_once=0"], "stars_at_once=0 must be a whole number, at least 1"),
    "launched per device": (
        ["trainer.strategy=ddp", "trainer.devices=2"],
        "trainer.num_nodes=1 trainer.devices=2 would start the whole program once per",
    ),
}


@pytest.mark.parametrize(("options", "text"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_command(infer, options, text):
    ended = infer(*options)
    assert text in ended.error
    assert ended.err.splitlines() == [ended.error]


TRAINING_MISTAKES = {
    "empty grid": ("preprocess.wave_max=3000.0", "the grid 3800.0-3000.0 step 1.0 is empty"),
    "window too wide": ("preprocess.median_window=5000", "median_window=5000 must lie within 1"),
    "lengthscale=-1": ("emulator.kernel.lengthscale=-1.0", "lengthscale=-1.0 must be positive"),
    "n_folds=1": ("emulator.n_folds=1", "emulator.n_folds=1 must be at least 2"),
    "max_comp=0": ("emulator.max_comp=0", "emulator.max_comp=0 must be at least 1"),
    "variance=0": ("emulator.variance=0.0", "variance=0.0 must lie within (0, 1]"),
    "no star left": ("+library.cuts.limits.teff=[1.0, 2.0]", "only 0 stars of miles pass the cuts"),
    "nothing learned": ("emulator.learner.max_epochs=0", "max_epochs=0"),
    "nothing to override": ("library.cuts.limits.teff=[1, 2]", "to add it, write +library.cuts"),
    "misspelt": ("emulator.kernel.lenghtscale=1", "there is emulator.kernel.lengthscale"),
}


@pytest.mark.parametrize(("option", "text"), TRAINING_MISTAKES.values(), ids=TRAINING_MISTAKES)
def test_a_mistake_in_the_training(trained, tmp_path, option, text):
    folder = shutil.copytree(trained[1], tmp_path / "older")
    before = whole(folder / "emulator")
    ended = run("train", *world.train_options(folder), option)
    assert ended.status == 1
    assert text in ended.error
    assert "Traceback" not in ended.err
    assert whole(folder / "emulator") == before


def test_no_network_at_the_first_start(infer, empty_cache, monkeypatch):
    monkeypatch.setattr(
        "torchfit.files.fetch.subprocess.run",
        lambda command, **_: subprocess.CompletedProcess(command, returncode=1),
    )
    ended = infer(REAL_STELIB)
    assert "cannot fetch sdss-mangadap==4.5.0: pip ended with status 1" in ended.error
    assert "no network perhaps; on a machine with network run `python -m pip" in ended.error
    assert "fetching sdss-mangadap 4.5.0 (122 MB)" in ended.err


def test_a_python_without_pip(infer, empty_cache, monkeypatch):
    monkeypatch.setattr("torchfit.files.fetch.importlib.util.find_spec", lambda name: None)
    assert "this Python has no pip" in infer(REAL_STELIB).error


def test_the_package_index_gives_another_wheel(infer, empty_cache, monkeypatch):
    def download(command, **_):
        (Path(command[-1]) / "sdss_mangadap-4.5.0-py3-none-any.whl").write_bytes(b"another")
        return subprocess.CompletedProcess(command, returncode=0)

    monkeypatch.setattr("torchfit.files.fetch.subprocess.run", download)
    error = infer(REAL_STELIB).error
    assert "has sha256" in error
    assert "expected b8478bb24c32" in error
    assert list(empty_cache.iterdir()) == []


def test_a_wheel_of_another_hash_is_not_read(infer, monkeypatch):
    """The made wheel lies in the cache, under the name of the real one."""
    monkeypatch.setattr(
        "torchfit.files.fetch.subprocess.run",
        lambda command, **_: subprocess.CompletedProcess(command, returncode=1),
    )
    ended = infer(REAL_STELIB)
    assert "the copy there is damaged" in ended.err
    assert "cannot fetch sdss-mangadap" in ended.error


@pytest.mark.parametrize(
    "name", ["shard-00000.arrow", "part-000001.parquet", "catalogue.fits", "catalogue.csv"]
)
def test_a_full_disk_while_a_survey_is_written(infer, monkeypatch, name):
    fill_disk(monkeypatch, name)
    error = infer("match.n_best=2").error
    assert "not written (No space left on device)" in error
    assert "whatever it held before is untouched" in error


@pytest.mark.parametrize("name", ["weights.safetensors", "LICENSE-library.txt", "report.html"])
def test_a_full_disk_while_an_emulator_is_written(trained, tmp_path, monkeypatch, name):
    folder = shutil.copytree(trained[1], tmp_path / "older")
    before = whole(folder / "emulator")
    page = (folder / "report.html").read_bytes()
    fill_disk(monkeypatch, name)
    ended = run("train", *world.train_options(folder), "emulator.kernel.linear=false")
    assert ended.status == 1
    assert "not written (No space left on device)" in ended.error
    assert (folder / "report.html").read_bytes() == page
    assert not list(folder.rglob("*.tmp"))
    assert (whole(folder / "emulator") == before) == (name != "report.html")


def whole(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def fill_disk(monkeypatch, name):
    """Let the disk be full at the moment when a file should be on it."""

    def full(path):
        if path.name == name or path.name.startswith(f".{name}."):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("torchfit.files.atomic.sync", full)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of four megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no right to mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_disk_that_is_really_full(small_disk, stelib, artefact, contents):
    folder = shutil.copytree(stelib, small_disk / "older")
    before = contents(folder)
    free = shutil.disk_usage(small_disk).free
    (small_disk / "filling").write_bytes(bytes(free - 200_000))
    ended = run("infer", *world.stelib_options(folder, artefact), "match.n_best=2")
    assert ended.status == 1
    assert "No space left on device" in ended.error
    assert "Traceback" not in ended.err
    assert contents(folder) == before
    assert not list(folder.rglob("*.tmp"))
