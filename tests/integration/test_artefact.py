"""An emulator on disk: what is saved is what is loaded, and a bad one is one clear error."""

import json
import shutil
import sys

import pytest
import torch
from tests.integration import world
from tests.integration.running import ROOT, run

from torchfit.emulator.artefact import fingerprint, load_emulator, save_emulator
from torchfit.exceptions import ArtefactError
from torchfit.uncertainty.library_errors import FILE, LibraryErrors

sys.path.append(str(ROOT / "benchmarks"))

from fault_artefacts import campaign

pytestmark = pytest.mark.slow


@pytest.fixture
def copy(artefact, tmp_path):
    return shutil.copytree(artefact, tmp_path / "copy")


def test_a_round_trip_changes_nothing(artefact, tmp_path):
    first = load_emulator(artefact)
    errors = LibraryErrors.load(artefact)
    save_emulator(first, tmp_path / "again", {FILE: errors.state()})
    second = load_emulator(tmp_path / "again")
    labels = torch.from_numpy(world.draw_labels(30, seed=5))
    assert torch.equal(first.flux(labels), second.flux(labels))
    assert torch.equal(first.flux_variance(labels), second.flux_variance(labels))
    assert torch.equal(first.residuals.at(labels[:, 0]), second.residuals.at(labels[:, 0]))
    assert fingerprint(artefact) == fingerprint(tmp_path / "again")
    assert first.preprocessor == second.preprocessor


def change(folder, **fields):
    path = folder / "emulator.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def drop(folder, *keys):
    path = folder / "emulator.json"
    description = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in description.items() if k not in keys}))


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


DAMAGE = {
    "missing": (lambda folder: shutil.rmtree(folder), "no emulator in"),
    "empty folder": (lambda folder: (folder / "emulator.json").unlink(), "no emulator in"),
    "other format": (lambda folder: change(folder, format=99), "has format 99"),
    "no format": (lambda folder: drop(folder, "format"), "is damaged"),
    "no kernel": (lambda folder: drop(folder, "kernel"), "is damaged"),
    "unknown setting": (lambda folder: change(folder, preprocess={"new": 1}), "is damaged"),
    "description cut": (lambda folder: cut(folder / "emulator.json", 100), "is damaged"),
    "no weights": (lambda folder: (folder / "weights.safetensors").unlink(), "is damaged"),
    "weights cut": (lambda folder: cut(folder / "weights.safetensors", 10000), "is damaged"),
    "weights empty": (lambda folder: cut(folder / "weights.safetensors", 0), "is damaged"),
    "weights of another library": (
        lambda folder: change(folder, label_names=["teff", "logg"]),
        "is damaged",
    ),
}


@pytest.mark.parametrize(("damage", "text"), DAMAGE.values(), ids=DAMAGE)
def test_a_bad_artefact_is_one_clear_error(copy, damage, text):
    damage(copy)
    with pytest.raises(ArtefactError, match=text) as caught:
        load_emulator(copy)
    assert str(copy) in str(caught.value)


def test_no_mutation_passes_for_the_emulator(artefact):
    """``python benchmarks/fault_artefacts.py`` is the same with hundreds."""
    counts = campaign(artefact, 60, seed=60)
    assert counts["other"] == counts["slow"] == counts["big"] == 0
    assert counts["read"] + counts["rejected"] == 60
    assert counts["rejected"] > 20


def test_the_program_says_how_to_make_one(tmp_path):
    ended = run("infer", *world.stelib_options(tmp_path / "results", tmp_path / "nowhere"))
    assert ended.status == 1
    assert ended.err.splitlines() == [ended.error]
    assert "torchfit train" in ended.error
