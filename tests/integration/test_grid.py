"""A synthetic grid with a wrong line list, from its files to labels of stars and their errors."""

import pandas as pd
import pytest
import torch
from tests.integration import world
from tests.integration.running import run

from torchfit.emulator.artefact import load_emulator
from torchfit.mock.grid import RESOLVING_POWER, write_grid

pytestmark = pytest.mark.slow

FOUR = "[teff,logg,fe_h,alpha_fe]"
BOX = "{teff: [4800.0,6300.0], logg: [1.4,5.0], fe_h: [-1.0,0.5], alpha_fe: [-0.1,0.4]}"
GRID = [
    "emulator=grid",
    "library.reader.medium=vacuum",
    f"library.reader.resolution.resolving_power={RESOLVING_POWER}",
    f"library.cuts.label_names={FOUR}",
    "+library.cuts.limits={logg: [1.4,5.0], fe_h: [-1.0,0.5]}",
    "library.resolution.lsf_fwhm=null",
    "library.resolution.resolving_power=1800.0",
    "emulator.max_comp=12",
]
STARS = [
    "misfit=mastar_mock",
    "misfit.stars.reader.n_stars=700",
    f"misfit.stars.cuts.limits={BOX}",
    "uncertainty.learning.n_noisy=0",
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of the training, whose misfit is learned, and of the measured stars."""
    folder = tmp_path_factory.mktemp("grid")
    write_grid(folder / "models", (4700.0, 6400.0), 5, line_error=0.3)
    place, root = folder / "train", f"library.reader.root={folder / 'models'}"
    ended = run("train", *GRID, *STARS, root, *world.train_options(place)[1:])
    assert ended.status == 0, ended.err
    survey = ["data=lamost_mock", "data.n_stars=150", "data.snr=100.0", "data.seed=7"]
    survey += [f"artefact={place / 'emulator'}", "uncertainty.random=null"]
    ended = run("infer", *survey, f"hydra.run.dir={folder / 'infer'}")
    assert ended.status == 0, ended.err
    return place, folder / "infer"


def test_errors_of_labels_are_honest(folders):
    table = pd.read_parquet(folders[1] / "catalogue.parquet")
    inside = table["teff_lit"].between(5000, 6100) & table["fe_h_lit"].between(-0.8, 0.4)
    stars = table[inside & table["logg_lit"].between(1.6, 4.9)]
    assert len(stars) > 40
    for name in ("teff", "logg", "fe_h", "alpha_fe"):
        pull = (stars[name] - stars[f"{name}_lit"]) / stars[f"e_{name}"]
        # 1 of honest errors; of 40 stars such a spread has an error of 1.17 / sqrt(40) = 0.18.
        assert abs(1.4826 * pull.abs().median() - 1) < 3 * 0.18, name


def test_the_artefact_is_of_the_grid_and_the_page_of_real_stars(folders):
    emulator = load_emulator(folders[0] / "emulator")
    assert emulator.library.provenance["library"] == "grid"
    assert emulator.label_names == ("teff", "logg", "fe_h", "alpha_fe")
    torch.testing.assert_close(emulator.library.lsf_fwhm, emulator.wave / 1800)
    assert len(emulator.library) == 5 * 5 * 4 * 3
    assert "Misfit" in emulator.settings["config"]
    assert "300 stars, each predicted" not in (folders[0] / "report.html").read_text()
