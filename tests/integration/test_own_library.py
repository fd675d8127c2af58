"""A library of one's own, with a label that torchfit does not know, from the table to the page."""

import numpy as np
import pandas as pd
import pytest
from astropy.table import QTable
from tests.integration import world
from tests.integration.running import run

import torchfit as tf

pytestmark = pytest.mark.slow

N_STARS = 6
LIBRARY = [
    "emulator=table",
    "library.reader.medium=vacuum",
    "library.reader.resolution.lsf_fwhm=2.5",
    "+library.reader.labels.vsini=VSINI",
    "+library.labels.vsini={unit: km/s, text: Projected rotational velocity, range: [0, 400]}",
]


def write_stars(path, n_stars, seed, inset=0.0):
    """Stars with array columns; rotation broadens their lines."""
    wave = np.arange(3700.0, 7500.0, 1.0)
    labels = world.draw_labels(n_stars, seed, inset)
    rng = np.random.default_rng(seed)
    vsini = rng.uniform(400 * inset, 400 - 400 * inset, n_stars)
    width = np.hypot(2.5, 2.355 * vsini / 299792.458 * 5500)
    pairs = zip(labels, width, strict=True)
    flux = np.array([world.flux_of(each, wave, fwhm) for each, fwhm in pairs])
    flux *= 1 + 0.003 * rng.standard_normal(flux.shape)
    columns = dict(zip(("teff", "logg", "fe_h"), labels.T, strict=True)) | {"VSINI": vsini}
    columns |= {"name": [f"star {number}" for number in range(n_stars)]}
    columns |= {"wave": [wave] * n_stars, "flux": list(flux)}
    pd.DataFrame(columns).to_parquet(path)
    return columns


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of the training and of the measured stars, and the truth of these."""
    folder = tmp_path_factory.mktemp("own")
    write_stars(folder / "library.parquet", 90, seed=1)
    truth = write_stars(folder / "survey.parquet", N_STARS, seed=2, inset=0.25)
    path, training = f"library.reader.path={folder}", folder / "train"
    ended = run("train", *LIBRARY, path, *world.train_options(training)[1:])
    assert ended.status == 0, ended.err
    survey = [f"data.path={folder / 'survey.parquet'}", "data.medium=vacuum", "data.lsf_fwhm=2.5"]
    survey += ["~data.columns.ivar", "+data.columns.name=name", f"artefact={training / 'emulator'}"]
    ended = run("infer", "data=table", *survey, f"hydra.run.dir={folder / 'infer'}")
    assert ended.status == 0, ended.err
    return training, folder / "infer", truth


def test_the_label_is_measured(folders):
    table = pd.read_parquet(folders[1] / "catalogue.parquet")
    off = table["vsini"].to_numpy() - folders[2]["VSINI"]
    # Of a range of 400 km/s.
    assert np.abs(off).max() < 100
    assert (table["e_vsini"] > 0).all() and table["vsini_start"].notna().all()


def test_every_file_says_its_unit_and_its_meaning(folders):
    columns = pd.read_csv(folders[1] / "catalogue_columns.csv").set_index("name")
    assert columns.loc["e_vsini", "unit"] == columns.loc["vsini", "unit"] == "km/s"
    assert columns.loc["vsini", "description"] == "Projected rotational velocity"
    for name in ("catalogue.parquet", "catalogue.fits"):
        table = QTable.read(folders[1] / name)
        assert str(table["vsini"].unit) == "km / s"
        assert table["vsini"].info.description == "Projected rotational velocity"
    for page in (folders[0] / "report.html", folders[1] / "report.html"):
        assert "vsini" in page.read_text()


def test_the_finished_catalogue_is_validated_with_it(folders, tmp_path):
    ended = run("validate", f"results={folders[1]}", f"hydra.run.dir={tmp_path}")
    assert ended.status == 0, ended.err
    columns = pd.read_csv(tmp_path / "catalogue_columns.csv").set_index("name")
    assert columns.loc["e_vsini", "unit"] == "km/s"


def test_the_face_knows_the_label(folders):
    emulator = tf.load_emulator(folders[0] / "emulator")
    assert emulator.label_names == ("teff", "logg", "fe_h", "vsini")
    flux = emulator.predict(teff=5500, logg=3.0, fe_h=-0.5, vsini=150)
    result = tf.Fitter(emulator).fit(tf.Spectrum(emulator.wave, flux, medium="vacuum"))
    assert result.vsini == pytest.approx(150, abs=60)
    assert str(result.to_table()["e_vsini"].unit) == "km / s"


@pytest.mark.parametrize("name", ["chi2", "flux", "e_x"])
def test_a_name_that_is_taken_is_one_line(folders, tmp_path, name):
    label = f"+library.reader.labels.{name}=VSINI"
    path = f"library.reader.path={folders[0].parent}"
    ended = run("train", *LIBRARY[:3], label, path, *world.train_options(tmp_path)[1:])
    assert ended.status == 1 and name in ended.error and "label" in ended.error
