"""A synthetic grid with a wrong line list, from its files to labels of stars and their errors."""

import pandas as pd
import pytest
from tests.integration import world
from tests.integration.running import run

from torchfit.emulator.artefact import load_emulator
from torchfit.mock.grid import RESOLVING_POWER, write_grid

pytestmark = pytest.mark.slow

FOUR = "[teff,logg,fe_h,alpha_fe]"
BOX = "{teff: [4800,6300], logg: [1.4,5.0], fe_h: [-1.0,0.5], alpha_fe: [-0.1,0.4]}"
GRID = [
    "emulator=grid",
    "library.reader.medium=vacuum",
    f"library.reader.resolution.resolving_power={RESOLVING_POWER}",
    f"library.cuts.label_names={FOUR}",
    f"+library.cuts.limits={BOX}",
    "library.resolution.lsf_fwhm=null",
    "library.resolution.resolving_power=1800",
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
    """Folders of the artefacts without and with the misfit, and of their catalogues."""
    folder = tmp_path_factory.mktemp("grid")
    write_grid(folder / "models", (4700.0, 6400.0), 4, line_error=0.3)
    made = {}
    for name, words in (("plain", STARS[3:]), ("misfit", STARS)):
        place = folder / name
        root = f"library.reader.root={folder / 'models'}"
        ended = run("train", *GRID, *words, root, *world.train_options(place)[1:])
        assert ended.status == 0, ended.err
        out = f"hydra.run.dir={folder / f'{name}-stars'}"
        survey = ["data=lamost_mock", "data.n_stars=150", "data.snr=100", "data.seed=7"]
        survey += [f"artefact={place / 'emulator'}", "uncertainty.random=null", out]
        ended = run("infer", *survey)
        assert ended.status == 0, ended.err
        made[name] = (place / "emulator", folder / f"{name}-stars")
    return made


def pulls(folder):
    """Errors of labels of stars well inside the grid, in units of those the catalogue claims."""
    table = pd.read_parquet(folder / "catalogue.parquet")
    inside = table["teff_lit"].between(5000, 6100) & table["fe_h_lit"].between(-0.8, 0.4)
    stars = table[inside & table["logg_lit"].between(1.6, 4.9)]
    assert len(stars) > 20
    labels = ("teff", "logg", "fe_h", "alpha_fe")
    off = {name: (stars[name] - stars[f"{name}_lit"]) / stars[f"e_{name}"] for name in labels}
    return {name: 1.4826 * float(pull.abs().median()) for name, pull in off.items()}


def test_errors_of_labels_become_honest(folders):
    plain, misfit = (pulls(folders[name][1]) for name in ("plain", "misfit"))
    assert max(plain.values()) > 2
    assert all(0.4 < spread < 1.8 for spread in misfit.values()), misfit


def test_the_artefact_is_of_the_grid_and_knows_more(folders):
    plain, misfit = (load_emulator(folders[name][0]) for name in ("plain", "misfit"))
    assert misfit.library.provenance["library"] == "grid"
    assert misfit.label_names == ("teff", "logg", "fe_h", "alpha_fe")
    assert misfit.library.star_names == plain.library.star_names
    own, wide = (each.residuals.matrices.diagonal(0, 1, 2).sum() for each in (plain, misfit))
    assert wide > own
    assert "Misfit" in misfit.settings["config"]
