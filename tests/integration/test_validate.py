"""``python validate.py``, and the same words behind ``python infer.py``, on made tables."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.integration import tables, world
from tests.integration.conftest import N_VISITS as N_STARS
from tests.integration.running import run

from torchfit.flags.bits import ResultFlag

pytestmark = pytest.mark.slow


@pytest.fixture
def validate(tmp_path):
    """``validate(*options)`` into an empty folder; how it ended, and the folder."""

    def call(*options):
        folder = tmp_path / "validated"
        return run("validate", *options, f"hydra.run.dir={folder}"), folder

    return call


def test_columns_are_joined_by_identifier_and_by_place(validated, table):
    stars = table(validated[0])
    expected = [str(tables.FIRST_ID + 2 * (number // 2)) for number in range(N_STARS)]
    assert stars["gaia_source_id"].tolist() == expected
    assert (stars["r_geo"] == 500).all() and (stars["r_geo_84th"] == 560).all()
    np.testing.assert_allclose(stars["e_gaia_g"], 1.0857 / 500, rtol=1e-4)
    pd.testing.assert_series_equal(stars["logg_imig"], stars["logg"], check_names=False)
    assert stars["ebv_bayes19"].isna().all()


def test_what_is_not_joined_is_missing(measured, table):
    stars = table(measured)
    assert stars[["r_geo", "gaia_g", "logg_imig", "ebv_bayes19"]].isna().all(axis=None)
    page = (measured / "report.html").read_text()
    assert "Nothing was joined" in page


def test_every_format_is_there_and_holds_the_same_stars(validated, table):
    folder = validated[0]
    names = {path.name for path in folder.iterdir()}
    for name in ("catalogue", "recommended"):
        kinds = {f"{name}{end}" for end in (".parquet", ".fits", ".csv", ".vot", "_dataset")}
        assert kinds <= names
    assert {"table2.txt", "table2.tex", "report.html", "rejects.csv"} <= names
    assert len(pd.read_parquet(folder / "catalogue_dataset")) == N_STARS


def test_the_recommended_sample_has_no_flagged_star(validated, table):
    folder = validated[0]
    few = pd.read_parquet(folder / "recommended.parquet", partitioning=None)
    whole = table(folder)
    bad = int(ResultFlag.EDGE | ResultFlag.EMISSION | ResultFlag.NOT_CONVERGED)
    assert (few["flags"] & bad == 0).all()
    assert set(few["star"]) <= set(whole["star"])
    assert (few[["flag_snr", "flag_chi2"]].fillna(0) == 0).all(axis=None)


def test_the_page_tells_of_every_comparison(validated):
    page = (validated[0] / "report.html").read_text()
    for words in (
        "Comparison with APOGEE DR16",
        "Comparison with Other labels",
        "Open clusters",
        "6 of our stars are in",
        "3 pairs of visits to one star",
        "python validate.py",
        "M 67",
        "paper sigma",
    ):
        assert words in page


def test_offsets_are_those_that_were_made(validated):
    page = (validated[0] / "report.html").read_text()
    body = next(part for part in page.split("<table>") if "paper sigma" in part)
    names = re.findall(r"<th [^>]*>(.*?)</th>", body)
    lines = [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in body.split("<tr>")]
    rows = [dict(zip(names, cells, strict=True)) for cells in lines if cells]
    teff = next(row for row in rows if (row["class"], row["label"]) == ("FGK", "teff"))
    assert float(teff["mean"]) == pytest.approx(100.0, abs=1.0)
    assert float(teff["paper mean"]) == pytest.approx(38.0)


def test_the_terminal_says_what_was_joined_and_why_thresholds_are_presets(validated):
    out = validated[1].out
    assert "preset: fewer than 200 stars with a ratio" in out
    assert "gaia_dr3" in out and "Recommended sample" in out


def test_the_record_holds_both_commands(validated, measured):
    metadata = pq.read_schema(validated[0] / "catalogue.parquet").metadata
    provenance = json.loads(metadata[b"provenance"])
    assert provenance["command"].startswith("python infer.py")
    assert provenance["validate_command"].startswith("python validate.py")
    assert "gaia.parquet" in provenance["validate_config"]
    assert len(provenance["emulator_sha256"]) == 64


def test_the_fits_are_untouched(validated, measured, table):
    fitted = ["teff", "e_teff", "chi2", "stop", "star", "source"]
    pd.testing.assert_frame_equal(table(validated[0])[fitted], table(measured)[fitted])


def test_infer_does_the_same_in_one_run(validated, artefact, tree, options, tmp_path, table):
    ended = run("infer", *world.lamost_options(tmp_path, artefact, tree), *options)
    assert ended.status == 0, ended.err
    pd.testing.assert_frame_equal(table(tmp_path), table(validated[0]))
    few = (folder / "recommended.csv" for folder in (tmp_path, validated[0]))
    assert len({path.read_bytes() for path in few}) == 1


def test_validating_twice_gives_the_same_bytes(validated, measured, options, tmp_path):
    ended = run("validate", f"results={measured}", *options, f"hydra.run.dir={tmp_path}")
    assert ended.status == 0
    for name in ("catalogue.fits", "recommended.vot", "report.html", "table2.tex", "rejects.csv"):
        assert (tmp_path / name).read_bytes() == (validated[0] / name).read_bytes(), name


MISTAKES = {
    "no results": ([], "results has no value; give it as results=VALUE"),
    "no catalogue there": (["results=nowhere"], "no catalogue in nowhere"),
    "no path": (["results=x", "compare=[lasp]"], "compare.lasp.path has no value"),
    "no such table": (
        ["results=x", "compare=[lasp]", "compare.lasp.path=nowhere.csv"],
        "no such table: nowhere.csv",
    ),
    "no such reference": (["results=x", "compare=[lsap]"], "compare=lsap is unknown; use one of"),
    "no such format": (["results=x", "catalogue.formats=[fits]"], "must hold parquet"),
    "no such bit": (
        ["results=x", "catalogue=recommended", "catalogue.recommended.excluded_bits=[EGDE]"],
        "excluded_bits=['EGDE']: use EDGE",
    ),
    "a word for a number": (
        ["results=x", "flags.survey.chi2.n_sigma=many"],
        "flags.survey.chi2.n_sigma=many must be of type float",
    ),
    "a random reddening": (
        ["results=x", "crossmatch=[bayestar19]", "crossmatch.bayestar19.mode=random_sample"],
        "mode=random_sample must be one of median, mean, best",
    ),
}


@pytest.mark.parametrize(("words", "text"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_and_writes_nothing(validate, words, text):
    ended, folder = validate(*words)
    assert ended.status == 1
    assert text in ended.error
    assert "Traceback" not in ended.err
    assert not list(folder.rglob("*.parquet"))


def test_a_missing_column_fails_with_the_columns_found(validate, measured, tmp_path):
    (tmp_path / "x.csv").write_text("obsid,temperature\n1,2\n")
    ended, _ = validate(
        f"results={measured}", "compare=[labels]", f"compare.labels.path={tmp_path / 'x.csv'}"
    )
    assert "has no column for teff (accepted: teff, Teff, TEFF); it has: obsid" in ended.error


def test_a_table_that_is_not_there_is_missed_before_the_work(artefact, tree, tmp_path):
    options = world.lamost_options(tmp_path, artefact, tree)
    ended = run("infer", *options, "compare=[lasp]", "compare.lasp.path=nowhere.csv")
    assert ended.status == 1
    assert "no such table: nowhere.csv" in ended.error
    assert not list(tmp_path.glob("work-*"))


def test_work_of_other_settings_is_named(artefact, tree, tmp_path, no_report):
    (tmp_path / "work-0123456789abcdef").mkdir()
    ended = run("infer", *world.lamost_options(tmp_path, artefact, tree))
    assert "work-0123456789abcdef is of an interrupted run with other settings" in ended.out


ODD = {
    "No star has a signal-to-noise ratio": lambda t: t.assign(
        **{f"snr_{band}": np.nan for band in "ugriz"}
    ),
    "No star was seen twice": lambda t: t.assign(name="", uid=""),
    "All stars are of class M": lambda t: t.assign(spectral_class="M"),
    "There are 1 stars": lambda t: t[:1],
    "There are 0 stars": lambda t: t[:0],
    "6 of 6 stars have no labels": lambda t: t.assign(teff=np.nan, logg=np.nan, fe_h=np.nan),
    "6 rows share their obsid": lambda t: t.assign(obsid=pd.array([7] * len(t), "Int64")),
    "No star has errors of its labels": lambda t: t.assign(
        e_teff=np.nan, e_logg=np.nan, e_fe_h=np.nan
    ),
    "0 by place": lambda t: t.assign(ra=np.nan, dec=np.nan),
}
"""Odd catalogues, by what the page says of them."""


@pytest.mark.parametrize(("word", "change"), ODD.items(), ids=ODD)
def test_an_odd_catalogue_is_told_of_and_not_refused(
    measured, options, validate, tmp_path, word, change
):
    odd = shutil.copytree(measured, tmp_path / "odd")
    stars = pd.read_parquet(odd / "catalogue.parquet", partitioning=None)
    pq.write_table(
        pa.Table.from_pandas(change(stars), preserve_index=False),
        odd / "catalogue.parquet",
    )
    ended, folder = validate(f"results={odd}", *options)
    assert ended.status == 0, ended.err
    assert len(pd.read_parquet(folder / "catalogue.parquet", partitioning=None)) == len(
        change(stars)
    )
    assert word in (folder / "report.html").read_text()
