import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from torchfit.emulator.artefact import DESCRIPTION, WEIGHTS, load_emulator, save_emulator
from torchfit.emulator.soundness import SHA256, hashes
from torchfit.exceptions import ArtefactError


@pytest.fixture
def rewritten(emulator, tmp_path):
    """``rewritten(arrays, settings)``: an artefact by a faulty program, which hashes rightly."""

    def write(arrays=None, settings=None):
        folder = tmp_path / "emulator"
        save_emulator(emulator, folder)
        tensors = load_file(folder / WEIGHTS) | (arrays or {})
        description = json.loads((folder / DESCRIPTION).read_text())
        del description[SHA256]
        for key, value in (settings or {}).items():
            group, _, name = key.rpartition(".")
            (description[group] if group else description)[name] = value
        description[SHA256] = hashes(description, tensors)
        save_file({name: each.contiguous() for name, each in tensors.items()}, folder / WEIGHTS)
        (folder / DESCRIPTION).write_text(json.dumps(description))
        return folder

    return write


def test_rewritten_as_it_was_it_is_read(rewritten):
    load_emulator(rewritten())


ARRAYS = {
    "NaN": ("flux_pca.basis", lambda t: t.index_fill(1, torch.tensor([0]), torch.nan), "finite"),
    "infinite": ("gp.alpha", lambda t: t * torch.inf, "not finite"),
    "negative scale": ("comp_scale", lambda t: -t, "not positive"),
    "no spread": ("scaler.std", lambda t: 0 * t, "not positive"),
    "negative variance": ("residuals.matrices", lambda t: -t, "negative variance"),
    "backwards": ("truncation.nodes", lambda t: t.flip(0), "do not increase"),
    "turned": ("flux_pca.basis", lambda t: t.mT, "has shape"),
    "too long": ("library.lsf_fwhm", lambda t: torch.cat([t, t]), "has shape"),
    "empty": ("library.labels", lambda t: t[:0], "has shape"),
    "single": ("flux_pca.mean", lambda t: t.float(), "float32"),
    "outside": ("gp.centre", lambda t: t + 1000, "not within"),
}


@pytest.mark.parametrize(("name", "change", "text"), ARRAYS.values(), ids=ARRAYS)
def test_an_impossible_array_is_named(emulator, rewritten, tmp_path, name, change, text):
    save_emulator(emulator, tmp_path / "whole")
    folder = rewritten({name: change(load_file(tmp_path / "whole" / WEIGHTS)[name])})
    with pytest.raises(ArtefactError, match=rf"emulator is damaged \(.*{text}") as caught:
        load_emulator(folder)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"preprocess.wave_step": 1e-9},
        {"preprocess.wave_max": 1e300},
        {"preprocess.wave_min": "4000"},
        {"preprocess.median_window": 0},
        {"preprocess.new": 1},
        {"preprocess": None},
        {"kernel.n_labels": 10**9},
        {"kernel.shape": "cube"},
        {"label_names": ["teff", "teff", "teff"]},
        {"label_names": "tlf"},
        {"star_names": [1] * 90},
        {"medium": "air"},
        {"wave_unit": "nm"},
        {"provenance": []},
        {"settings": "none"},
    ],
)
def test_an_impossible_setting_is_one_line_that_names_the_artefact(rewritten, settings):
    folder = rewritten(settings=settings)
    with pytest.raises(ArtefactError) as caught:
        load_emulator(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[]", "3", "null", '{"format": 3}', "NaN", "[" * 100_000])
def test_another_text_is_one_line_too(rewritten, text):
    folder = rewritten()
    (folder / DESCRIPTION).write_text(text)
    with pytest.raises(ArtefactError, match="is damaged"):
        load_emulator(folder)
