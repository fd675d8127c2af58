"""``python infer.py`` from survey files to catalogue and report."""

import json
import os
import warnings

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from astropy.table import Table
from astropy.units import UnitsWarning
from tests.integration import world
from tests.integration.killing import WITNESS
from tests.integration.running import ROOT, run

import torchfit as tf
from torchfit.exceptions import OutputError
from torchfit.flags.bits import ResultFlag
from torchfit.surveys.lamost import LamostReader

pytestmark = pytest.mark.slow
LABELS = ("teff", "logg", "fe_h")


def rejects_of(folder):
    return pd.read_csv(folder / "rejects.csv", keep_default_na=False)


def both(folder, table):
    """Every source of the catalogue and of the rejects."""
    return [*table(folder)["source"], *rejects_of(folder)["source"]]


def test_every_stelib_star_is_in_the_catalogue_or_the_rejects(stelib, table):
    assert sorted(both(stelib, table)) == world.MadeStelib().sources()
    names = {source.rpartition("_")[2] for source in rejects_of(stelib)["source"]}
    assert names == {"HD900002.fits", "HD900003.fits", "HD900004.fits"}


def test_every_lamost_file_is_in_the_catalogue_or_the_rejects(lamost, lamost_tree, table):
    root, _ = lamost_tree
    assert sorted(both(lamost, table)) == LamostReader(str(root)).sources()


def test_a_bad_file_is_rejected_with_its_reason(lamost, lamost_tree):
    rejects = rejects_of(lamost).set_index("source")["reason"]
    _, expected = lamost_tree
    assert set(rejects.index) == set(expected)
    for source, reason in expected.items():
        assert reason in rejects[source]


def test_all_layouts_and_endings_are_measured(lamost, table):
    sources = table(lamost)["source"]
    assert {source.split("/")[1] for source in sources} == {"table", "image", "first"}
    assert {source.partition(".")[2] for source in sources} == {"fits", "fits.gz"}
    first = table(lamost).set_index("source").loc["good/first/star2.fits"]
    assert first["obsid"] is pd.NA
    assert table(lamost).set_index("source").loc["good/table/star0.fits", "obsid"] == 1000


def test_the_labels_are_those_of_the_stars(stelib, lamost, table):
    known = table(stelib)
    for name, error in zip(LABELS, (250, 0.4, 0.2), strict=True):
        assert (known[name] - known[f"{name}_lit"]).abs().median() < error
    truth = world.draw_labels(6, seed=3, inset=0.2)
    measured = table(lamost)
    number = measured["source"].str.extract(r"star(\d)")[0].astype(int)
    assert np.abs(measured["teff"] - truth[number, 0]).median() < 250


def test_half_a_spectrum_is_measured_and_flagged(stelib, table):
    stars = table(stelib).set_index("name")
    half, whole = stars.loc["HD900001"], stars.loc["HD000008"]
    assert half["flags"] & ResultFlag.FEW_PIXELS
    assert not whole["flags"] & ResultFlag.FEW_PIXELS
    assert half["n_pix"] < 0.6 * whole["n_pix"]
    assert np.isfinite([half[name] for name in LABELS]).all()


def test_stars_of_the_library_are_known_by_name(stelib, table):
    stars = table(stelib).set_index("name")["in_library"]
    assert stars["HD000003"]
    assert not stars["HD900001"]


def test_stelib_has_no_flux_errors_and_lamost_has(stelib, lamost, table):
    folders = (stelib, lamost)
    without, given = (table(folder)["flags"] & int(ResultFlag.NO_ERRORS) for folder in folders)
    assert (without > 0).all()
    assert (given == 0).all()


def test_the_three_formats_hold_the_same_rows(lamost, table):
    parquet = table(lamost)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnitsWarning)
        fits = Table.read(lamost / "catalogue.fits")
    csv = pd.read_csv(lamost / "catalogue.csv")
    for name in LABELS:
        np.testing.assert_array_equal(parquet[name], np.asarray(fits[name]))
        np.testing.assert_array_equal(parquet[name], csv[name].astype(np.float32))


def test_the_report_and_the_places_are_given(lamost):
    page = (lamost / "report.html").read_text()
    assert "<html" in page
    assert "not a star (CLASS is GALAXY)" in page
    assert not [path.name for path in lamost.iterdir() if path.name.startswith("work-")]


def test_the_catalogue_says_how_it_was_made(lamost, artefact):
    metadata = pq.read_schema(lamost / "catalogue.parquet").metadata
    provenance = json.loads(metadata[b"provenance"])
    assert len(provenance["emulator_sha256"]) == 64
    assert "torchfit.surveys.lamost.LamostReader" in provenance["config"]
    assert str(lamost) not in provenance["config"]


def test_a_second_run_gives_the_same_bytes(stelib, artefact, tmp_path, contents):
    ended = run("infer", *world.stelib_options(tmp_path, artefact))
    assert ended.status == 0
    assert contents(tmp_path) == contents(stelib)


def test_neither_batches_nor_shards_matter(
    lamost, artefact, lamost_tree, tmp_path, table, no_report
):
    options = world.lamost_options(tmp_path, artefact, lamost_tree[0])
    ended = run("infer", *options, "batch_groups=8", "pack.shard_size=3")
    assert ended.status == 0
    one, many = table(lamost), table(tmp_path)
    # The survey settings work in single precision, whose rounding follows the size of a batch.
    pd.testing.assert_frame_equal(one, many, rtol=1e-3, atol=1e-5)


def test_what_stands_in_a_masked_pixel_has_no_weight(artefact, tmp_path, table, no_report):
    results = []
    for name, spoiled in (("as it was", None), ("spoiled", 1e7)):
        root, folder = tmp_path / name, tmp_path / f"{name} results"
        world.make_good_lamost(root, spoiled=spoiled)
        ended = run("infer", *world.lamost_options(folder, artefact, root))
        assert ended.status == 0
        results.append(table(folder))
    source = "good/table/star0.fits"
    assert (tmp_path / "as it was" / source).read_bytes() != (
        tmp_path / "spoiled" / source
    ).read_bytes()
    pd.testing.assert_frame_equal(*results, check_exact=True)


def test_two_devices_give_the_rows_of_one(
    stelib, artefact, tmp_path, table, no_report, monkeypatch
):
    (tmp_path / "processes").mkdir()
    monkeypatch.setenv(WITNESS, str(tmp_path / "processes"))
    ended = run("infer", *world.stelib_options(tmp_path, artefact), "trainer.devices=2")
    assert ended.status == 0, ended.err
    processes = {path.name for path in (tmp_path / "processes").iterdir()}
    assert len([name for name in processes if name.startswith("batch-")]) == 2
    assert any(name.startswith("match-") for name in processes)
    assert not any(name.endswith(f"-{os.getpid()}") for name in processes)
    pd.testing.assert_frame_equal(table(tmp_path), table(stelib), rtol=1e-9)


@pytest.mark.parametrize(
    "optimiser", sorted(path.stem for path in (ROOT / "conf" / "optimise").glob("*.yaml"))
)
def test_every_optimiser_measures_a_survey(artefact, tmp_path, table, no_report, optimiser):
    world.make_good_lamost(tmp_path / "tree", n_stars=2)
    options = world.lamost_options(tmp_path, artefact, tmp_path / "tree")
    cheap = {
        "adam": ["optimise.adam.max_iterations=3"],
        "turbo": ["optimise.turbo.max_iterations=6"],
    }
    ended = run("infer", *options, f"optimise=[{optimiser}]", *cheap.get(optimiser, []))
    assert ended.status == 0, ended.err
    assert (table(tmp_path)["evaluations"] > 1).all()


def full_disk(path):
    raise OutputError(f"{path} was not written (no space left)")


def test_products_are_of_all_stars_and_change_no_catalogue(
    lamost, artefact, lamost_tree, tmp_path, table, no_report, monkeypatch
):
    options = world.lamost_options(tmp_path, artefact, lamost_tree[0])
    options += ["products=[models]", "products.models.rows=4"]
    with monkeypatch.context() as patch:
        patch.setattr("torchfit.products.models.atomic", full_disk)
        assert run("infer", *options).status == 1
    (work,) = tmp_path.glob("work-*")
    assert not list(work.glob("products/models/parquet/part-*"))
    assert run("infer", *options).status == 0
    spectra, stars = tf.read_models(tmp_path / "models"), table(tmp_path)
    assert spectra.star.tolist() == stars["star"].tolist()
    assert ((spectra.mask == 0).sum(axis=1) == stars["n_pix"]).all()
    name = "catalogue.parquet"
    theirs, ours = (pq.read_table(folder / name) for folder in (lamost, tmp_path))
    assert theirs.equals(ours)
    assert run("infer", *options[:-2]).status == 0
    assert not (tmp_path / "models").exists()
