"""``python infer.py velocity=ccf``: spectra whose redshift nobody states."""

import numpy as np
import pandas as pd
import pytest
from tests.integration import world
from tests.integration.running import run

from torchfit.names import SPEED_OF_LIGHT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def measured(artefact, lamost_tree, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ccf")
    options = world.lamost_options(folder, artefact, lamost_tree[0])
    ended = run("infer", *options, "velocity=ccf", "velocity.n_templates=20")
    assert ended.status == 0, ended.err
    return folder


def test_velocities_are_those_of_the_stars(measured, table):
    stars = table(measured).set_index("source")
    good = stars[stars.index.str.startswith("good/")]
    number = good.index.str.extract(r"star(\d)")[0].astype(int)
    truth = SPEED_OF_LIGHT * 1e-4 * (number.to_numpy() % 3 - 1)
    v, error = good["v_ccf"].to_numpy(), good["e_v_ccf"].to_numpy()
    assert len(good) == 6 and (error > 0).all()
    assert (np.abs(v + good["v_rad"].to_numpy() - truth) < 5 * error + 10).all()
    np.testing.assert_allclose(good["z"], v / SPEED_OF_LIGHT, rtol=1e-6)
    np.testing.assert_allclose(good["z_err"], error / SPEED_OF_LIGHT, rtol=1e-6)
    assert good["ccf_ratio"].between(0, 1).all()


def test_the_labels_are_those_with_the_redshift_of_the_survey(measured, lamost, table):
    ours, theirs = (table(folder).set_index("source") for folder in (measured, lamost))
    moved = (ours["teff"] - theirs["teff"]).dropna().abs() / theirs["e_teff"]
    assert moved.median() < 1


def test_stars_without_a_redshift_are_no_rejects_any_more(measured, lamost_tree, table):
    rejects = pd.read_csv(measured / "rejects.csv", keep_default_na=False)
    saved = {"bad/no_redshift.fits", "bad/redshift_missing.fits"}
    assert set(rejects["source"]) == set(lamost_tree[1]) - saved
    assert saved <= set(table(measured)["source"])


def test_without_it_nothing_is_measured(lamost, table):
    stars = table(lamost)
    assert stars[["v_ccf", "e_v_ccf", "ccf_ratio"]].isna().all(axis=None)
    assert stars["z"].notna().all()
