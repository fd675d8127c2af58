"""Errors of a catalogue, by the commands: calibrated, sampled, and kept for another survey."""

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from tests.integration import world
from tests.integration.running import run

pytestmark = pytest.mark.slow
LABELS = ("teff", "logg", "fe_h")
SAMPLED = ("uncertainty=mcmc", "uncertainty.posterior.sampler.n_steps=40")


def read(folder):
    return pd.read_parquet(folder / "catalogue.parquet")


@pytest.fixture(scope="module")
def sampled(cache, artefact, tmp_path_factory):
    """STELIB with the posterior of three of its stars."""
    folder = tmp_path_factory.mktemp("sampled")
    listed = folder / "stars.txt"
    names = read_sources(cache)[:3]
    listed.write_text("\n".join([*names, "", "nobody"]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHFIT_CACHE", str(cache))
        ended = run(
            "infer", *world.stelib_options(folder, artefact), *SAMPLED,
            f"uncertainty.posterior.selection.listed={listed}",
        )  # fmt: skip
    assert ended.status == 0, ended.err
    return folder, names


def read_sources(cache):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHFIT_CACHE", str(cache))
        return world.MadeStelib().sources()


def test_errors_have_two_parts_and_are_not_those_of_the_fisher_matrix(stelib):
    table = read(stelib)
    for name in LABELS:
        parts = np.hypot(table[f"e_{name}_sys"], table[f"e_{name}_ran"])
        np.testing.assert_allclose(table[f"e_{name}"], parts, rtol=1e-6)
        known = table[f"e_{name}"].notna()
        assert known.any()
        assert (table[f"e_{name}"] != table[f"e_{name}_fisher"])[known].all()
    assert not (stelib / "random_errors.safetensors").exists()


def test_only_listed_stars_are_sampled(sampled, stelib):
    folder, names = sampled
    table, plain = read(folder), read(stelib)
    assert "rhat" not in plain
    chosen = table["source"].isin(names)
    assert chosen.any()
    columns = [f"{name}_{kind}" for name in LABELS for kind in ("mean", "std", "p16", "p50", "p84")]
    assert table.loc[~chosen, [*columns, "rhat", "ess"]].isna().all(axis=None)
    found = table[chosen & table["teff"].notna()]
    assert found[[*columns, "rhat", "ess"]].notna().all(axis=None)
    assert (found["teff_p16"] < found["teff_p84"]).all()
    np.testing.assert_array_equal(table["teff"], plain["teff"])
    np.testing.assert_array_equal(table["e_teff"], plain["e_teff"])


def test_a_list_that_is_not_there_is_told_before_any_work(artefact, tmp_path):
    ended = run(
        "infer", *world.stelib_options(tmp_path / "new", artefact), *SAMPLED,
        "uncertainty.posterior.selection.listed=nowhere.txt",
    )  # fmt: skip
    assert ended.status == 1
    assert "nowhere.txt" in ended.err
    assert not list(tmp_path.rglob("shards"))


def test_random_errors_that_are_not_there_are_told_before_any_work(artefact, tmp_path):
    ended = run(
        "infer", *world.stelib_options(tmp_path / "new", artefact), "uncertainty.random=nowhere"
    )
    assert ended.status == 1
    assert "nowhere" in ended.err


def test_intervals_are_columns_of_every_file(artefact, tmp_path):
    ended = run("infer", *world.stelib_options(tmp_path, artefact), "uncertainty.intervals=true")
    assert ended.status == 0, ended.err
    catalogue = read(tmp_path)
    for name in LABELS:
        ends = [f"{name}_{end}" for end in ("lower95", "lower68", "upper68", "upper95")]
        ordered = catalogue[[*ends[:2], name, *ends[2:]]].to_numpy()
        assert (np.diff(ordered, axis=1) > 0).all()
        half = catalogue[f"{name}_upper68"] - catalogue[name]
        np.testing.assert_allclose(half, catalogue[f"e_{name}"], rtol=1e-3)
    written = Table.read(tmp_path / "catalogue.fits")
    assert written["teff_upper95"].unit == "K"
    described = pd.read_csv(tmp_path / "catalogue_columns.csv").set_index("name")
    assert "97.5th percentile" in described.loc["fe_h_upper95", "description"]


def test_the_papers_errors_without_repeats_have_no_total(artefact, tmp_path):
    ended = run(
        "infer", *world.stelib_options(tmp_path, artefact), "metric=paper", "uncertainty=paper"
    )
    assert ended.status == 0, ended.err
    table = read(tmp_path)
    assert table["e_teff"].isna().all()
    assert table["e_teff_fisher"].isna().all()
