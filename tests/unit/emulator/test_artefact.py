import json
import os
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from torchfit.emulator.artefact import (
    DESCRIPTION,
    LICENCE,
    WEIGHTS,
    fingerprint,
    load_beside,
    load_emulator,
    save_emulator,
)
from torchfit.emulator.gp import SharedKernelGP
from torchfit.emulator.kernel import build_kernel
from torchfit.emulator.soundness import SHA256, hashes
from torchfit.exceptions import ArtefactError
from torchfit.names import Label


@pytest.fixture
def folder(masked_emulator, tmp_path):
    save_emulator(masked_emulator, tmp_path / "emulator")
    return tmp_path / "emulator"


def test_what_is_read_predicts_what_was_saved(masked_emulator, folder, draw_labels, assert_close):
    labels = draw_labels(5, 13)
    loaded = load_emulator(folder)
    assert_close(loaded.flux(labels), masked_emulator.flux(labels))
    assert_close(loaded.flux_variance(labels), masked_emulator.flux_variance(labels))
    for name in ("residuals", "start_error", "truncation"):
        expected = getattr(masked_emulator, name).at(labels[:, 0])
        assert_close(getattr(loaded, name).at(labels[:, 0]), expected)


def test_library_and_preprocessing_come_along(masked_emulator, folder):
    loaded, library = load_emulator(folder), masked_emulator.library
    assert loaded.preprocessor == masked_emulator.preprocessor
    assert loaded.library.star_names == library.star_names
    assert loaded.label_names == library.label_names
    assert torch.equal(loaded.library.lsf_fwhm, library.lsf_fwhm)
    assert torch.equal(loaded.library.labels, library.labels)
    assert torch.equal(loaded.library.spectra.good, library.spectra.good)
    error = (loaded.library.spectra.flux - library.spectra.flux).abs().max()
    assert error < 1e-6


def test_labels_of_a_library_come_with_unit_and_meaning(masked_emulator, tmp_path):
    names = ("teff", "logg", Label("vsini", "km/s", "Rotation"))
    library = replace(masked_emulator.library, label_names=names)
    save_emulator(replace(masked_emulator, library=library), tmp_path / "emulator")
    loaded = load_emulator(tmp_path / "emulator").label_names
    assert loaded == names and [(each.unit, each.text) for each in loaded] == [
        ("K", "Effective temperature"),
        ("dex(cm/s2)", "Logarithm of the surface gravity"),
        ("km/s", "Rotation"),
    ]


def described(folder, change):
    """The artefact with another description, as a torchfit that writes it so would have it."""
    path, tensors = folder / DESCRIPTION, load_file(folder / WEIGHTS)
    description = json.loads(path.read_text())
    change(description)
    description[SHA256] = hashes(
        {name: value for name, value in description.items() if name != SHA256}, tensors
    )
    path.write_text(json.dumps(description))
    return folder


def test_an_artefact_without_units_has_the_labels_of_torchfit(masked_emulator, folder):
    loaded = load_emulator(described(folder, lambda description: description.pop("labels")))
    assert loaded.label_names == masked_emulator.label_names


@pytest.mark.parametrize("entry", ["km/s", {"unit": "km/s"}, {"unit": 1, "text": "Rotation"}])
def test_a_label_without_unit_or_meaning_is_damage(folder, entry):
    change = lambda description: description["labels"].update(teff=entry)  # noqa: E731
    with pytest.raises(ArtefactError, match="no labels"):
        load_emulator(described(folder, change))


@pytest.mark.parametrize("shape", ["rbf", "matern52"])
@pytest.mark.parametrize("ard", [True, False])
@pytest.mark.parametrize("linear", [True, False])
def test_every_kernel_comes_back(
    training, library, preprocessor, draw_labels, tmp_path, assert_close, shape, ard, linear
):
    gp = SharedKernelGP(build_kernel(3, shape, ard, linear, 1.3, 0.7), 0.04)
    emulator = training.build(library, preprocessor, gp, lambda gp, table: None)
    save_emulator(emulator, tmp_path / "emulator")
    loaded, labels = load_emulator(tmp_path / "emulator"), draw_labels(4, 13)
    unit = emulator.scaler.to_unit(labels)
    found, expected = (
        loaded.gp.predictor.derivatives(unit),
        emulator.gp.predictor.derivatives(unit),
    )
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other)
    assert_close(loaded.gp.variance(unit), emulator.gp.variance(unit))


def test_inducing_points_come_back(
    training, library, preprocessor, draw_labels, tmp_path, assert_close
):
    few = replace(training, n_inducing=40)
    emulator = few.build(library, preprocessor, few.process(3), lambda gp, table: None)
    save_emulator(emulator, tmp_path / "emulator")
    loaded, labels = load_emulator(tmp_path / "emulator"), draw_labels(4, 13)
    unit = emulator.scaler.to_unit(labels)
    assert loaded.gp.alpha.shape == (40, 8)
    for one, other in zip(
        loaded.gp.predictor.mean_and_density(unit),
        emulator.gp.predictor.mean_and_density(unit),
        strict=True,
    ):
        assert_close(one, other)
    assert_close(loaded.gp.variance(unit), emulator.gp.variance(unit))


@pytest.mark.parametrize("n_inducing", [None, 40])
def test_noises_of_their_own_come_back(
    training, library, preprocessor, draw_labels, tmp_path, assert_close, n_inducing
):
    each = replace(training, noise="each", n_inducing=n_inducing)
    emulator = each.build(library, preprocessor, each.process(3), lambda gp, table: None)
    save_emulator(emulator, tmp_path / "emulator")
    loaded, labels = load_emulator(tmp_path / "emulator"), draw_labels(4, 13)
    assert loaded.gp.has_own_noise
    assert_close(loaded.gp.noise.detach(), emulator.gp.noise.detach())
    assert_close(loaded.flux(labels), emulator.flux(labels))
    assert_close(loaded.flux_variance(labels), emulator.flux_variance(labels))
    again = each.with_hyperparameters(loaded, library)
    assert_close(again.gp.noise.detach(), emulator.gp.noise.detach())


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_files_have_ordinary_permissions(emulator, tmp_path, umask):
    before = os.umask(umask)
    try:
        save_emulator(emulator, tmp_path / "emulator")
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "emulator").iterdir()}
    assert modes == {0o666 & ~umask}
    assert (tmp_path / "emulator").stat().st_mode & 0o777 == 0o777 & ~umask


@pytest.mark.parametrize("name", [WEIGHTS, DESCRIPTION])
@pytest.mark.parametrize("place", [0.3, 0.7, 0.99])
def test_a_flipped_bit_is_damage(folder, name, place):
    raw = bytearray((folder / name).read_bytes())
    raw[int(place * len(raw))] ^= 4
    (folder / name).write_bytes(raw)
    with pytest.raises(ArtefactError, match="emulator is damaged"):
        load_emulator(folder)


def test_the_changed_array_is_named(folder):
    tensors = load_file(folder / WEIGHTS)
    tensors["comp_scale"][0] += 1e-12
    save_file(tensors, folder / WEIGHTS)
    with pytest.raises(ArtefactError, match="changed since it was written: comp_scale"):
        load_emulator(folder)


def test_the_description_says_what_it_is(folder):
    description = json.loads((folder / DESCRIPTION).read_text())
    assert description["medium"] == "vacuum"
    assert description["hyperparameters"]["lengthscale"] == pytest.approx([1.5] * 3)
    assert (folder / LICENCE).read_text() == "none needed\n"


def test_the_fingerprint_is_that_of_the_content(masked_emulator, emulator, folder, tmp_path):
    save_emulator(masked_emulator, tmp_path / "again")
    save_emulator(emulator, tmp_path / "other")
    assert fingerprint(tmp_path / "again") == fingerprint(folder)
    assert fingerprint(tmp_path / "other") != fingerprint(folder)


def test_a_new_emulator_replaces_the_old_one(emulator, folder, draw_labels, assert_close):
    save_emulator(emulator, folder)
    labels = draw_labels(2, 13)
    assert_close(load_emulator(folder).flux(labels), emulator.flux(labels))


def test_a_missing_emulator_is_named(tmp_path):
    with pytest.raises(ArtefactError, match=r"no emulator in .*nowhere"):
        load_emulator(tmp_path / "nowhere")


@pytest.mark.parametrize("name", [WEIGHTS, DESCRIPTION])
def test_a_cut_file_is_damaged(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ArtefactError, match="damaged"):
        load_emulator(folder)


def test_missing_weights_are_damage(folder):
    (folder / WEIGHTS).unlink()
    with pytest.raises(ArtefactError, match="damaged"):
        load_emulator(folder)


def test_another_format_is_refused(folder):
    description = json.loads((folder / DESCRIPTION).read_text())
    description["format"] = 99
    (folder / DESCRIPTION).write_text(json.dumps(description))
    with pytest.raises(ArtefactError, match="99"):
        load_emulator(folder)


def test_tensors_beside_it_come_along_and_may_be_absent(masked_emulator, folder, tmp_path):
    assert load_beside(folder, "errors.safetensors") == {}
    errors = {"unit": torch.tensor([1.0, 2.0]), "plain": torch.tensor(False)}
    save_emulator(masked_emulator, tmp_path / "with", {"errors.safetensors": errors})
    found = load_beside(tmp_path / "with", "errors.safetensors")
    assert found.keys() == errors.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in errors.items())
    assert fingerprint(tmp_path / "with") != fingerprint(folder)


@pytest.mark.parametrize(
    "damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"x")]
)
def test_damage_beside_it_is_seen(masked_emulator, tmp_path, damage):
    save_emulator(masked_emulator, tmp_path / "x", {"e.safetensors": {"a": torch.ones(2)}})
    damage(tmp_path / "x" / "e.safetensors")
    with pytest.raises(ArtefactError, match="is damaged"):
        load_beside(tmp_path / "x", "e.safetensors")
