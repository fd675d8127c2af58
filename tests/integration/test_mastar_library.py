"""From MaStar's three files to a library with four labels, as the configuration builds it."""

from pathlib import Path

from hydra import compose, initialize_config_dir
from tests.data.mastar import make as files

from torchfit.run.build import build

CONF = Path(__file__).parents[2] / "conf"


def library_of(root, *overrides):
    options = ["emulator=mastar", f"library.reader.root={root}", *overrides]
    with initialize_config_dir(str(CONF), version_base=None):
        cfg = compose("train", ["output_dir=results", *options])
    return build(cfg.library)(preprocessor=build(cfg.preprocess))


def test_a_library_of_all_visits(tmp_path):
    """Of 24 visits one has no labels, one no alpha, one a bit, one too little light."""
    library = library_of(files.make(tmp_path), "library.reader.recipe.visits=all")
    assert library.label_names == ("teff", "logg", "fe_h", "alpha_fe")
    assert library.spectra.flux.shape == (20, 4901)
    assert set(library.star_names) == set(files.STARS)
    expected = {round(float(teff)) for teff in files.visits().labels[:, 0] if teff == teff}
    left_out = {4000 + 50 * visit for visit in (6, 8, 9)}
    assert {round(float(teff)) for teff in library.labels[:, 0]} == expected - left_out
    assert library.provenance["release"] == "SDSS DR17, MaStar v3_1_1 v1_7_7"


def test_gravities_of_imig(tmp_path):
    root = files.make(tmp_path)
    recipe = "library.reader.recipe.visits=all"
    median, imig = (
        library_of(root, recipe, f"library.reader.logg_source={s}") for s in ("null", "JI")
    )
    assert len(imig) == len(median) - 1
    shift = imig.labels[:, 1].mean() - median.labels[:, 1].mean()
    assert 0.4 < shift < 0.6
