import numpy as np
import pandas as pd
import pytest

from torchfit.catalogue.conform import conform, with_missing
from torchfit.catalogue.product import Product
from torchfit.catalogue.recommended import Recommendation
from torchfit.catalogue.schema import catalogue_columns, columns
from torchfit.compare.reference import Reference
from torchfit.crossmatch.external import ExternalCatalogue
from torchfit.crossmatch.shared_key import SharedKey
from torchfit.crossmatch.user_table import TableSchema
from torchfit.exceptions import DataError
from torchfit.files.column_table import ColumnTable
from torchfit.flags.survey_rules import SurveyRules
from torchfit.names import LABELS, Label
from torchfit.report.comparisons import comparison_section
from torchfit.run.finish import Finishing, summary

THREE = LABELS[:3]
ROTATION = Label("vsini", "km/s", "Rotation")
REJECTS = pd.DataFrame({"source": ["bad.fits"], "reason": ["no good pixel"]})
KEY = SharedKey("obsid", "obsid")


@pytest.fixture
def fits():
    """The merged parts of forty stars."""
    rng = np.random.default_rng(0)
    stars = np.arange(40)
    cells = {
        "star": stars,
        "source": [f"{star}.fits" for star in stars],
        "obsid": pd.array(stars + 100, "Int64"),
        "teff": rng.uniform(5300, 5900, 40),
        "logg": rng.uniform(2, 5, 40),
        "fe_h": rng.uniform(-1, 0, 40),
        "rchi2": rng.lognormal(0, 0.1, 40),
        "snr_g": rng.uniform(3, 60, 40),
        "spectral_class": "G",
        "stop": "converged",
    }
    table = pd.DataFrame(cells)
    for column in columns(THREE):
        if column.name not in table and column.dtype in ("int64", "bool"):
            table[column.name] = 0
    return conform(with_missing(table, columns(THREE)), columns(THREE))


@pytest.fixture
def path(tmp_path, fits):
    frame = pd.DataFrame({"obsid": fits["obsid"], "teff": fits["teff"] - 20, "r": 500.0})
    frame[:30].to_csv(tmp_path / "theirs.csv", index=False)
    return str(tmp_path / "theirs.csv")


def finishing(path, **product):
    schema = TableSchema({"teff": ["teff"], "r_geo": ["r"]}, {"obsid": ["obsid"]})
    return Finishing(
        SurveyRules(),
        Product(**product),
        {"distances": ExternalCatalogue(path, schema, ("r_geo",), KEY)},
        {"theirs": Reference(path, schema, ("teff",), KEY, title="Theirs")},
    )


def test_a_survey_is_joined_flagged_and_compared(fits, path):
    survey = finishing(path).finish(fits, REJECTS, THREE, {"a": "b"})
    assert set(survey.table) == {column.name for column in catalogue_columns(THREE)}
    ends = {
        f"{name}_{end}": fits[name]
        for name in THREE
        for end in ("lower95", "lower68", "upper68", "upper95")
    }
    wide = finishing(path).finish(fits.assign(**ends), REJECTS, THREE, {})
    assert set(wide.table) == {column.name for column in catalogue_columns(THREE, False, True)}
    assert (survey.table["r_geo"] == 500).sum() == 30
    assert survey.table["flag_snr"].notna().all()
    (comparison,) = survey.findings.comparisons
    np.testing.assert_allclose(comparison.theirs[:30, 0], survey.table["teff"][:30] - 20)
    assert survey.findings.joins[0]["found"] == 30
    assert survey.recommended is None
    assert survey.provenance == {"a": "b"}


def test_finishing_twice_is_finishing_once(fits, path):
    once = finishing(path).finish(fits, REJECTS, THREE, {})
    again = finishing(path).finish(once.table, REJECTS, THREE, {})
    pd.testing.assert_frame_equal(again.table, once.table)


def test_a_survey_on_disk_becomes_the_same_files(fits, path, tmp_path, monkeypatch):
    """In pieces of any size, which have a row group each."""
    kinds = ("parquet", "fits", "csv", "votable", "dataset")
    made = finishing(path, formats=kinds, recommended=Recommendation(["LOW_SNR"], ["flag_snr"]))
    files = []
    for rows, place in ((40, "whole"), (7, "pieces")):
        monkeypatch.setattr("torchfit.files.column_table.ROWS", rows)
        stored = ColumnTable.of(tmp_path / f"{place}_table", [fits])
        survey = made.finish(stored, REJECTS, THREE, {"a": "b"})
        files.append(made.deliver(survey, tmp_path / place, {}))
    files.append(
        made.deliver(made.finish(fits, REJECTS, THREE, {"a": "b"}), tmp_path / "memory", {})
    )
    for name, whole in files[2].items():
        if whole.is_file():
            assert whole.read_bytes() == files[0][name].read_bytes(), name
        if name.endswith(("parquet", "dataset")):
            pd.testing.assert_frame_equal(pd.read_parquet(whole), pd.read_parquet(files[1][name]))
        elif whole.is_file():
            assert whole.read_bytes() == files[1][name].read_bytes(), name


def test_without_tables_their_columns_are_missing(fits):
    survey = Finishing(SurveyRules(), Product()).finish(fits, REJECTS, THREE, {})
    assert survey.table[["r_geo", "gaia_g", "logg_imig"]].isna().all(axis=None)


def test_a_sample_is_chosen_when_it_is_asked_for(fits, path, tmp_path):
    made = finishing(path, recommended=Recommendation(["LOW_SNR"], ["flag_snr"]))
    survey = made.finish(fits, REJECTS, THREE, {})
    assert survey.recommended.sum() == (fits["snr_g"] >= 8).sum()
    files = made.deliver(survey, tmp_path / "out", {"stars": "40"})
    assert list(files)[-1] == "catalogue.parquet"
    assert {"table2.txt", "table2.tex", "recommended.fits", "report.html"} <= set(files)
    assert (tmp_path / "out" / "table2.tex").read_text().startswith(r"\begin{tabular}")


def test_without_a_sample_there_is_no_table_of_it(fits, path, tmp_path):
    made = finishing(path)
    files = made.deliver(made.finish(fits, REJECTS, THREE, {}), tmp_path / "out", {})
    assert not [name for name in files if name.startswith(("table2", "recommended"))]


def test_what_is_told(fits, path):
    captions = [caption for caption, _ in summary(finishing(path).finish(fits, REJECTS, THREE, {}))]
    assert captions == ["S/N from which stars are good (flag_snr)", "Joined"]
    chosen = finishing(path, recommended=Recommendation([], []))
    captions = [caption for caption, _ in summary(chosen.finish(fits, REJECTS, THREE, {}))]
    assert captions[-1] == "Recommended sample"


def test_a_missing_file_is_found_before_the_work(tmp_path):
    with pytest.raises(DataError, match="no such table"):
        finishing(str(tmp_path / "nowhere.csv")).check()


def test_catalogues_without_a_file_are_named(path):
    assert finishing(path).without_file() == []
    assert finishing(None).without_file() == ["crossmatch.distances.path", "compare.theirs.path"]


def test_fallbacks_and_oddities_go_to_the_log(fits, path, caplog):
    table = fits.assign(obsid=pd.array([7] * 40, "Int64"))
    survey = finishing(path).finish(table, REJECTS, THREE, {})
    reason = "fewer than 200 stars with a ratio"
    assert f"flag_snr keeps its preset thresholds (G 8): {reason}" in caplog.messages
    assert any(note.startswith("40 rows share their obsid") for note in caplog.messages)
    assert set(survey.findings.notes) < set(caplog.messages)


def test_labels_of_a_library_of_ones_own_are_compared(tmp_path, fits):
    """From a configured table to the page."""
    names = (*THREE, ROTATION)
    schema = columns(names)
    ours = fits.assign(vsini=np.linspace(0, 100, 40)).drop(columns="star").assign(star=fits["star"])
    ours = conform(with_missing(ours, schema), schema)
    theirs = pd.DataFrame({"obsid": ours["obsid"], "teff": ours["teff"], "ROT": ours["vsini"] - 3})
    theirs.to_csv(tmp_path / "theirs.csv", index=False)
    read = TableSchema({"teff": ["teff"], "vsini": ["ROT"]}, {"obsid": ["obsid"]})
    path = str(tmp_path / "theirs.csv")
    source = Finishing(
        SurveyRules(),
        Product(),
        {},
        {"x": Reference(path, read, ("teff", "vsini"), KEY, title="X")},
    )
    finished = source.finish(ours, REJECTS, names, {})
    (comparison,) = finished.findings.comparisons
    assert comparison.labels == ("teff", "vsini")
    section = comparison_section(finished.table, comparison, np.ones(40, dtype=bool))
    row = next(r for r in section.tables[0][1] if (r["class"], r["label"]) == ("FGK", "vsini"))
    assert row["bias"] == pytest.approx(3.0, abs=1e-5)
    assert [title for title, _ in section.figures][1] == "Rotation: torchfit against X"
