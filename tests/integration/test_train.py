"""``python train.py`` from the library's files to the artefact."""

import json
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
import torch
from tests.integration import world
from tests.integration.running import run
from torch.utils.data import DataLoader, DistributedSampler

from torchfit.emulator.artefact import load_emulator
from torchfit.library.datamodule import LibraryDataModule
from torchfit.spectra import Spectrum, StarInfo

pytestmark = pytest.mark.slow


def test_the_tables_and_the_places_are_printed(trained, artefact):
    ended, folder = trained
    lines = ended.out.splitlines()
    assert "Held-out flux residuals" in lines
    assert "Held-out labels" in lines
    (row,) = [line.split() for line in lines if line.startswith("all ")]
    assert row[1] == str(world.N_LIBRARY)
    assert [line.split()[1] for line in lines if line.startswith("FGK ")] == ["72"] * 3
    assert any(line.strip() == f"emulator: {artefact}" for line in lines)
    assert any(line.strip() == f"report: {folder / 'report.html'}" for line in lines)
    assert "Traceback" not in ended.err
    assert "Warning" not in ended.err


def test_what_is_written(trained, artefact):
    _, folder = trained
    names = {path.name for path in artefact.iterdir()}
    files = {"weights.safetensors", "errors.safetensors", "emulator.json", "LICENSE-library.txt"}
    assert names == files
    assert {path.name for path in folder.iterdir()} == {
        "emulator",
        "report.html",
        "audit.csv",
        "refined_labels.csv",
        "train.log",
        ".hydra",
        ".torchfit.json",
    }
    page = (folder / "report.html").read_text()
    assert "<html" in page
    assert "miles, 72 stars" in page


def test_the_audit_is_said_and_written(trained):
    ended, folder = trained
    (said,) = [line for line in ended.out.splitlines() if line.startswith("Library audit: ")]
    listed = pd.read_csv(folder / "audit.csv")
    n_out = int(listed["left_out"].sum())
    assert said == (
        f"Library audit: {world.N_LIBRARY} of {world.N_LIBRARY} templates judged, "
        f"{len(listed)} listed, {n_out} left out of training"
    )
    assert n_out == 0
    page = (folder / "report.html").read_text()
    assert "Library audit" in page
    assert all(f"{star}: " in page for star in listed["star"][:12])


def test_the_refined_labels_of_every_template_are_written(trained):
    table = pd.read_csv(trained[1] / "refined_labels.csv")
    assert len(table) == world.N_LIBRARY
    for name in ("teff", "logg", "fe_h"):
        ends = table[[name, f"{name}_measured"]]
        inside = table[f"{name}_refined"].between(ends.min(axis=1), ends.max(axis=1))
        assert inside.all()
        assert (table[f"{name}_error"] > 0).all()


def test_a_star_with_the_labels_of_another_is_left_out(cache, tmp_path):
    options = [*world.train_options(tmp_path), "+library.reader.wrong=HD000005"]
    ended = run("train", *options, "library.reader._target_=tests.integration.world.WrongMiles")
    assert ended.status == 0, ended.err
    listed = pd.read_csv(tmp_path / "audit.csv")
    worst = listed.iloc[0]
    assert (worst["star"], worst["reason"], bool(worst["left_out"])) == ("HD000005", "labels", True)
    description = json.loads((tmp_path / "emulator" / "emulator.json").read_text())
    n_out = int(listed["left_out"].sum())
    assert len(description["star_names"]) == world.N_LIBRARY - n_out
    assert "HD000005" not in description["star_names"]
    # Everyone is scored, and once more without those left out.
    counts = [line.split()[1] for line in ended.out.splitlines() if line.startswith("FGK ")]
    assert counts == [str(world.N_LIBRARY)] * 3 + [str(world.N_LIBRARY - n_out)] * 3


def test_a_library_of_which_a_sample_is_held_out(tmp_path):
    """As of MaStar at full size; nearly every template is listed, also visits not held out."""
    n_stars, sample = 240, 60
    options = ["emulator=mastar_mock", f"library.reader.n_stars={n_stars}"]
    options += ["library.reader.repeats=0.5", "library.reader.label_error=1.0"]
    options += ["library.audit.listed=0.1", "library.audit.gross=3.0", "emulator.n_folds=2"]
    options += [f"emulator.samples.held_out={sample}", "emulator.max_comp=8"]
    options += ["emulator.n_inducing=50", "emulator.learner.max_epochs=2"]
    ended = run("train", *options, "uncertainty.learning.n_noisy=20", f"hydra.run.dir={tmp_path}")
    assert ended.status == 0, ended.err
    listed = pd.read_csv(tmp_path / "audit.csv")
    assert len(listed) > sample
    assert f"{len(listed)} listed" in ended.out
    refined = pd.read_csv(tmp_path / "refined_labels.csv")
    assert len(refined) > refined["teff_measured"].notna().sum() >= len(listed)
    page = (tmp_path / "report.html").read_text()
    assert all(f"{star}: " in page for star in listed["star"][:12])


def test_the_licence_travels_with_the_weights(artefact):
    text = (artefact / "LICENSE-library.txt").read_text()
    assert text == "BSD 3-Clause License\nof made stars\n"


def test_the_description_says_how_it_was_made(artefact):
    description = json.loads((artefact / "emulator.json").read_text())
    assert description["medium"] == "vacuum"
    assert description["label_names"] == ["teff", "logg", "fe_h"]
    assert len(description["star_names"]) == world.N_LIBRARY
    assert description["provenance"]["package"] == "sdss-mangadap"
    assert "min_delta: 0.02" in description["settings"]["config"]
    assert str(artefact.parent) not in description["settings"]["config"]
    assert description["settings"]["torch"] == version("torch")


def test_the_emulator_knows_stars_it_has_not_seen(artefact):
    emulator = load_emulator(artefact)
    labels = world.draw_labels(20, seed=9, inset=0.15)
    wave = np.arange(3600.0, 7600.0, 0.5)
    lsf_fwhm = float(emulator.library.lsf_fwhm[0])
    spectra = emulator.preprocessor(
        [_spectrum(wave, world.flux_of(star, wave, lsf_fwhm)) for star in labels]
    )
    good = spectra.good & emulator.flux_pca.good
    difference = (emulator.flux(torch.from_numpy(labels)) - spectra.flux)[good]
    contrast = (spectra.flux - emulator.flux_pca.mean)[good]
    assert difference.square().mean() < 0.1 * contrast.square().mean()


@pytest.mark.parametrize("rank", [0, 1])
def test_every_device_learns_from_the_whole_library(rank):
    """Lightning gives each of two devices this sampler; half the stars have another likelihood."""
    x, y = torch.rand(7, 3), torch.rand(7, 5)
    module = LibraryDataModule(x, y)
    loader = module.train_dataloader()
    sampler = DistributedSampler(loader.dataset, num_replicas=2, rank=rank, shuffle=False)
    ((inputs, targets),) = DataLoader(loader.dataset, batch_size=loader.batch_size, sampler=sampler)
    assert torch.equal(inputs, x)
    assert torch.equal(targets, y)


def _spectrum(wave, flux):
    return Spectrum(wave, flux, np.ones_like(wave), StarInfo("made"), has_ivar=False)
